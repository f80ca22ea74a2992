"""Intervals by formula: against tables, against exact sums over all outcomes, and their promises."""

from math import comb, isnan, sqrt

import numpy as np
import pytest

from tasks.report.numbers.closed_forms import mean_interval, paired_share_interval, share_interval, shared_level


def test_a_mean_has_the_interval_of_student():
    """t of 4 degrees of freedom at 97.5 % is 2.776445 in every table, that of 1 at 95 % is 6.313752."""
    value, low, high = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0], 0.95)
    half = 2.776445 * sqrt(2.5 / 5)
    assert (value, low, high) == pytest.approx((3.0, 3 - half, 3 + half), rel=1e-5)
    value, low, high = mean_interval([0.0, 2.0], 0.9)
    assert (low, high) == pytest.approx((1 - 6.313752, 1 + 6.313752), rel=1e-5)


def test_one_number_has_no_interval_and_none_no_value():
    alone = mean_interval([4.0], 0.95)
    assert (alone.value, isnan(alone.low), isnan(alone.high)) == (4.0, True, True)
    assert all(isnan(each) for each in (*mean_interval([], 0.95), *share_interval(0, 0, 0.95)))
    assert all(isnan(each) for each in paired_share_interval([], 0.95))


def test_rounded_numbers_that_are_equal_have_an_interval_with_a_width():
    assert mean_interval([2.0, 2.0, 2.0, 2.0, 2.0], 0.95)[1:] == (2.0, 2.0)
    _, low, high = mean_interval([2.0, 2.0, 2.0, 2.0, 2.0], 0.95, rounding=2.5)
    assert high - low == pytest.approx(2 * 2.776445 * sqrt(2.5 / 5), rel=1e-5)
    wide = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0], 0.95)
    assert mean_interval([1.0, 2.0, 3.0, 4.0, 5.0], 0.95, rounding=0.1) == wide, "what varies more is not touched"


@pytest.mark.parametrize(("part", "whole"), [(0, 7), (1, 7), (5, 12), (12, 12)])
def test_the_ends_of_a_share_leave_their_tails(part, whole):
    def at_most(k: int, p: float) -> float:
        return sum(comb(whole, i) * p**i * (1 - p) ** (whole - i) for i in range(k + 1))

    _, low, high = share_interval(part, whole, 0.95)
    assert high == 1.0 if part == whole else at_most(part, high) == pytest.approx(0.025)
    assert low == 0.0 if part == 0 else 1 - at_most(part - 1, low) == pytest.approx(0.025)


def test_paired_shares_are_those_of_bonett_and_price():
    """Of 30 draws 6 speak for, 1 against: (6+1)/32 and (1+1)/32, and t of 31 degrees of freedom, 2.039513."""
    value, low, high = paired_share_interval([1.0] * 6 + [-1.0] + [0.0] * 23, 0.95)
    more, less = 7 / 32, 2 / 32
    half = 2.039513 * sqrt((more + less - (more - less) ** 2) / 32)
    assert (value, low, high) == pytest.approx((5 / 30, more - less - half, more - less + half), rel=1e-5)
    assert paired_share_interval([1.0] * 2, 0.95).high == 1.0


@pytest.mark.parametrize(("more", "less"), [(0.0, 0.0), (0.05, 0.0), (0.3, 0.0), (0.2, 0.2), (0.05, 0.4)])
def test_paired_shares_hold_as_often_as_promised(more, less):
    """The exact coverage: the sum of the probabilities of all outcomes whose interval holds the truth."""
    n, covered = 18, 0.0
    for up in range(n + 1):
        for down in range(n + 1 - up):
            same = n - up - down
            probability = comb(n, up) * comb(n - up, down) * more**up * less**down * (1 - more - less) ** same
            if probability > 0:
                _, low, high = paired_share_interval([1.0] * up + [-1.0] * down + [0.0] * same, 0.95)
                covered += probability * (low <= more - less <= high)
    assert covered > 0.94


def test_means_of_pairs_that_share_their_draws_are_held_as_often_as_promised():
    """Eight pairs that all do as the draw wills: no more is known of them than of one pair."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        shared_N = rng.random(24) < 0.3
        own_NP = rng.random((24, 8)) < 0.1
        _, low, high = paired_share_interval(list((shared_N[:, None] & ~own_NP).mean(1)), 0.95)
        held += low <= 0.3 * 0.9 <= high
    assert held >= 372


def test_so_many_intervals_share_their_misses():
    assert shared_level(0.95, 1) == 0.95
    assert shared_level(0.95, 0) == 0.95
    assert 10 * (1 - shared_level(0.95, 10)) == pytest.approx(0.05)
