"""One synthetic campaign and one report for all tests that only look at them."""

from types import ModuleType

import pytest

from tasks.report import Estimates, Results, build_report, estimate
from tests.tasks.report.pages_made import undrawn
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


def _report(results: Results, estimates: Estimates) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.report.estimate", lambda _: estimates)
        return build_report(results)


@pytest.fixture(scope="session")
def stats() -> ModuleType:
    """scipy.stats, a second to import: by the process that has these tests, and not by every one that collects them."""
    from scipy import stats

    return stats
