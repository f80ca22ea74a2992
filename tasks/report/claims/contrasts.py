"""Differences that the table of scores lacks: SGD with the techniques minus Hessian-free, and NADE minus Bernoulli.

A contrast is the mean difference over pairs of variants (other, one); positive means that the one is better. Intervals
are those of `statistics.py`, and hold for all contrasts of a report at once. Resamples are drawn only for corpora with
such pairs, and are those of the scores. What this does not do: judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.intervals import Effect, simultaneous
from tasks.report.numbers.metrics import METRICS, Metric
from tasks.report.numbers.results import Results
from tasks.report.numbers.scored import ScoredPieces
from tasks.report.numbers.statistics import Bootstrap
from tasks.report.numbers.variant_titles import PLAIN, Variant
from tasks.report.numbers.verdicts import ENOUGH_STUDIES

HESSIAN_FREE = "HF"
BERNOULLI, NADE = "rnn/bernoulli", "rnn/nade"
FULL = ("CLRM", "CRM", "CLR")
"""The sets of techniques that stand for all of them beside Hessian-free."""
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Contrast:
    """The difference between two variants, or two families of variants; positive means that `one` is better.

    Attributes:
        corpus, metric: the corpus and metric of the difference.
        other, one: the two sides: `rnn/nade/HF` and `rnn/nade/SGD+CLRM`, or two families.
        effect: the mean over the pairs.
        low, high: the interval that holds for all contrasts of a report at once.
    """

    corpus: str
    metric: Metric
    other: str
    one: str
    effect: Effect
    low: float
    high: float

    @property
    def studies(self) -> int:
        """The smallest number of studies of a pair."""
        return min(self.effect.studies, default=0)


def contrasts_of(results: Results, estimates: Estimates) -> tuple[Contrast, ...]:
    """All contrasts of a report that have a pair with scores."""
    found: list[tuple[str, Metric, tuple[str, str], Effect]] = []
    for corpus, facts in results.corpora.items():
        asked = _asked(results.variants(corpus))
        if not asked:
            continue
        scored = ScoredPieces.from_frame(results.pieces[results.pieces["corpus"] == corpus])
        bootstrap, metric = Bootstrap(scored, corpus, estimates.seed, estimates.resamples), METRICS[facts["kind"]][0]
        for names, pairs in asked.items():
            effect = bootstrap.effect(metric, pairs)
            if effect.pairs:
                found.append((corpus, metric, names, effect))
    may = [min(effect.studies) >= ENOUGH_STUDIES for *_, effect in found]
    ends = simultaneous([effect for *_, effect in found], may)
    return tuple(
        Contrast(corpus, metric, *names, effect, *both)
        for (corpus, metric, names, effect), both in zip(found, ends, strict=True)
    )


def _asked(variants: Sequence[str]) -> Mapping[tuple[str, str], Pairs]:
    """The pairs of variants of a corpus that are compared, by the name of the comparison."""
    asked: dict[tuple[str, str], Pairs] = {}
    for name in variants:
        family, optimizer = Variant.parse(name).family, Variant.parse(name).tail
        if optimizer == HESSIAN_FREE:
            mine = (Variant(family, PLAIN, letters).name for letters in FULL)
            asked |= {(name, one): [(name, one)] for one in mine if one in variants}
    tails = [Variant.parse(name).tail for name in variants if Variant.parse(name).family == BERNOULLI]
    both = [(f"{BERNOULLI}/{tail}", f"{NADE}/{tail}") for tail in tails if f"{NADE}/{tail}" in variants]
    return asked | ({(BERNOULLI, NADE): both} if both else {})
