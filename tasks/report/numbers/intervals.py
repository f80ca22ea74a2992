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

    A place is a seed of a study. Places that only one variant has are left out: `seeds` is the number of places that
    were compared, `dropped` the number of those left out, and `studies` the number of studies of the compared places.
    With two or more studies, `study_sd` is the standard deviation of the difference over them, and `piece_se` the
    standard error from the pieces alone; otherwise both are NaN.
    """

    seeds: int = 0
    dropped: int = 0
    studies: int = 0
    study_sd: float = float("nan")
    piece_se: float = float("nan")


@dataclass(frozen=True)
class Effect(Estimate):
    """The mean difference that a technique makes over pairs of variants, with the pairs' own differences."""

    pairs: tuple[tuple[str, str, float], ...] = ()
    seeds: tuple[int, ...] = ()
    studies: tuple[int, ...] = ()


def percentile_interval(values_R: FloatArray, level: float = LEVEL) -> tuple[float, float]:
    """The (1 - level) / 2 and (1 + level) / 2 quantiles of some resamples, linearly interpolated."""
    low, high = np.quantile(values_R, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def simultaneous(family: Sequence[Estimate], worded: Sequence[bool], level: float = LEVEL) -> list[tuple[float, float]]:
    """Intervals of a family that hold at once in `level` of the resamples, for the members that may have a verdict.

    Each contains the single interval of its member.

    Args:
        family: the members.
        worded: which of them may have a verdict; the others have an interval of the same level, and widen no other one.
        level: of the family.

    Returns:
        The ends; NaN for a member without an interval of its own.
    """
    drawn = [each.draws_R for each, may in zip(family, worded, strict=True) if may and each.draws_R is not None]
    single = simultaneous_level(drawn, level)
    nothing = (float("nan"), float("nan"))
    return [nothing if each.draws_R is None else percentile_interval(each.draws_R, single) for each in family]


def simultaneous_level(family: Sequence[FloatArray], level: float = LEVEL) -> float:
    """The level of single intervals at which all intervals of a family hold at once in `level` of the resamples.

    In resample r, comparison j is at the depth p_jr = 2 min(share of its draws that are at most as large, share at
    least as large). It is within its interval of level 1 - a if p_jr > a. The result is 1 - a for the largest a at
    which min_j p_jr <= a in at most (1 - level) of the resamples; it is never less than `level`. All members get the
    same level, not the same factor, so a member with few studies, whose tails are long, widens no other one (Beran
    1988, "Balanced simultaneous confidence sets").

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
