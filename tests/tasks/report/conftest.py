"""One synthetic campaign and one report for all tests that only look at them."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tasks.report import Estimates, Results, build_report, estimate
from tests.tasks.report.browser import Browser, browser
from tests.tasks.report.evil import evil_results
from tests.tasks.report.other_pages import compared_page, versions_page
from tests.tasks.report.pages_made import drawn_page, undrawn
from tests.tasks.report.synthetic import synthetic_results


@pytest.fixture(scope="session")
def results() -> Results:
    return synthetic_results()


@pytest.fixture(scope="session")
def estimates(results: Results) -> Estimates:
    return estimate(results)


@pytest.fixture(scope="session")
def files(results: Results, estimates: Estimates) -> dict[str, bytes]:
    """The report without its drawings."""
    with undrawn():
        return _report(results, estimates)


@pytest.fixture(scope="session")
def drawn_files(results: Results, estimates: Estimates) -> dict[str, bytes]:
    """The report whole: seconds of drawing, for integration tests."""
    return _report(results, estimates)


@pytest.fixture(scope="session")
def evil_page() -> str:
    """The first page of results whose names are markup."""
    return drawn_page(evil_results())


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, drawn_files: dict[str, bytes]) -> Path:
    """A folder with the report, and beside it the pages that no report has."""
    place = tmp_path_factory.mktemp("report")
    others = {"compared.html": compared_page().encode(), "versions.html": versions_page().encode()}
    for name, data in (drawn_files | others).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The one browser of all tests that look at pages."""
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


def _report(results: Results, estimates: Estimates) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.report.estimate", lambda _: estimates)
        return build_report(results)


@pytest.fixture(scope="session")
def stats() -> ModuleType:
    """scipy.stats, a second to import: by the process that has these tests, and not by every one that collects them."""
    from scipy import stats

    return stats
