"""Each variant over all corpora: one number for all of them together, and its comparison with plain SGD.

A variant here is an optimizer with techniques, with the core and output model that a short name like `SGD+CL` means:
the simple core, with Bernoulli notes on music and a softmax on text. Only variants with runs on every corpus are
compared, since a mean over other corpora is another quantity. `strata.py` defines the numbers and their intervals, and
`scales.py` the 0 and 1 of each corpus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, floor

import numpy as np

from tasks.campaign import output_for
from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.intervals import LEVEL, simultaneous_level
from tasks.report.numbers.jackknife import Kept, Spread, jackknife
from tasks.report.numbers.metrics import FloatArray
from tasks.report.numbers.resamples import numpy_generator
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import PLAIN, Variant, is_baseline, subset_order
from tasks.report.numbers.verdicts import ENOUGH_STUDIES, Verdict, verdict
from tasks.report.over_corpora.runs import Units, runs_on
from tasks.report.over_corpora.scales import Scale, scale_of
from tasks.report.over_corpora.strata import Runs, improvement, interquartile_mean, of_share, share_above

ENOUGH_CORPORA = 4
"""With fewer, each corpus is described by itself: a number over them would say little about others."""
_CORE = "rnn"
_LOWEST = -0.25
_THRESHOLDS = 41
_Ends = tuple[float, float]
_NO_ENDS: _Ends = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Compared:
    """A variant on all corpora.

    Attributes:
        variant: optimizer and techniques, `SGD+CL`.
        iqm: interquartile mean of the normalised scores; NaN if more than a quarter of the runs have none.
        iqm_ends: of its interval.
        improvement: probability that a run is better than a run of plain SGD; NaN for plain SGD itself.
        improvement_ends: of its interval.
        improvement_at_once: ends of the interval that holds for all variants at once.
        said: verdict of that interval compared with one half; "" for plain SGD, "unreplicated" with one study.
        runs, lost: number of runs, and of those without a score.
        profile: the share of runs above each threshold, with the ends of its intervals, (3, T).
    """

    variant: str
    iqm: float
    iqm_ends: _Ends
    improvement: float
    improvement_ends: _Ends
    improvement_at_once: _Ends
    said: Verdict | str
    runs: int
    lost: int
    profile: FloatArray


@dataclass(frozen=True)
class Aggregate:
    """The numbers over all corpora.

    Attributes:
        scales: of the corpora.
        left_out: corpora without a scale.
        variants: the best first.
        missing: variants that were asked for on every corpus, with the corpora on which they have no run.
        thresholds: of the profiles.
        studies: number of studies of each corpus.
    """

    scales: tuple[Scale, ...]
    left_out: tuple[str, ...]
    variants: tuple[Compared, ...]
    missing: Mapping[str, tuple[str, ...]]
    thresholds: FloatArray
    studies: int

    @cached_property
    def replicated(self) -> bool:
        """Whether there are studies enough for a word."""
        return self.studies >= ENOUGH_STUDIES


def aggregate(results: Results, estimates: Estimates) -> Aggregate | None:
    """The numbers over all corpora; None where there are fewer than four, or fewer than two variants on all of them."""
    found = {name: scale_of(results, estimates, name) for name in results.corpora}
    scales = tuple(scale for scale in found.values() if scale is not None)
    if len(scales) < ENOUGH_CORPORA:
        return None
    asked = _asked(results, [scale.corpus for scale in scales])
    runs = {scale.corpus: runs_on(results, scale) for scale in scales}
    units = {name: [runs[corpus].get(_on(results, corpus, name), {}) for corpus in runs] for name in asked}
    missing = {
        name: tuple(scale.corpus for scale, there in zip(scales, each, strict=True) if not there)
        for name, each in units.items()
        if not all(each)
    }
    shared = {name: each for name, each in units.items() if name not in missing}
    if len(shared) < 2 or PLAIN not in shared:
        return None
    thresholds = _thresholds(shared)
    compared = _Comparison(shared, thresholds, estimates.seed, estimates.resamples, results.studies).all()
    left_out = tuple(name for name, scale in found.items() if scale is None)
    return Aggregate(scales, left_out, compared, missing, thresholds, results.studies)


def _on(results: Results, corpus: str, name: str) -> str:
    """The whole name of a variant on a corpus, from its optimizer and techniques."""
    return f"{_CORE}/{output_for(results.corpora[corpus]['kind'])}/{name}"


def _asked(results: Results, corpora: Sequence[str]) -> list[str]:
    """Optimizer and techniques of the variants that are asked for on all corpora, fewer techniques first."""
    names: list[set[str]] = []
    for corpus in corpora:
        mine = [Variant.parse(name) for name in results.variants(corpus) if not is_baseline(name)]
        names.append({each.tail for each in mine if each.name == _on(results, corpus, each.tail)})
    return sorted(set.intersection(*names), key=subset_order)


def _thresholds(shared: Mapping[str, Sequence[Units]]) -> FloatArray:
    """Thresholds from the lowest to the highest score, at most a quarter of the way below counting."""
    scores = np.concatenate([unit for each in shared.values() for units in each for unit in units.values()])
    reached = scores[np.isfinite(scores)]
    if not len(reached):
        return np.linspace(0, 1, _THRESHOLDS)
    low, high = max(_LOWEST, floor(20 * reached.min()) / 20), ceil(20 * reached.max()) / 20
    return np.linspace(min(low, high - 0.05), high, _THRESHOLDS)


class _Comparison:
    """Variants on the same corpora."""

    def __init__(
        self, shared: Mapping[str, Sequence[Units]], thresholds: FloatArray, seed: int, resamples: int, studies: int
    ) -> None:
        self._shared, self._thresholds, self._seed, self._studies = shared, thresholds, seed, studies
        places = {(c, unit) for each in shared.values() for c, units in enumerate(each) for unit in units}
        self._places = {place: number for number, place in enumerate(sorted(places))}
        self._normal_RU = self._generator("units").standard_normal((resamples, len(places)))

    def _generator(self, *names: str) -> np.random.Generator:
        return numpy_generator(self._seed, "report", "aggregate", *names)

    def all(self) -> tuple[Compared, ...]:
        """Every variant, the best first; of equals that with fewer techniques."""
        made = {name: self._one(name) for name in self._shared}
        beside = {name: self._beside_plain(name) for name in self._shared if name != PLAIN}
        drawn = [draws_R for _, _, draws_R in beside.values() if draws_R is not None]
        level = simultaneous_level(drawn, LEVEL)
        for name, (value, spread, _) in beside.items():
            single, at_once = (_share_ends(value, spread, each) for each in (LEVEL, level))
            said = verdict(at_once[0] - 0.5, at_once[1] - 0.5) if self._studies >= ENOUGH_STUDIES else "unreplicated"
            made[name] = replace(
                made[name], improvement=value, improvement_ends=single, improvement_at_once=at_once, said=said
            )
        return tuple(sorted(made.values(), key=lambda each: (np.isnan(each.iqm), -each.iqm)))

    def _one(self, name: str) -> Compared:
        runs = [list(each.values()) for each in self._shared[name]]
        iqm = interquartile_mean(runs)
        (spread,) = jackknife(lambda kept: np.array([interquartile_mean(_of(runs, kept))]), _many(runs))
        # where nothing varies, an interval of no width would be a lie
        half = spread.half_width(LEVEL) if spread is not None and spread.variance > 0 else float("nan")
        shares_T = share_above(runs, self._thresholds)
        spreads = jackknife(lambda kept: share_above(_of(runs, kept), self._thresholds), _many(runs))
        ends_T2 = np.array([_share_ends(*each, LEVEL) for each in zip(shares_T, spreads, strict=True)])
        scores = np.concatenate([unit for each in runs for unit in each])
        return Compared(
            variant=name,
            iqm=iqm,
            iqm_ends=(iqm - half, iqm + half),
            improvement=float("nan"),
            improvement_ends=_NO_ENDS,
            improvement_at_once=_NO_ENDS,
            said="",
            runs=len(scores),
            lost=int(np.isneginf(scores).sum()),
            profile=np.vstack([shares_T, ends_T2.T]),
        )

    def _beside_plain(self, name: str) -> tuple[float, Spread | None, FloatArray | None]:
        """Probability of improvement over plain SGD in the units that both have; its spread, and draws of it."""
        pairs = list(zip(self._shared[name], self._shared[PLAIN], strict=True))
        both = [sorted(mine.keys() & plain.keys()) for mine, plain in pairs]
        if not all(both):
            return float("nan"), None, None
        runs, others = (
            [[pair[side][unit] for unit in units] for pair, units in zip(pairs, both, strict=True)] for side in (0, 1)
        )
        value = improvement(runs, others)
        (spread,) = jackknife(lambda kept: np.array([improvement(_of(runs, kept), _of(others, kept))]), _many(runs))
        if spread is None:
            return value, None, None
        at = [self._places[c, unit] for c, units in enumerate(both) for unit in units]
        draws_R = of_share(value, spread)[1].draw(self._normal_RU[:, at], self._generator("scales", name))
        return value, spread, draws_R


def _many(runs: Runs) -> list[int]:
    return [len(units) for units in runs]


def _of(runs: Runs, kept: Kept) -> Runs:
    return [[units[u] for u in of_it] for units, of_it in zip(runs, kept, strict=True)]


def _share_ends(share: float, spread: Spread | None, level: float) -> _Ends:
    if spread is None:
        return _NO_ENDS
    middle, widened = of_share(share, spread)
    half = widened.half_width(level)
    return max(0.0, middle - half), min(1.0, middle + half)
