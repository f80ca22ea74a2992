"""Imports run one way: flows -> tasks -> models; flows and tasks use infra; models use nothing of ours."""

import sys

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
        if target.split(".")[0] in OURS
        and target.split(".")[0] not in MAY_IMPORT[package]
        and not module.startswith("infra.cli.")
    }
    assert not wrong


def test_models_use_only_torch_numpy_and_the_standard_library(graph: grimp.ImportGraph) -> None:
    allowed = {"torch", "numpy", "models", *sys.stdlib_module_names}
    others = {pair for pair in imports(graph, "models") if pair[1].split(".")[0] not in allowed}
    # A part of torch's builds for GPUs; imported only where its body is forced.
    assert {(module, target.split(".")[0]) for module, target in others} <= {("models.core.triton_scan", "triton")}
