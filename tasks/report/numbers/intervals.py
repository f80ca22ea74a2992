"""Intervals from resamples: of one number, and of a family of numbers that hold all at once.

What this does not do: draw a resample. Shape letter: R resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tasks.report.numbers.metrics import FloatArray

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; NaN where there is none (no score, or nothing that could be resampled).

    Attributes:
        draws_R: the resamples that the interval is of; None where there is none.
    """

    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    draws_R: FloatArray | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Difference(Estimate):
    """How much better one variant is than another; positive is better.

    Places (a seed of a study) that only one of them has are left out of the pair: `seeds` were compared, `dropped` were
    not. `studies` is how many studies the compared ones are of. With two or more, `study_sd` is the standard deviation
    of the difference over them, and `piece_se` the standard error that comes from the pieces alone; else NaN.
    """

    seeds: int = 0
    dropped: int = 0
    studies: int = 0
    study_sd: float = float("nan")
    piece_se: float = float("nan")


@dataclass(frozen=True)
class Effect(Estimate):
    """The mean difference that a technique makes over pairs of variants; each pair's own, its seeds and studies."""

    pairs: tuple[tuple[str, str, float], ...] = ()
    seeds: tuple[int, ...] = ()
    studies: tuple[int, ...] = ()


def percentile_interval(values_R: FloatArray, level: float = LEVEL) -> tuple[float, float]:
    """The percentiles that cut off (1 - level) / 2 at each end, linearly interpolated."""
    low, high = np.quantile(values_R, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def simultaneous(family: Sequence[Estimate], worded: Sequence[bool], level: float = LEVEL) -> list[tuple[float, float]]:
    """Intervals of which those of the members that may have a word hold all at once in `level` of the resamples.

    Each contains the single interval of its member.

    Args:
        family: the members.
        worded: which of them may have a word; the others have an interval of the same level, and make none wider.
        level: of the family.

    Returns:
        The ends, NaN where a member has no interval of its own.
    """
    drawn = [each.draws_R for each, may in zip(family, worded, strict=True) if may and each.draws_R is not None]
    single = simultaneous_level(drawn, level)
    nothing = (float("nan"), float("nan"))
    return [nothing if each.draws_R is None else percentile_interval(each.draws_R, single) for each in family]


def simultaneous_level(family: Sequence[FloatArray], level: float = LEVEL) -> float:
    """The level of single intervals at which all intervals of a family hold at once in `level` of the resamples.

    Comparison j is in resample r at the depth p_jr = 2 min(share of its draws that are at most as large, share at least
    as large), and within its interval of level 1 - a where p_jr > a. The answer is 1 - a for the largest a at which
    min_j p_jr <= a in at most (1 - level) of the resamples; never less than `level`. All members get the same level and
    not the same factor, so that one with few studies, whose tails are long, makes no other wider (Beran 1988, "Balanced
    simultaneous confidence sets").

    Args:
        family: the resamples (R,) of each comparison, r the same in all of them.
        level: of the family.
    """
    if not family:
        return level
    shallowest_R = np.sort(np.min([_depth(draws_R) for draws_R in family], axis=0))
    resamples = len(shallowest_R)
    deep = shallowest_R[int((1 - level) * resamples)]  # the first that has to be within
    return max(level, 1 - (float(deep) - 2 / resamples))


def _depth(draws_R: FloatArray) -> FloatArray:
    order_R, resamples = np.argsort(draws_R, kind="stable"), len(draws_R)
    if draws_R[order_R[0]] == draws_R[order_R[-1]]:
        return np.ones(resamples)
    below_R = np.empty(resamples)
    below_R[order_R] = np.arange(1, resamples + 1)
    return np.asarray(2 * np.minimum(below_R, resamples + 1 - below_R) / resamples)
