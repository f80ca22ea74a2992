"""The pages that no report has: of two versions beside each other, and of all versions of a store."""

from tasks.report.compared import compare_results, render_comparison
from tasks.report.pages.versions import Best, Version, render_versions
from tests.tasks.report.compared.versions import LEVELS, C, version

NAMES = ("20260102T030405Z-1a2b3c4d", "20260103T030405Z-1a2b3c4d")


def compared_page() -> str:
    """Of four variants one regressed."""
    return render_comparison(compare_results(version(1), version(2, LEVELS | {C: -9.6}, rungs=3), NAMES, 200))


def versions_page() -> str:
    """Three nights on two corpora, the first on other data."""
    return render_versions([_version(day) for day in (14, 13, 12)], 300)


def _version(day: int) -> Version:
    digest = ("e" if day == 12 else "d") * 64
    bests = [("bach-chorales", "log_likelihood", -9.0), ("folk-tunes-words", "perplexity", 180.0)]
    return Version(
        name=f"202601{day}T030405Z-1a2b3c4d",
        created=f"2026-01-{day}T03:04:05+00:00",
        preset="default",
        changes=(),
        commit="0f1e2d3c4b5a",
        line="",
        bests=tuple(
            Best(corpus, digest, "rnn/bernoulli/SGD+CLRM", metric, mean + day / 50, mean - 0.2, mean + 0.5)
            for corpus, metric, mean in bests
        ),
    )
