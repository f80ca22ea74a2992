"""Numbers over several corpora against closed forms, plain loops and simulated coverage."""

from itertools import product
from math import sqrt

import numpy as np
import pytest

from tasks.report.numbers.jackknife import Spread, jackknife
from tasks.report.over_corpora.strata import improvement, interquartile_mean, of_share, share_above


def _runs(*corpora: list[list[float]]) -> list[list[np.ndarray]]:
    return [[np.array(unit) for unit in units] for units in corpora]


def _kept(runs, kept):
    return [[units[u] for u in of_it] for units, of_it in zip(runs, kept, strict=True)]


def _many(runs):
    return [len(units) for units in runs]


def test_the_interquartile_mean_is_a_trimmed_mean_where_the_quarter_comes_out_even(stats):
    scores = np.random.default_rng(0).normal(size=(2, 6))
    runs = [[np.array([score]) for score in row] for row in scores]
    assert interquartile_mean(runs) == pytest.approx(stats.trim_mean(scores.ravel(), 0.25))


def test_of_five_runs_one_and_a_quarter_are_cut_at_each_end():
    runs = _runs([[1.0], [2.0], [3.0], [4.0], [50.0]])
    assert interquartile_mean(runs) == pytest.approx((0.75 * 2 + 3 + 0.75 * 4) / 2.5)


def test_corpora_units_and_runs_count_alike(stats):
    """A corpus of many runs is no more than another: as if every run of the other stood there as often."""
    uneven = _runs([[0.0, 1.0], [5.0]], [[2.0], [3.0], [4.0], [9.0]])
    repeated = np.repeat([0.0, 1.0, 5.0, 2.0, 3.0, 4.0, 9.0], [2, 2, 4, 2, 2, 2, 2])
    assert interquartile_mean(uneven) == pytest.approx(stats.trim_mean(repeated, 0.25))
    assert share_above(uneven, np.array([1.0, 4.5])).tolist() == [np.mean(repeated > 1), np.mean(repeated > 4.5)]


def test_lost_runs_are_the_worst_and_a_quarter_of_them_is_the_most():
    lost = -np.inf
    assert interquartile_mean(_runs([[lost], [1.0], [2.0], [3.0]])) == pytest.approx(1.5)
    assert np.isnan(interquartile_mean(_runs([[lost], [lost], [1.0], [2.0]])))
    assert share_above(_runs([[lost], [1.0]]), np.array([-1e9])).tolist() == [0.5]
    assert improvement(_runs([[lost], [1.0]]), _runs([[lost], [0.0]])) == pytest.approx((0.5 + 0 + 1 + 1) / 4)


def test_the_probability_of_improvement_is_that_of_all_pairs_a_corpus(stats):
    rng = np.random.default_rng(1)
    mine, plain = ([[rng.integers(0, 4, 2).astype(float) for _ in range(n)] for n in (3, 4)] for _ in range(2))
    corpora = []
    for x, y in zip(mine, plain, strict=True):
        wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(np.concatenate(x), np.concatenate(y))]
        corpora.append(np.mean(wins))
        assert np.mean(wins) == pytest.approx(
            stats.mannwhitneyu(np.concatenate(x), np.concatenate(y)).statistic / len(wins)
        )
    assert improvement(mine, plain) == pytest.approx(np.mean(corpora))
    assert improvement(plain, mine) == pytest.approx(1 - np.mean(corpora))


def test_the_spread_of_a_mean_is_that_of_welchs_test(stats):
    first, second = np.array([1.0, 2.0, 4.0]), np.array([10.0, 14.0, 11.0, 19.0, 12.0])
    sign = {0: 1, 1: -1}
    (spread,) = jackknife(
        lambda kept: np.array([sum(sign[c] * np.mean((first, second)[c][k]) for c, k in enumerate(kept))]), [3, 5]
    )
    welch = stats.ttest_ind(first, second, equal_var=False)
    low, high = welch.confidence_interval(0.9)
    assert spread.freedom == pytest.approx(welch.df)
    assert spread.variance == pytest.approx(first.var(ddof=1) / 3 + second.var(ddof=1) / 5)
    assert spread.half_width(0.9) == pytest.approx((high - low) / 2)


def test_draws_are_those_of_students_t_and_correlate_as_the_multipliers_say(stats):
    spread = Spread((np.array([0.3, -0.3]), np.array([0.1, 0.1, -0.2])), extra=0.05)
    normal_RU = np.random.default_rng(0).standard_normal((20_000, 5))
    drawn, again = (spread.draw(normal_RU, np.random.default_rng(seed)) for seed in (1, 2))
    freedom = spread.variance**2 / (0.18**2 / 1 + 0.06**2 / 2 + 0.05**2 / 5)
    assert spread.freedom == pytest.approx(freedom)
    assert np.quantile(drawn, 0.975) == pytest.approx(spread.half_width(0.95), rel=0.05)
    assert stats.spearmanr(drawn, again).statistic > 0.6, "the units are the same, the scales are not"


def test_what_one_unit_tells_has_no_spread():
    runs = _runs([[1.0]], [[2.0], [3.0]])
    assert jackknife(lambda kept: share_above(_kept(runs, kept), np.array([0.5, 1.5])), _many(runs)) == [None, None]


def test_a_number_that_needs_every_unit_has_no_spread_and_its_neighbour_has_one():
    """Without one of the good units more than a quarter of the runs have no score."""
    runs = _runs([[-np.inf], [1.0], [2.0], [3.0]])
    without, beside = jackknife(
        lambda kept: np.array([interquartile_mean(_kept(runs, kept)), float(len(kept[0]))]), _many(runs)
    )
    assert without is None
    assert beside is not None
    assert beside.variance == 0
    assert beside.half_width(0.95) == 0


def test_the_interval_of_a_share_of_one_corpus_is_that_of_agresti_and_coull_but_for_the_quantile():
    wins = [1.0] * 7 + [0.0] * 3
    (spread,) = jackknife(lambda kept: np.array([np.mean([wins[u] for u in kept[0]])]), [10])
    middle, widened = of_share(0.7, spread)
    assert middle == pytest.approx(8 / 12)
    assert widened.variance == pytest.approx(middle * (1 - middle) / 12, rel=0.1), "n - 1 in place of n of the units"
    certain, wide = of_share(1.0, Spread((np.zeros(4), np.zeros(4))))
    assert certain == pytest.approx(0.9)
    assert sqrt(wide.variance) == pytest.approx(sqrt(0.9 * 0.1 / 10))
    assert wide.freedom == pytest.approx(8)


def test_intervals_of_two_studies_hold_the_truth_as_often_as_they_say(stats):
    """A bootstrap, or a normal quantile, would hold it in four of five cases."""
    rng, studies, times = np.random.default_rng(0), 2, 70
    means, gain, spread = np.array([0.3, 0.5, 0.52, 0.9]), 0.03, 0.05
    grid = stats.norm.ppf((np.arange(2_000) + 0.5) / 2_000, scale=spread)
    truth = interquartile_mean([[mean + grid] for mean in means])
    better = stats.norm.cdf(gain / (spread * sqrt(2)))
    held = {"mean": 0, "better": 0}
    for _ in range(times):
        plain = [[np.array([x]) for x in rng.normal(mean, spread, studies)] for mean in means]
        other = [[np.array([x]) for x in rng.normal(mean + gain, spread, studies)] for mean in means]
        at = _many(plain)
        (of_mean,) = jackknife(lambda kept, runs=plain: np.array([interquartile_mean(_kept(runs, kept))]), at)
        held["mean"] += abs(interquartile_mean(plain) - truth) <= of_mean.half_width(0.95)
        (of_gain,) = jackknife(
            lambda kept, mine=other, runs=plain: np.array([improvement(_kept(mine, kept), _kept(runs, kept))]), at
        )
        middle, widened = of_share(improvement(other, plain), of_gain)
        held["better"] += abs(middle - better) <= widened.half_width(0.95)
    assert all(0.92 * times <= hits <= times for hits in held.values()), held
