"""One number over several corpora: interquartile mean, performance profile, probability of improvement.

Agarwal, Schwarzer, Castro, Courville & Bellemare 2021, "Deep Reinforcement Learning at the Edge of the Statistical
Precipice", arXiv:2108.13264, section 4. A run is one training. Its score is normalised, so that runs on different
corpora can be ranked together. A run that diverged or learned nothing has the score minus infinity: it is worse than
every other one, and no number is invented for it. Corpora have equal weight, as have the units (studies) of a corpus,
and the runs of a unit: run i of unit s of corpus c has the weight w = 1 / (C N_c n_cs).

The uncertainty is that of the units, which are independent of each other; the corpora count as fixed. It comes from a
jackknife in strata (`jackknife.py`). Agarwal et al. draw bootstrap resamples of the runs of each corpus, which are too
narrow for few runs.

What this does not do: normalise a score, or know a variant. Shape letter: T thresholds.
"""

from collections.abc import Sequence

import numpy as np

from tasks.report.numbers.jackknife import Spread
from tasks.report.numbers.metrics import FloatArray

Runs = Sequence[Sequence[FloatArray]]
"""Of each corpus, of each unit, the scores of its runs."""
_NEGLIGIBLE = 1e-12


def interquartile_mean(runs: Runs) -> float:
    """The mean of the middle half of the runs of all corpora; a quarter is cut off at each end.

    If the quarter is not a whole number of runs, a part of a run is cut. The result is NaN if more than a quarter of
    the runs have no score.

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
    """The probability that a run of the first is better than a run of the second on the same corpus.

    It is the mean over corpora of Mann and Whitney's statistic over all pairs of runs, in which a tie is half a win.

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


def of_share(share: float, spread: Spread) -> tuple[float, Spread]:
    """Middle and spread of the interval of a share, so that the interval of 0 or 1 has a width.

    Two units are added, one that speaks for each side: m' = (U m + 1) / (U + 2). The variance is the sum of
    ((m - m')^2 U + m'^2 + (1 - m')^2) / (U + 2)^2 and of that of the units times (U / (U + 2))^2. For one share of U
    independent draws this is the interval of Agresti and Coull (1998) with two more draws.
    """
    units = sum(map(len, spread.influences))
    middle = (units * share + 1) / (units + 2)
    extra = (units * (share - middle) ** 2 + middle**2 + (1 - middle) ** 2) / (units + 2) ** 2
    return middle, Spread(tuple(a_N * units / (units + 2) for a_N in spread.influences), extra)
