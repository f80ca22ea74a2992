"""One number over several corpora: interquartile mean, performance profile, probability of improvement.

Agarwal, Schwarzer, Castro, Courville & Bellemare 2021, "Deep Reinforcement Learning at the Edge of the Statistical
Precipice", arXiv:2108.13264, section 4. A run is one training, and has a score that is normalised, so that runs on
different corpora can be ranked together. A run that diverged or learned nothing has the score minus infinity: it is
worse than every other one, and no number is made up for it. Corpora count alike, units (studies) of a corpus alike,
runs of a unit alike: run i of unit s of corpus c has the weight w = 1 / (C N_c n_cs).

The uncertainty is that of the units, which are independent of each other; corpora are taken as they are. It comes from
a jackknife in strata: theta_(cs) is the number without unit s of corpus c, and theta_(c.) the mean of these over s,

    a_cs = sqrt((N_c - 1) / N_c) (theta_(cs) - theta_(c.))      v_c = sum_s a_cs^2      V = sum_c v_c

is its variance (Efron & Stein 1981), with f = V^2 / sum_c v_c^2 / (N_c - 1) degrees of freedom (Satterthwaite 1946).
Of a mean these are exactly the variance and the degrees of freedom of Welch's test. Agarwal et al. draw bootstrap
resamples of the runs of each corpus, which of few runs are too narrow.

What this does not do: normalise a score, or know a variant. Shape letters: U units of all corpora together, R
resamples, T thresholds or other numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from tasks.report.metrics import FloatArray

Runs = Sequence[Sequence[FloatArray]]
"""Of each corpus, of each unit, the scores of its runs."""
_NEGLIGIBLE = 1e-12


def interquartile_mean(runs: Runs) -> float:
    """The mean of the middle half of the runs of all corpora, a quarter cut off at each end.

    The quarter is cut exactly, with a part of a run where it does not come out even. It does not exist (NaN) where more
    than a quarter of the runs have no score.

    >>> interquartile_mean([[np.array([0.0]), np.array([1.0]), np.array([2.0]), np.array([9.0])]])
    1.5
    """
    scores, weights = _pooled(runs)
    order = np.argsort(scores, kind="stable")
    ends = np.cumsum(weights[order])
    inside = np.minimum(ends, 0.75) - np.maximum(ends - weights[order], 0.25)
    kept = inside > _NEGLIGIBLE
    value = float((inside[kept] @ scores[order][kept]) / inside[kept].sum())
    return value if np.isfinite(value) else float("nan")


def share_above(runs: Runs, thresholds_T: FloatArray) -> FloatArray:
    """The performance profile: the share of the runs whose score is above each threshold, (T,).

    >>> share_above([[np.array([0.5, 1.0])], [np.array([0.0])]], np.array([0.0, 0.5])).tolist()
    [0.5, 0.25]
    """
    scores, weights = _pooled(runs)
    return np.asarray(weights @ (scores[:, None] > thresholds_T))


def improvement(runs: Runs, others: Runs) -> float:
    """The probability that a run of the first is better than one of the second on the same corpus, in the mean of them.

    Mann and Whitney's statistic a corpus: all pairs of runs, a tie is half a win.

    >>> improvement([[np.array([1.0]), np.array([3.0])]], [[np.array([2.0]), np.array([3.0])]])
    0.375
    """
    shares = []
    for mine, theirs in zip(runs, others, strict=True):
        (x, x_weights), (y, y_weights) = _pooled([mine]), _pooled([theirs])
        wins = (x[:, None] > y) + 0.5 * (x[:, None] == y)
        shares.append(x_weights @ wins @ y_weights)
    return float(np.mean(shares))


def _pooled(runs: Runs) -> tuple[FloatArray, FloatArray]:
    """The scores of all runs with their weights, which sum to 1."""
    scores = np.concatenate([unit for units in runs for unit in units])
    each = [1 / (len(runs) * len(units) * len(unit)) for units in runs for unit in units]
    return scores, np.repeat(each, [len(unit) for units in runs for unit in units])


@dataclass(frozen=True, eq=False)
class Spread:
    """How far a number is off, from what it is without each unit.

    Attributes:
        influences: a_cs of the units of each corpus.
        extra: variance beside that of the units.
    """

    influences: tuple[FloatArray, ...]
    extra: float = 0.0

    @cached_property
    def variance(self) -> float:
        """Of the number."""
        return self.extra + sum(float(a_N @ a_N) for a_N in self.influences)

    @cached_property
    def freedom(self) -> float:
        """Degrees of freedom of the variance; the extra part has as many as there are units."""
        units = sum(map(len, self.influences))
        parts = [(float(a_N @ a_N), len(a_N) - 1) for a_N in self.influences]
        return self.variance**2 / sum(part**2 / freedom for part, freedom in [*parts, (self.extra, units)])

    def half_width(self, level: float) -> float:
        """Half of the interval of that level, by Student's t."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, (1 + level) / 2)) * sqrt(self.variance) if self.variance else 0.0

    def draw(self, normal_RU: FloatArray, generator: np.random.Generator) -> FloatArray:
        """Draws of what the number is off by, (R,): Student's t, from the shared multipliers of the units."""
        spread_R = normal_RU @ np.concatenate(self.influences)
        if self.extra:
            spread_R = spread_R + sqrt(self.extra) * generator.standard_normal(len(spread_R))
        return np.asarray(spread_R * np.sqrt(self.freedom / generator.chisquare(self.freedom, len(spread_R))))


Kept = Sequence[Sequence[int]]
"""Of each corpus the numbers of the units that are taken."""


def jackknife(statistic: Callable[[Kept], FloatArray], units: Sequence[int]) -> list[Spread | None]:
    """The spread of each of some numbers over units in strata.

    Args:
        statistic: the numbers (T,) from some of the units of each corpus.
        units: how many each corpus has.

    Returns:
        One for each number; None where it does not exist without one of the units, or where a corpus has a single unit:
        nothing tells it then.
    """
    every = [list(range(number)) for number in units]
    if min(units) < 2:
        return [None] * len(statistic(every))
    influences = []
    for c, number in enumerate(units):
        rest_NT = np.array(
            [statistic([*every[:c], [u for u in every[c] if u != s], *every[c + 1 :]]) for s in range(number)]
        )
        influences.append(sqrt((number - 1) / number) * (rest_NT - rest_NT.mean(axis=0)))
    exists_T = np.isfinite(np.concatenate(influences)).all(axis=0)
    return [Spread(tuple(a_NT[:, t] for a_NT in influences)) if there else None for t, there in enumerate(exists_T)]


def of_share(share: float, spread: Spread) -> tuple[float, Spread]:
    """Middle and spread of the interval of a share, so that one of 0 or 1 has a width.

    As if two more units had been made, one that speaks for each side: m' = (U m + 1) / (U + 2), and the variance has
    ((m - m')^2 U + m'^2 + (1 - m')^2) / (U + 2)^2 beside that of the units times (U / (U + 2))^2. Of one share of U
    independent draws this is the interval of Agresti and Coull (1998) with two more draws.
    """
    units = sum(map(len, spread.influences))
    middle = (units * share + 1) / (units + 2)
    extra = (units * (share - middle) ** 2 + middle**2 + (1 - middle) ** 2) / (units + 2) ** 2
    return middle, Spread(tuple(a_N * units / (units + 2) for a_N in spread.influences), extra)
