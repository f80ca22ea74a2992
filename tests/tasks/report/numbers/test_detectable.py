"""How small a difference can be told: closed forms, and the intervals that the report makes of such campaigns."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest

from tasks.report.numbers.detectable import half_width
from tasks.report.numbers.intervals import simultaneous
from tasks.report.numbers.metrics import METRICS
from tasks.report.numbers.scored import ScoredPieces
from tasks.report.numbers.statistics import Bootstrap

LOG_LIKELIHOOD = METRICS["music"][0]
(PERPLEXITY,) = METRICS["words"]


def _scored(values: dict[str, np.ndarray]) -> ScoredPieces:
    """One step a piece; of each variant a row a study of the log-likelihoods of the pieces."""
    shared = {"seed": 0, "steps": 1, "accuracy": np.nan, "union_accuracy": np.nan, "success": np.nan}
    return ScoredPieces.from_frame(
        pd.DataFrame(
            shared | {"variant": variant, "study": study, "piece": piece, "log_likelihood": value}
            for variant, rows in values.items()
            for study, row in enumerate(rows)
            for piece, value in enumerate(row)
        ).assign(log_likelihood_error=np.nan)
    )


@pytest.mark.parametrize("studies", [2, 3, 5])
def test_one_difference_of_exact_pieces_has_the_interval_of_student(studies, stats):
    expected = stats.t.ppf(0.975, studies - 1) * 0.1 / sqrt(studies)
    assert half_width(0.1, 0.0, studies, 40, family=1) == pytest.approx(expected, rel=0.08)


def test_one_difference_of_studies_that_agree_has_that_of_the_pieces(stats):
    assert half_width(0.0, 0.1, 5, 20, family=1) == pytest.approx(stats.t.ppf(0.975, 19) * 0.1, rel=0.02)
    assert half_width(0.0, 0.1, 5, 2000, family=1) == pytest.approx(0.196, rel=0.02)


def test_both_parts_add_as_squares_nearly(stats):
    parts = stats.t.ppf(0.975, 4) * 0.1 / sqrt(5), 1.96 * 0.06
    assert half_width(0.1, 0.06, 5, 2000, family=1) == pytest.approx(np.hypot(*parts), rel=0.04)


def test_more_studies_tell_smaller_differences_and_larger_families_less():
    widths = [half_width(0.1, 0.01, studies, 40, family=7) for studies in (2, 3, 5, 10)]
    assert widths == sorted(widths, reverse=True)
    assert half_width(0.1, 0.01, 5, 40, family=3) < widths[2] < half_width(0.1, 0.01, 5, 40, family=20)
    assert half_width(0.2, 0.02, 5, 40, family=7) == pytest.approx(2 * widths[2])


def test_a_difference_knows_its_spread_over_studies_and_pieces():
    rng = np.random.default_rng(0)
    plain, other = rng.normal(-2, 0.3, (2, 4, 30))
    found = Bootstrap(_scored({"SGD": plain, "SGD+C": other}), "c").difference(LOG_LIKELIHOOD, "SGD+C", "SGD")
    gap = other - plain
    assert found.study_sd == pytest.approx(gap.mean(1).std(ddof=1))
    assert found.piece_se == pytest.approx(gap.mean(0).std(ddof=1) / sqrt(30), rel=0.03)
    two = Bootstrap(_scored({"SGD": plain[:2], "SGD+C": other[:2]}), "c").difference(LOG_LIKELIHOOD, "SGD+C", "SGD")
    assert two.study_sd == pytest.approx(gap[:2].mean(1).std(ddof=1)), "two studies are enough to have one"
    worse = Bootstrap(_scored({"SGD": plain, "SGD+C": other}), "c").difference(PERPLEXITY, "SGD+C", "SGD")
    assert worse.study_sd == pytest.approx((np.exp(-other.mean(1)) - np.exp(-plain.mean(1))).std(ddof=1))
    assert worse.piece_se == pytest.approx(found.piece_se * np.exp(2), rel=0.15), "exp(2) is the slope at -2 nats"
    one = Bootstrap(_scored({"SGD": plain[:1], "SGD+C": other[:1]}), "c").difference(LOG_LIKELIHOOD, "SGD+C", "SGD")
    assert np.isnan([one.study_sd, one.piece_se]).all()


def test_it_is_the_width_of_the_intervals_that_the_report_makes():
    studies, variants, pieces = 5, 5, 25
    rng, ratios = np.random.default_rng(0), []
    names = [f"SGD+{number}" for number in range(variants)]
    for _ in range(3):
        values = {
            name: -8 + rng.normal(0, 0.1, (studies, 1)) + rng.normal(0, 0.3, (studies, pieces))
            for name in ("SGD", *names)
        }
        bootstrap = Bootstrap(_scored(values), "c", resamples=3_000)
        family = [bootstrap.difference(LOG_LIKELIHOOD, name, "SGD") for name in names]
        made = [(high - low) / 2 for low, high in simultaneous(family, [True] * variants)]
        told = [half_width(each.study_sd, each.piece_se, studies, pieces, variants) for each in family]
        ratios.append(np.median(told) / np.median(made))
    assert np.mean(ratios) == pytest.approx(1, abs=0.1), ratios
