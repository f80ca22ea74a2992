"""Imports run one way: flows -> tasks -> models, infra beside them, models alone; and in no room in a circle."""

import ast
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

OURS = ("flows", "tasks", "models", "infra")
MAY_IMPORT = {
    "flows": {"flows", "tasks", "models", "infra"},
    "tasks": {"tasks", "models", "infra"},
    "models": {"models"},
    "infra": {"infra"},
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*OURS, include_external_packages=True, cache_dir=None)


def imports(graph: grimp.ImportGraph, package: str) -> set[tuple[str, str]]:
    modules = {package, *graph.find_descendants(package)}
    return {(module, target) for module in modules for target in graph.find_modules_directly_imported_by(module)}


@pytest.mark.parametrize("package", OURS)
def test_imports_of_ours_run_one_way(graph: grimp.ImportGraph, package: str) -> None:
    wrong = {
        (module, target)
        for module, target in imports(graph, package)
        if target.split(".")[0] in OURS and target.split(".")[0] not in MAY_IMPORT[package]
    }
    assert not wrong


def test_no_room_imports_in_a_circle(graph: grimp.ImportGraph) -> None:
    """A room has files and smaller rooms; each of these counts as one, with all that is in it."""
    modules = [module for module in graph.modules if module.split(".")[0] in OURS]
    assert len(modules) > 250
    rooms: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for module in modules:
        for target in graph.find_modules_directly_imported_by(module):
            here, there = module.split("."), target.split(".")
            common = next((i for i, pair in enumerate(zip(here, there, strict=False)) if len(set(pair)) > 1), None)
            if common is not None:  # else one is the room of the other
                room = ".".join(here[:common])
                rooms[room][".".join(here[: common + 1])].add(".".join(there[: common + 1]))
            elif len(here) > len(there):
                rooms[target][".".join(here[: len(there) + 1])].add(target)
            else:
                rooms[module][module].add(".".join(there[: len(here) + 1]))
    circles = []
    for imported in rooms.values():
        try:
            TopologicalSorter(imported).prepare()
        except CycleError as error:
            circles.append(" imports ".join(reversed(error.args[1])))
    assert circles == []


def test_models_use_only_torch_numpy_and_the_standard_library(graph: grimp.ImportGraph) -> None:
    allowed = {"torch", "numpy", "models", *sys.stdlib_module_names}
    others = {pair for pair in imports(graph, "models") if pair[1].split(".")[0] not in allowed}
    # A part of torch's builds for GPUs; imported only where its kernel is forced.
    assert {(module, target.split(".")[0]) for module, target in others} <= {("models.core.scan.triton", "triton")}


def _loaded_with(module: str, loaded: set[str]) -> set[str]:
    """What is imported when a module of ours is: by its own lines, not by those of its functions."""
    path = Path(__file__).parents[1] / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    loaded.add(module)
    if not file.is_file():
        return loaded
    for line in ast.parse(file.read_text(encoding="utf-8")).body:
        names = [each.name for each in line.names] if isinstance(line, ast.Import | ast.ImportFrom) else []
        if isinstance(line, ast.ImportFrom):
            names = [str(line.module), *(f"{line.module}.{name}" for name in names)]
        for name in names:
            parts = name.split(".")
            for whole in (".".join(parts[:end]) for end in range(1, len(parts) + 1)):
                if whole not in loaded:
                    _loaded_with(whole, loaded)
    return loaded


def test_flows_and_their_workers_begin_without_what_draws() -> None:
    """It takes a second, in each of them; what has pages to draw imports it then."""
    loaded: set[str] = set()
    for flow in ("reproduce", "plan", "ingest", "report"):
        _loaded_with(f"flows.{flow}", loaded)
    assert {"tasks.trials.job", "tasks.report.export", "prefect", "torch"} <= loaded
    assert not {"altair", "vl_convert", "music21"} & loaded


def test_a_finished_campaign_is_known_and_leaves_its_run_without_torch_dask_and_tables() -> None:
    """All that stands between the command and its report: `_was_finished` in flows/cli/commands.py."""
    loaded = _loaded_with("tasks.publishing.finished", set())
    assert "tasks.publishing.publish" in loaded
    assert not {"torch", "prefect", "distributed", "pandas", "rich"} & loaded
    loaded = _loaded_with("flows.finished", set())
    assert "infra.server.run_page" in loaded
    assert not {"torch", "distributed", "prefect_dask", "pandas"} & loaded
