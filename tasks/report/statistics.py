"""Bootstrap over seeds and pieces: intervals of a metric, paired differences, effects of a technique.

Every final trial k has a sum x_kp for each piece p of the test split, and piece p has n_p steps. One resample
draws P pieces and N seeds with replacement, independently of each other (seeds and pieces are crossed: every
seed is scored on every piece; Owen 2007, "The pigeonhole bootstrap"). With w_p the number of times that piece p
was drawn and s(1..N) the drawn seeds,

    metric* = link( 1/N sum_i  sum_p w_p x_{s(i) p} / sum_p w_p n_p )

All variants of a corpus see the same w and, where they have equally many seeds, the same s: that is what makes
a difference a paired one. Interval: the 2.5 and 97.5 percentiles of the resamples.

Where a log-likelihood is itself an estimate, its standard error e_kp is common to all pieces of trial k, and every
resample adds z_k e_kp to x_kp, z_k standard normal, the same z_k however often the trial is drawn. Errors also make
seeds differ, so that with several seeds they are counted up to twice, which makes intervals rather too wide.

What it does not cover: the luck of the random search (the chosen configuration is taken as given), and other
corpora. Shape letters: R resamples, K final trials, P pieces, N seeds.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from infra.errors import CampaignError
from tasks.report.metrics import FloatArray, Metric

RESAMPLES = 10_000
LEVEL = 0.95
_SUMS = ("log_likelihood", "accuracy", "union_accuracy", "success")
_ERROR = "log_likelihood_error"
# Numbers drawn at a time: bounds the memory of a corpus with thousands of pieces to some tens of megabytes.
_BLOCK = 2_000_000

Verdict = Literal["better", "worse", "undecided", "tiny", "single"]


def verdict(low: float, high: float, decimals: int | None = None) -> Verdict:
    """What the interval of a difference says; one that contains zero, or that does not exist, says nothing.

    Args:
        low, high: its ends.
        decimals: that are printed; what then lies beside zero by less than they show is `tiny`. None: all of them.

    >>> verdict(0.1, 0.2), verdict(-0.2, -0.1), verdict(0.0, 0.2), verdict(float("nan"), float("nan"))
    ('better', 'worse', 'undecided', 'undecided')
    >>> verdict(0.004, 0.2, 2), verdict(0.006, 0.2, 2)
    ('tiny', 'better')
    """
    if not (low > 0 or high < 0):
        return "undecided"
    if decimals is not None and float(f"{max(low, -high):.{decimals}f}") == 0:
        return "tiny"
    return "better" if low > 0 else "worse"


def effect_verdict(pairs: int, low: float, high: float, decimals: int) -> Verdict:
    """What the effect of a technique says; `single` where one pair of variants alone had to tell it.

    Two variants differ in the configurations that the search chose for them, too: one pair says little of a technique.

    >>> effect_verdict(8, 0.1, 0.2, 2), effect_verdict(1, 0.1, 0.2, 2)
    ('better', 'single')
    """
    return "single" if pairs == 1 else verdict(low, high, decimals)


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; NaN where there is none (no score, or nothing that could be resampled)."""

    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")

    @property
    def decided(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return verdict(self.low, self.high) != "undecided"


@dataclass(frozen=True)
class Difference(Estimate):
    """How much better one variant is than another; positive is better.

    Seeds that only one of them has are left out of the pair: `seeds` were compared, `dropped` were not.
    """

    seeds: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class Effect(Estimate):
    """The mean difference that a technique makes over pairs of variants, each pair's own difference and its seeds."""

    pairs: tuple[tuple[str, str, float], ...] = ()
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class ScoredPieces:
    """The sums of one corpus, ready to be resampled.

    Attributes:
        steps_P: number of steps of each piece.
        trials: (variant, seed) of each final trial.
        sums: for each summed column, float64 (K, P).
        errors_KP: standard errors of the log-likelihoods, 0 where they are exact.
    """

    steps_P: FloatArray
    trials: tuple[tuple[str, int], ...]
    sums: dict[str, FloatArray]
    errors_KP: FloatArray

    @classmethod
    def from_frame(cls, pieces: pd.DataFrame) -> "ScoredPieces":
        """Take the rows of one corpus. Pieces that share a title are one piece.

        Raises:
            CampaignError: a trial was not scored on all the pieces, or on other numbers of steps.
        """
        if pieces.empty:
            return cls(np.zeros(0), (), {column: np.zeros((0, 0)) for column in _SUMS}, np.zeros((0, 0)))
        by_piece = pieces.groupby(["variant", "seed", "piece"])[["steps", *_SUMS, _ERROR]].sum(min_count=1)
        table = by_piece.unstack("piece")
        steps_KP = table["steps"].to_numpy(np.float64)
        for row, (variant, seed) in zip(steps_KP, table.index, strict=True):
            if not np.array_equal(row, steps_KP[0]):
                raise CampaignError(f"{variant}, seed {seed}: not scored once on the same test pieces as the others")
        trials = tuple((str(variant), int(seed)) for variant, seed in table.index)
        sums = {column: table[column].to_numpy(np.float64) for column in _SUMS}
        return cls(steps_KP[0], trials, sums, np.nan_to_num(table[_ERROR].to_numpy(np.float64)))

    def seeds(self, variant: str) -> dict[int, int]:
        """The seeds of a variant that have scores, each with its row in the sums."""
        return {seed: row for row, (name, seed) in enumerate(self.trials) if name == variant}


def generator_for(seed: int, *names: str) -> np.random.Generator:
    """A random generator that belongs to a seed and a name: the same numbers wherever it is asked for."""
    digest = hashlib.sha256("\0".join([str(seed), *names]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def draw_pieces(generator: np.random.Generator, resamples: int, pieces: int) -> FloatArray:
    """How often each piece is drawn when P of P are drawn with replacement: (R, P), each row sums to P."""
    drawn_RP = generator.integers(pieces, size=(resamples, pieces))
    flat = (drawn_RP + pieces * np.arange(resamples)[:, None]).ravel()
    return np.bincount(flat, minlength=resamples * pieces).reshape(resamples, pieces).astype(np.float64)


def percentile_interval(values_R: FloatArray, level: float = LEVEL) -> tuple[float, float]:
    """The percentiles that cut off (1 - level) / 2 at each end, linearly interpolated."""
    low, high = np.quantile(values_R, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


class Bootstrap:
    """Resamples of one corpus, drawn once and shared by all its variants and metrics.

    Args:
        scored: the sums of the corpus.
        name: of the corpus; with `seed` it names the random numbers.
        seed: of the campaign.
        resamples: how many, R.
    """

    def __init__(self, scored: ScoredPieces, name: str, seed: int = 0, resamples: int = RESAMPLES) -> None:
        self._scored = scored
        most = max((len(scored.seeds(variant)) for variant, _ in scored.trials), default=0)
        self._uniform_RN = generator_for(seed, "report", name, "seeds").random((resamples, most))
        normal_RK = self._draw_errors(name, seed, resamples)
        self._means_RK = self._resample_pieces(generator_for(seed, "report", name, "pieces"), normal_RK)
        steps = scored.steps_P.sum()
        self._means_K = {column: sums_KP.sum(1) / steps for column, sums_KP in scored.sums.items()}

    def _draw_errors(self, name: str, seed: int, resamples: int) -> FloatArray:
        """Standard normal numbers for the trials whose log-likelihood is an estimate, 0 for the others, (R, K)."""
        normal_RK = np.zeros((resamples, len(self._scored.trials)))
        for k in np.flatnonzero(self._scored.errors_KP.any(axis=1)):
            variant, own = self._scored.trials[k]
            generator = generator_for(seed, "report", name, "estimates", variant, str(own))
            normal_RK[:, k] = generator.standard_normal(resamples)
        return normal_RK

    def _resample_pieces(self, generator: np.random.Generator, normal_RK: FloatArray) -> dict[str, FloatArray]:
        steps_P, (resamples, trials) = self._scored.steps_P, normal_RK.shape
        means = {column: np.empty((resamples, trials)) for column in self._scored.sums}
        block = max(1, _BLOCK // max(1, len(steps_P)))
        for start in range(0, resamples if trials else 0, block):
            weights_RP = draw_pieces(generator, min(block, resamples - start), len(steps_P))
            total_R = weights_RP @ steps_P
            for column, sums_KP in self._scored.sums.items():
                with np.errstate(invalid="ignore"):  # a sum that is not finite ends as an estimate of NaN
                    means[column][start : start + block] = (weights_RP @ sums_KP.T) / total_R[:, None]
            if normal_RK.any():
                errors_RK = (weights_RP @ self._scored.errors_KP.T) / total_R[:, None]
                means["log_likelihood"][start : start + block] += normal_RK[start : start + block] * errors_RK
        return means

    def value(self, metric: Metric, variant: str) -> Estimate:
        """The metric of a variant, pooled over its seeds and all pieces."""
        rows = list(self._scored.seeds(variant).values())
        if not rows:
            return Estimate()
        return Estimate(*self._estimate(*self._pooled(metric, rows), len(rows)))

    def difference(self, metric: Metric, variant: str, reference: str) -> Difference:
        """How much better a variant is than a reference on the seeds that both have."""
        mine, theirs, dropped = self._common(variant, reference)
        if not mine:
            return Difference(dropped=dropped)
        gain, gain_R = self._gain(metric, mine, theirs)
        return Difference(*self._estimate(gain, gain_R, len(mine)), seeds=len(mine), dropped=dropped)

    def effect(self, metric: Metric, pairs: Sequence[tuple[str, str]]) -> Effect:
        """The mean of (with - without) over the pairs (without, with) that have a seed in common."""
        gains, gains_R, told, seeds = [], [], [], []
        for without, with_it in pairs:
            mine, theirs, _ = self._common(with_it, without)
            if mine:
                gain, gain_R = self._gain(metric, mine, theirs)
                gains.append(gain)
                gains_R.append(gain_R)
                told.append((without, with_it, gain))
                seeds.append(len(mine))
        if not gains:
            return Effect()
        estimate = self._estimate(float(np.mean(gains)), np.mean(gains_R, axis=0), max(seeds))
        return Effect(*estimate, pairs=tuple(told), seeds=tuple(seeds))

    def _common(self, first: str, second: str) -> tuple[list[int], list[int], int]:
        mine, theirs = self._scored.seeds(first), self._scored.seeds(second)
        both = sorted(mine.keys() & theirs.keys())
        return [mine[s] for s in both], [theirs[s] for s in both], len(mine.keys() ^ theirs.keys())

    def _pooled(self, metric: Metric, rows: list[int]) -> tuple[float, FloatArray]:
        """The metric over trials `rows`, as measured and in every resample (R,)."""
        index_RN = (self._uniform_RN[:, : len(rows)] * len(rows)).astype(np.int64)
        means_RN = np.take_along_axis(self._means_RK[metric.column][:, rows], index_RN, axis=1)
        measured = metric.link(self._means_K[metric.column][rows].mean(keepdims=True))
        return float(measured[0]), metric.link(means_RN.mean(1))

    def _gain(self, metric: Metric, mine: list[int], theirs: list[int]) -> tuple[float, FloatArray]:
        (value, value_R), (other, other_R) = self._pooled(metric, mine), self._pooled(metric, theirs)
        return metric.sign * (value - other), metric.sign * (value_R - other_R)

    def _estimate(self, value: float, values_R: FloatArray, seeds: int) -> tuple[float, float, float]:
        if not (np.isfinite(value) and np.isfinite(values_R).all()):
            return float("nan"), float("nan"), float("nan")
        if seeds < 2 and len(self._scored.steps_P) < 2:
            return value, float("nan"), float("nan")  # nothing varies: an interval of no width would be a lie
        return value, *percentile_interval(values_R)
