"""What holds for all tests: hypothesis asserts no time and draws few examples, real parts begin first, runs are shown.

Python looks for garbage among all objects that live, again and again. Those that imports and the collection made are
millions and stay: they are looked at by nobody, which saves a third of the collection and a twentieth of the tests.
Before and after every test pytest hangs its handlers on every logger that passes nothing on, of which torch has fifty:
they pass on here.
"""

import gc
import logging
from collections.abc import Iterator

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

settings.register_profile("counterpoint", deadline=None, max_examples=25)
settings.load_profile("counterpoint")
gc.disable()


@pytest.fixture(autouse=True)
def _what_is_in_memory_goes() -> Iterator[None]:
    """With its test: fsspec looks for a folder among all files that the process has in memory, at every step."""
    before = set(MemoryFileSystem.store)
    yield
    for path in MemoryFileSystem.store.keys() - before:
        del MemoryFileSystem.store[path]


TOGETHER = {
    **dict.fromkeys(
        [f"tests/integration/test_{name}.py" for name in ("clusters", "failures", "reproduce", "places", "typed")],
        "one server",
    ),
    **dict.fromkeys([f"tests/integration/test_{name}.py" for name in ("deploy", "nightly")], "a server that stays"),
    "tests/tasks/ingest/corpora/": "corpora",
    "tests/tasks/report/": "report",
}
"""Files, or folders of them, that share what takes seconds to make, and what they share: Prefect's server, the corpora
that are parsed, the report that is drawn."""


def _together(nodeid: str) -> str:
    """What is given to one process as a whole: a file, or those that share something."""
    file = nodeid.split("::")[0]
    return next((shared for start, shared in TOGETHER.items() if file.startswith(start)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with real parts begin first, then the report: they take longest, and the others then fill up the rest."""
    slow = {item.path for item in items if item.get_closest_marker("integration")}
    last = {"one server": 0, "report": 1}
    items.sort(key=lambda item: (item.path not in slow, last.get(_together(item.nodeid), 2)))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.startswith("torch"):
            logger.propagate = True


class ByFile(LoadFileScheduling):
    """Gives a process whole files, or all that share something, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        return _together(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)  # what prints is there by then
def pytest_configure(config: pytest.Config) -> None:
    parallel = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if parallel and terminal is not None and config.option.verbose == 0:
        config.pluginmanager.register(Shown(terminal))


class Shown:
    """Names each file when its first test begins: the dots of parallel tests alone do not say what is running."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal, self._begun, self._done, self._all = terminal, set[str](), 0, 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._all = len(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        file = nodeid.split("::")[0]
        if file not in self._begun:
            self._begun.add(file)
            self._terminal.write_line(f"{self._done:5} of {self._all}: {file}")

    def pytest_runtest_logfinish(self) -> None:
        self._done += 1
