"""Percentiles, and the level of a family against a search through all levels."""

import numpy as np
import pytest

from tasks.report.numbers.intervals import Estimate, percentile_interval, simultaneous, simultaneous_level


def _held(family: list[np.ndarray], level: float) -> float:
    """The share of resamples in which every member lies within its percentiles."""
    inside = [
        (ends[0] <= draws) & (draws <= ends[1]) for draws in family if (ends := percentile_interval(draws, level))
    ]
    return float(np.all(inside, axis=0).mean())


def test_percentiles():
    assert percentile_interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_the_level_of_a_family_is_the_lowest_that_holds(correlation):
    rng, resamples = np.random.default_rng(3), 1000
    shared = np.sqrt(correlation) * rng.normal(size=resamples)
    family = [shared + np.sqrt(1 - correlation) * rng.normal(size=resamples) for _ in range(4)]
    family.append(50 * rng.standard_t(1, resamples))  # long tails change nothing but its own interval
    found = simultaneous_level(family)
    candidates = 1 - np.arange(1, resamples // 2) * 2 / resamples
    lowest = min(level for level in candidates if level >= 0.95 and _held(family, level) >= 0.95)
    assert found == pytest.approx(lowest, abs=2.1 / resamples)
    assert _held(family, found) >= 0.95


def test_more_comparisons_need_a_higher_level_and_equal_ones_do_not():
    rng = np.random.default_rng(4)
    family = [rng.normal(size=20_000) for _ in range(10)]
    levels = [simultaneous_level(family[:number]) for number in (0, 1, 3, 10)]
    assert levels[:2] == pytest.approx([0.95, 0.95], abs=2e-4)
    assert levels[2:] == pytest.approx([0.95 ** (1 / 3), 0.95**0.1], abs=2e-3)
    assert simultaneous_level(family[:1] * 10) == pytest.approx(0.95, abs=2e-4)


def test_what_never_varies_makes_nobody_wider():
    draws = np.random.default_rng(5).normal(size=400)
    assert simultaneous_level([draws, np.zeros(400)]) == simultaneous_level([draws])
    assert simultaneous_level([np.zeros(400)]) == 0.95


def test_simultaneous_intervals_hold_the_single_ones():
    rng = np.random.default_rng(6)
    drawn = [scale * rng.normal(size=2000) for scale in (1, 10)]
    family = [Estimate(0.0, *percentile_interval(draws), draws) for draws in drawn]
    first, missing, second, single = simultaneous(
        [family[0], Estimate(), family[1], family[1]], [True, True, True, False]
    )
    assert single == second, "the same level"
    alone = simultaneous(family, [True, False])
    assert np.ravel(alone) == pytest.approx([e for each in family for e in (each.low, each.high)], rel=0.02)
    for ends, single, scale in ((first, family[0], 1), (second, family[1], 10)):
        assert ends[0] < single.low < single.high < ends[1]
        assert ends[1] == pytest.approx(2.24 * scale, rel=0.15)
