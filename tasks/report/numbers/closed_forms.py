"""Intervals by formula, for numbers that are measured once for each study or each draw of the search.

Studies are independent of each other, and so are draws. Each study or draw is one number here, even if that number is a
mean. What this does not do: resample pieces (`statistics.py`), or know a trial.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

NAN = float("nan")


class Interval(NamedTuple):
    """A value with the ends of its interval; NaN where there is none."""

    value: float = NAN
    low: float = NAN
    high: float = NAN


def mean_interval(values: Sequence[float], level: float, rounding: float = 0.0) -> Interval:
    """The mean of independent numbers with its interval, m -+ t s / sqrt(n).

    t is of Student's distribution with n - 1 degrees of freedom.

    Args:
        values: one number for each study; a single one has no interval.
        level: of the interval.
        rounding: lower bound of s^2: the variance that the numbers have because they come from rounded values.
    """
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        return Interval(values[0]) if n else Interval()
    mean, variance = float(np.mean(values)), max(float(np.var(values, ddof=1)), rounding)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * sqrt(variance / n)
    return Interval(mean, mean - half, mean + half)


def share_interval(part: int, whole: int, level: float) -> Interval:
    """A share of independent draws, with the exact interval of Clopper and Pearson (1934).

    For k of n draws the ends are quantiles of beta distributions: (1 - level) / 2 of Beta(k, n - k + 1), and
    (1 + level) / 2 of Beta(k + 1, n - k); the low end is 0 for k = 0, and the high end 1 for k = n.

    Args:
        part: k, from 0 to n.
        whole: n; there is neither value nor interval for 0.
        level: of the interval.

    >>> tuple(round(each, 4) for each in share_interval(0, 9, 0.95))
    (0.0, 0.0, 0.3363)
    """
    from scipy.special import betaincinv

    if whole == 0:
        return Interval()
    tail = (1 - level) / 2
    low = 0.0 if part == 0 else float(betaincinv(part, whole - part + 1, tail))
    high = 1.0 if part == whole else float(betaincinv(part + 1, whole - part, 1 - tail))
    return Interval(part / whole, low, high)


def paired_share_interval(differences: Sequence[float], level: float) -> Interval:
    """The mean of paired differences of shares, with its interval; each draw is one number in [-1, 1].

    For one pair of variants a difference is -1, 0 or 1, and this is the interval of Bonett and Price (2012). It adds
    two draws, one that speaks for each side:

        m' -+ t sqrt(v' / (n + 2)),   m' and v' the mean and the variance of the n differences with -1 and 1

    So the interval has a width even if all draws ended alike. For several pairs, which share their draws, a draw is the
    mean over the pairs. Bonett and Price use the normal quantile; here it is Student's t with n + 1 degrees of freedom.

    >>> tuple(round(each, 3) for each in paired_share_interval([0.0] * 36, 0.95))
    (0.0, -0.075, 0.075)
    """
    from scipy.special import stdtrit

    n = len(differences)
    if n == 0:
        return Interval()
    more = np.array([*differences, -1.0, 1.0])
    half = float(stdtrit(n + 1, (1 + level) / 2)) * sqrt(float(more.var()) / (n + 2))
    middle = float(more.mean())
    return Interval(float(np.mean(differences)), max(-1.0, middle - half), min(1.0, middle + half))


def shared_level(level: float, comparisons: int) -> float:
    """The level at which so many intervals hold at once in at least `level` of the cases (Bonferroni).

    >>> round(shared_level(0.95, 5), 12)
    0.99
    """
    return 1 - (1 - level) / max(1, comparisons)
