"""Intervals of a metric, of paired differences and of the effects of techniques, over studies and pieces.

Every final trial k has a sum x_kp for each piece p of the test split, and piece p has n_p steps. The unit is what is
replicated: the study, which has a search, a choice and seeds of its own, if a comparison has at least two of them;
otherwise the seed. Unit s has the mean m_s over its trials of sum_p x_kp / sum_p n_p, and a variant the mean m over its
N units. Pieces and units are crossed: every trial is scored on every piece. One resample is

    metric* = link( m + b (m_pieces* - m) + sum_s g_s (m_s - m) / sqrt(N c_{N-1}) )

m_pieces* is m over Q pieces that are drawn with replacement, weighted as drawn; b = sqrt(Q / c_{Q-1}); g_s is standard
normal, and c_f is chi-squared with f degrees of freedom. The part of the units is a draw of Student's t of their mean:
s / sqrt(N) times t with N - 1 degrees of freedom. A bootstrap of few units would be too narrow. The part of the pieces
is a bootstrap with the factor of Student's t; it keeps their skewness.

All variants of a corpus have the same drawn pieces, and the same g_s for the same unit; this makes a difference a
paired one. The scales c belong to one comparison. The error of the standard deviation of one comparison says little
about that of another; and a family with common scales would be called safe at 95 % and hold in half of the cases. The
ends of an interval are the 2.5 and 97.5 percentiles of the resamples.

If a log-likelihood is an estimate, its standard error e_kp is common to all pieces of trial k, and every resample adds
z_k e_kp to x_kp, with z_k standard normal. Such errors also make units differ, so they count up to twice, which makes
intervals rather too wide.

What this does not cover: other corpora; and with one study the luck of the search. Shape letters: R resamples, K final
trials, Q pieces, N units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.report.numbers.intervals import Difference, Effect, Estimate, percentile_interval
from tasks.report.numbers.metrics import FloatArray, Metric
from tasks.report.numbers.resamples import RESAMPLES, Scales, draw_pieces, numpy_generator
from tasks.report.numbers.scored import Place, ScoredPieces, studies_in

# Numbers drawn at a time: bounds the memory of a corpus with thousands of pieces to some tens of megabytes.
_BLOCK = 2_000_000
# Nats a step, beyond which a draw is not followed: Student's t of two units reaches so far that exp would overflow.
_FARTHEST = 600.0
_ERRORS = "errors"
_Part = tuple[float, FloatArray, FloatArray, FloatArray | float]
"""Of a mean: its value; how far drawn pieces, multipliers of units and errors of estimates move it, not scaled yet."""

Pair = tuple[str, str]
"""Of variants, without a technique and with it."""
Term = tuple[float, str, Sequence[Place]]
"""Of a contrast: weight, variant, and the places at which it is compared."""


@dataclass(frozen=True, eq=False)
class _Units:
    """The units of a comparison, for K places: N studies if there are two or more, otherwise N seeds.

    Attributes:
        index_K: the unit of each place.
        counts_N: number of places of each unit.
        normal_RN: the multipliers of the units.
    """

    index_K: NDArray[np.int64]
    counts_N: NDArray[np.int64]
    normal_RN: FloatArray

    @property
    def number(self) -> int:
        return len(self.counts_N)

    @property
    def weights_K(self) -> FloatArray:
        """The weight of each place in the mean over units of the means within them."""
        return np.asarray(1 / (self.number * self.counts_N[self.index_K]))

    def means_N(self, values_K: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(self.index_K, values_K) / self.counts_N)


class Bootstrap:
    """Resamples of one corpus, drawn once and shared by all its variants and metrics.

    Args:
        scored: the sums of the corpus.
        name: of the corpus; with `seed` it names the random numbers.
        seed: of the campaign.
        resamples: how many, R.
    """

    def __init__(self, scored: ScoredPieces, name: str, seed: int = 0, resamples: int = RESAMPLES) -> None:
        self._scored, self._name, self._seed, self._resamples = scored, name, seed, resamples
        self._parts: dict[tuple[str, str, tuple[Place, ...]], _Part] = {}
        self._pieces_RK = self._resample_pieces()
        steps = scored.steps_Q.sum()
        self._means_K = {column: sums_KQ.sum(1) / steps for column, sums_KQ in scored.sums.items()}
        places = [(study, own) for _, study, own in scored.trials]
        self._studies, self._places = sorted({study for study, _ in places}), sorted(set(places))
        self._study_RN = self._generator("studies").standard_normal((resamples, len(self._studies)))
        self._place_RN = self._generator("seeds").standard_normal((resamples, len(self._places)))

    def value(self, metric: Metric, variant: str) -> Estimate:
        """The metric of a variant with its interval, in the unit of the metric.

        It is pooled over all pieces, and averaged over the variant's studies and the seeds of each.
        """
        places = sorted(self._scored.places(variant))
        if not places:
            return Estimate()
        units = self._units(places)
        scales = self._scales(units.number, "value", variant)
        value, values_R = self._pooled(metric, variant, places, units, scales)
        return Estimate(*self._estimate(value, np.clip(values_R, *metric.limits), units.number))

    def difference(self, metric: Metric, variant: str, reference: str) -> Difference:
        """How much better a variant is than a reference at the places that both have, in the unit of the metric.

        Positive is better, also for a metric whose lower values are better.
        """
        both, dropped = self._common(variant, reference)
        if not both:
            return Difference(dropped=dropped)
        units = self._units(both)
        scales = self._scales(units.number, "difference", *sorted((variant, reference)))
        estimate = self._estimate(*self._gain(metric, (reference, variant), both, units, scales), units.number)
        spread = self._spread(metric, (reference, variant), both, units)
        return Difference(*estimate, len(both), dropped, studies_in(both), *spread)

    def effect(self, metric: Metric, pairs: Sequence[tuple[str, str]]) -> Effect:
        """The mean of (with - without) over the pairs (without, with) that have the best replication.

        These are the pairs with two studies in common, if there are any; otherwise those with two seeds in common;
        otherwise those with one.
        """
        common = {pair: self._common(*pair)[0] for pair in pairs}
        told = highest({pair: replicated(places) for pair, places in common.items()})
        if not told:
            return Effect()
        units = {pair: self._units(common[pair]) for pair in told}
        most = max(each.number for each in units.values())
        scales = self._scales(most, "effect", *(name for pair in told for name in pair))
        gains = {pair: self._gain(metric, pair, common[pair], units[pair], scales) for pair in told}
        gain = float(np.mean([value for value, _ in gains.values()]))
        gain_R = np.mean([values_R for _, values_R in gains.values()], axis=0)
        return Effect(
            *self._estimate(gain, gain_R, most),
            pairs=tuple((*pair, value) for pair, (value, _) in gains.items()),
            seeds=tuple(len(common[pair]) for pair in told),
            studies=tuple(studies_in(common[pair]) for pair in told),
        )

    def contrast(self, metric: Metric, terms: Sequence[Term], *named: str) -> Estimate:
        """A weighted sum of the metrics of variants, each at places of its own; positive is better.

            sign * sum_i w_i metric_i

        All terms have the same drawn pieces, and two terms the same g_s for a unit that both have. So what they have in
        common is paired, and the rest is not. The part of the units has Student's t of the term with the fewest units.
        For two independent means this is rather too wide (Welch 1947 has up to the sum of their degrees of freedom).

        Args:
            metric: of each term.
            terms: weight, variant and places of each; none without places.
            named: what names the scales of this comparison.
        """
        units = [self._units(places) for _, _, places in terms]
        most = max(each.number for each in units)
        scales = self._scales(most, *named)
        value, values_R = 0.0, np.zeros(self._resamples)
        for (weight, variant, places), own in zip(terms, units, strict=True):
            one, one_R = self._pooled(metric, variant, places, own, scales)
            value, values_R = value + weight * one, values_R + weight * one_R
        return Estimate(*self._estimate(metric.sign * value, metric.sign * values_R, most))

    def _generator(self, *names: str) -> np.random.Generator:
        return numpy_generator(self._seed, "report", self._name, *names)

    def _scales(self, units: int, *names: str) -> Scales:
        """The scales of one comparison, which has a name, for at most so many units."""
        return Scales.draw(self._generator("scales", *names), self._resamples, len(self._scored.steps_Q), units)

    def _resample_pieces(self) -> dict[str, FloatArray]:
        """The means of the trials over drawn pieces, and under `_ERRORS` the errors of their estimates."""
        steps_Q, trials = self._scored.steps_Q, len(self._scored.trials)
        estimated = np.flatnonzero(self._scored.errors_KQ.any(axis=1))
        summed = self._scored.sums | ({_ERRORS: self._scored.errors_KQ} if len(estimated) else {})
        means = {name: np.zeros((self._resamples, trials)) for name in summed}
        block, generator = max(1, _BLOCK // max(1, len(steps_Q))), self._generator("pieces")
        for start in range(0, self._resamples if trials else 0, block):
            weights_RQ = draw_pieces(generator, min(block, self._resamples - start), len(steps_Q))
            total_R1 = (weights_RQ @ steps_Q)[:, None]
            for name, sums_KQ in summed.items():
                with np.errstate(invalid="ignore"):  # a sum that is not finite ends as an estimate of NaN
                    means[name][start : start + block] = (weights_RQ @ sums_KQ.T) / total_R1
        for k in estimated:
            variant, study, own = self._scored.trials[k]
            generator = self._generator("estimates", variant, str(study), str(own))
            means[_ERRORS][:, k] *= generator.standard_normal(self._resamples)
        return means

    def _units(self, places: Sequence[Place]) -> _Units:
        if studies_in(places) >= 2:
            normal_RN, at_K = self._study_RN, [self._studies.index(study) for study, _ in places]
        else:
            normal_RN, at_K = self._place_RN, [self._places.index(place) for place in places]
        columns, index_K, counts_N = np.unique(at_K, return_inverse=True, return_counts=True)
        return _Units(index_K, counts_N, normal_RN[:, columns])

    def _common(self, first: str, second: str) -> tuple[list[Place], int]:
        """The places that both variants have, and the number of places that only one of them has."""
        mine, theirs = self._scored.places(first).keys(), self._scored.places(second).keys()
        return sorted(mine & theirs), len(mine ^ theirs)

    def _pooled(
        self, metric: Metric, variant: str, places: Sequence[Place], units: _Units, scales: Scales
    ) -> tuple[float, FloatArray]:
        """The metric over the trials at some places, as measured and in every resample (R,)."""
        key = (metric.column, variant, tuple(places))
        if key not in self._parts:
            self._parts[key] = self._part(metric.column, variant, places, units)
        mean, pieces_R, units_R, errors_R = self._parts[key]
        if not np.isfinite(mean):
            return float("nan"), np.full(self._resamples, np.nan)
        drawn_R = mean + scales.pieces_R * pieces_R + scales.units_R(units.number) * units_R + errors_R
        return float(metric.link(np.array(mean))), metric.link(np.clip(drawn_R, -_FARTHEST, _FARTHEST))

    def _part(self, column: str, variant: str, places: Sequence[Place], units: _Units) -> _Part:
        at = self._scored.places(variant)
        rows = [at[place] for place in places]
        means_N = units.means_N(self._means_K[column][rows])
        mean = float(means_N.mean())
        if not np.isfinite(mean):
            return mean, np.zeros(0), np.zeros(0), 0.0
        pieces_R = self._pieces_RK[column][:, rows] @ units.weights_K - mean
        estimated = column == "log_likelihood" and _ERRORS in self._pieces_RK
        errors_R = self._pieces_RK[_ERRORS][:, rows] @ units.weights_K if estimated else 0.0
        return mean, pieces_R, units.normal_RN @ (means_N - mean), errors_R

    def _gain(
        self, metric: Metric, pair: tuple[str, str], places: Sequence[Place], units: _Units, scales: Scales
    ) -> tuple[float, FloatArray]:
        """How much better the second variant is than the first, as measured and in every resample (R,)."""
        (other, other_R), (value, value_R) = (self._pooled(metric, each, places, units, scales) for each in pair)
        return metric.sign * (value - other), metric.sign * (value_R - other_R)

    def _spread(
        self, metric: Metric, pair: tuple[str, str], places: Sequence[Place], units: _Units
    ) -> tuple[float, float] | tuple[()]:
        """Standard deviation of a difference over studies, and its standard error from pieces; () in one study."""
        at = {variant: self._scored.places(variant) for variant in pair}
        means = {variant: self._means_K[metric.column][[at[variant][place] for place in places]] for variant in pair}
        if studies_in(places) < 2 or not all(np.isfinite(means_K).all() for means_K in means.values()):
            return ()
        pieces = len(self._scored.steps_Q)
        each, drawn = [], []
        for variant in pair:
            mean, pieces_R, _, errors_R = self._parts[metric.column, variant, tuple(places)]
            each.append(metric.link(units.means_N(means[variant])))
            drawn.append(metric.link(mean + np.sqrt(pieces / max(1, pieces - 1)) * pieces_R + errors_R))
        (other_N, value_N), (other_R, value_R) = each, drawn
        return float((value_N - other_N).std(ddof=1)), float((value_R - other_R).std())

    def _estimate(
        self, value: float, values_R: FloatArray, units: int
    ) -> tuple[float, float, float, FloatArray | None]:
        if not (np.isfinite(value) and np.isfinite(values_R).all()):
            return float("nan"), float("nan"), float("nan"), None
        if units < 2 and len(self._scored.steps_Q) < 2:
            return value, float("nan"), float("nan"), None  # nothing varies: an interval of no width would be a lie
        return value, *percentile_interval(values_R), values_R


def replicated(places: Sequence[Place]) -> int:
    """How well a comparison is replicated: 3 by several studies, 2 by several seeds of one, 1 by one seed, 0 not."""
    return 3 if studies_in(places) >= 2 else min(2, len(places))


def highest(ranks: Mapping[Pair, int]) -> list[Pair]:
    """The pairs with the best replication of all; none if none is replicated."""
    most = max(ranks.values(), default=0)
    return [pair for pair, rank in ranks.items() if rank == most > 0]
