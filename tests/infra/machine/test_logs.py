"""What workers say to a terminal, and what they do not."""

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.machine.logs import _waited_for, silence_given_up
from tasks.trials.train import GivenUp

TASKS = logging.getLogger("prefect.task_runs")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What passes the filters of the logger of Prefect's tasks."""
    kept: list[str] = []
    monkeypatch.setattr(TASKS, "callHandlers", lambda record: kept.append(record.getMessage()))
    yield kept
    TASKS.removeFilter(_waited_for)


def test_of_work_that_nobody_waits_for_nothing_is_said(said: list[str]) -> None:
    silence_given_up()
    for error in (GivenUp(), ValueError("a defect")):  # the two lines that Prefect has for a task that raised
        TASKS.error("Task run failed with exception: %r", error)
        TASKS.error("Finished in state %s", f"Failed('Task run encountered an exception {type(error).__name__}: ')")
    assert said == [
        "Task run failed with exception: ValueError('a defect')",
        "Finished in state Failed('Task run encountered an exception ValueError: ')",
    ]


def test_what_dask_says_is_dropped_though_it_sets_its_levels_when_it_is_imported() -> None:
    script = """
import logging
from infra.machine.logs import quiet_logs
quiet_logs()
logging.getLogger("distributed").setLevel("INFO")  # as it does
logging.getLogger("distributed.client").setLevel("WARNING")
for name in ("distributed.client", "distributed.nanny", "distributed.gc", "prefect.of_ours"):
    logging.getLogger(name).error("%s says it", name)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert [line.partition("|")[2].split()[-3] for line in done.stderr.splitlines()] == ["prefect.of_ours"]
