"""What changed in the scores of variants and in the effects of techniques, with intervals and verdicts.

The change of a score is the metric after minus the metric before; positive is better. The change of an effect is the
mean of (with - without) over the pairs of variants that both versions have, after minus before. The intervals are those
of `statistics.py`. Verdicts follow intervals that hold at once for all changes of scores on all corpora, and for all
changes of effects. Of two versions that differ by chance alone, about one comparison in twenty, or fewer, has a verdict
among its scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tasks.report.compared.together import AFTER, BEFORE, same_trials, scored_together
from tasks.report.numbers.formatting import lost_seeds
from tasks.report.numbers.intervals import Estimate, simultaneous
from tasks.report.numbers.metrics import METRICS, Metric
from tasks.report.numbers.resamples import RESAMPLES
from tasks.report.numbers.results import Results
from tasks.report.numbers.scored import Place, ScoredPieces, studies_in
from tasks.report.numbers.statistics import Bootstrap, Term, highest, replicated
from tasks.report.numbers.trial_counts import TrialsOf
from tasks.report.numbers.variant_titles import Variant, is_baseline, letter_order, technique_pairs
from tasks.report.numbers.verdicts import ENOUGH_STUDIES, replicated_verdict

Word = Literal[
    "improved", "regressed", "next to nothing", "cannot be told", "the same", "only before", "only after", "no score"
]
WORDS: Mapping[str, Word] = {
    "better": "improved",
    "worse": "regressed",
    "tiny": "next to nothing",
    "undecided": "cannot be told",
    "unreplicated": "cannot be told",
}
_NOTHING = Estimate(0.0, 0.0, 0.0)
Row = dict[str, Any]
_Made = list[tuple[Row, Estimate]]


@dataclass(frozen=True, eq=False)
class _Corpus:
    """A corpus that both versions have."""

    name: str
    metric: Metric
    versions: tuple[Results, Results]
    scored: ScoredPieces
    bootstrap: Bootstrap
    same: set[str]

    @property
    def variants(self) -> list[str]:
        """Those of either version, the later one's order first."""
        before, after = (results.variants(self.name) for results in self.versions)
        return [name for name in dict.fromkeys([*after, *before]) if not is_baseline(name)]

    def places(self, variant: str) -> tuple[list[Place], list[Place]]:
        """Where a variant has scores, before and after."""
        first, second = (sorted(self.scored.places(f"{start}{variant}")) for start in (BEFORE, AFTER))
        return first, second

    def pooled(self, variant: str, start: str) -> float:
        return self.bootstrap.value(self.metric, f"{start}{variant}").value


def changes(
    before: Results, after: Results, corpora: Sequence[str], resamples: int = RESAMPLES
) -> tuple[list[Row], list[Row]]:
    """The rows of scores and of effects on the corpora, which both versions have with the same digest.

    Returns:
        Rows of scores: `corpus`, `metric`, `variant`, `before`, `after`, `change` with `low`, `high` and `sim_low`,
        `sim_high` (at once), `verdict`, `studies` and `seeds` (before, after), `alike`, studies of the same draws, and
        `lost`, what became of seeds without a score (before, after). Rows of effects: the same of a `technique`, with
        `pairs` in place of the last two.

    Raises:
        CampaignError: a version was not scored on the same test pieces as the other.
    """
    scores: _Made = []
    effects: _Made = []
    for name in corpora:
        metric = METRICS[after.corpora[name]["kind"]][0]
        scored = scored_together(before, after, name)
        bootstrap = Bootstrap(scored, name, resamples=resamples)
        corpus = _Corpus(name, metric, (before, after), scored, bootstrap, same_trials(before, after, name))
        scores += [_score(corpus, variant) for variant in corpus.variants]
        effects += _effects(corpus)
    return _judged(scores), _judged(effects)


def _judged(made: _Made) -> list[Row]:
    """The rows with the intervals that hold for all of them at once, and their verdicts."""
    worded = [not row["verdict"] and min(row["studies"]) >= ENOUGH_STUDIES for row, _ in made]
    ends = simultaneous([change for _, change in made], worded)
    for (row, change), (low, high) in zip(made, ends, strict=True):
        if row["verdict"] == "the same":
            low = high = 0.0
        row |= {"change": change.value, "low": change.low, "high": change.high, "sim_low": low, "sim_high": high}
        row["verdict"] = row["verdict"] or WORDS[replicated_verdict(min(row["studies"]), low, high, row["decimals"])]
        del row["decimals"]
    return [row for row, _ in made]


def _score(corpus: _Corpus, variant: str) -> tuple[Row, Estimate]:
    first, second = corpus.places(variant)
    asked = [variant in results.variants(corpus.name) for results in corpus.versions]
    counts = [TrialsOf(results, corpus.name).counts(variant) for results in corpus.versions]
    row = _row(corpus, first, second) | {
        "variant": variant,
        "before": corpus.pooled(variant, BEFORE),
        "after": corpus.pooled(variant, AFTER),
        "seeds": [len(first), len(second)],
        "lost": [", ".join(lost_seeds(each)) for each in counts],
    }
    word = "only before" if not asked[1] else "only after" if not asked[0] else ""
    if word or not (first and second):
        return row | {"verdict": word or "no score"}, Estimate()
    if variant in corpus.same:
        return row | {"verdict": "the same"}, _NOTHING
    terms = [(1.0, f"{AFTER}{variant}", second), (-1.0, f"{BEFORE}{variant}", first)]
    return row, corpus.bootstrap.contrast(corpus.metric, terms, "change", variant)


def _row(corpus: _Corpus, first: Sequence[Place], second: Sequence[Place]) -> Row:
    return {
        "corpus": corpus.name,
        "metric": corpus.metric.name,
        "decimals": corpus.metric.decimals,
        "verdict": "",
        "studies": [studies_in(first), studies_in(second)],
        "alike": len({study for study, _ in first} & {study for study, _ in second}),
    }


def _effects(corpus: _Corpus) -> _Made:
    both = [name for name in corpus.variants if all(corpus.places(name))]
    letters = {letter for name in both for letter in Variant.parse(name).techniques}
    return [
        made
        for letter in sorted(letters, key=lambda letter: (letter_order(letter), letter))
        if (made := _effect(corpus, letter, technique_pairs(both, letter))) is not None
    ]


def _effect(corpus: _Corpus, letter: str, pairs: Sequence[tuple[str, str]]) -> tuple[Row, Estimate] | None:
    """The change of a technique's effect, over the pairs of both versions with the best replication."""
    common = {pair: _common(corpus, pair) for pair in pairs}
    told = highest({pair: min(map(replicated, places)) for pair, places in common.items()})
    if not told:
        return None
    sides = [_terms(told, common, start, index) for index, start in enumerate((BEFORE, AFTER))]
    fewest = [min((common[pair][index] for pair in told), key=studies_in) for index in (0, 1)]
    metric, named = corpus.metric, ("change", letter)
    row = _row(corpus, *fewest) | {
        "technique": letter,
        "before": corpus.bootstrap.contrast(metric, sides[0], *named).value,
        "after": corpus.bootstrap.contrast(metric, sides[1], *named).value,
        "pairs": len(told),
    }
    if {name for pair in told for name in pair} <= corpus.same:
        return row | {"verdict": "the same"}, _NOTHING
    terms = [*sides[1], *((-weight, variant, places) for weight, variant, places in sides[0])]
    return row, corpus.bootstrap.contrast(metric, terms, *named)


def _common(corpus: _Corpus, pair: tuple[str, str]) -> tuple[list[Place], list[Place]]:
    """The places that both variants of a pair have, before and after."""
    (first, second), (others_first, others_second) = map(corpus.places, pair)
    return sorted(set(first) & set(others_first)), sorted(set(second) & set(others_second))


def _terms(
    pairs: Sequence[tuple[str, str]],
    common: Mapping[tuple[str, str], tuple[list[Place], list[Place]]],
    start: str,
    index: int,
) -> list[Term]:
    """The mean of (with - without) over pairs in one version."""
    share = 1 / len(pairs)
    return [
        (weight, f"{start}{variant}", common[pair][index])
        for pair in pairs
        for weight, variant in zip((-share, share), pair, strict=True)
    ]
