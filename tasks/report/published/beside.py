"""Published beside measured: for each variant, baseline and metric the numbers of the literature for the same model.

The difference is measured minus published, turned so that positive is better. The verdict rests on our interval, which
holds for all variants of a metric and corpus at once, and on the rounding of the published number:

    better           the interval is above it
    worse            the interval is below it
    matches          the interval contains it, and neither end is farther from it than a tenth of it (`ALIKE`)
    cannot be told   the interval contains it, and is wider; with few studies it would match any number

A number that leaves out first frames is flattered by about as much as `FIRST_FRAME` says; a score is called worse only
if it is below by more. There is no verdict for a number that was written from memory, for a number of another protocol,
or with one study. What this does not do: estimate anything, or know the uncertainty of a published number, which no
source gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Literal

import pandas as pd

from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.formatting import joined, plural
from tasks.report.numbers.metrics import BY_NAME, METRICS
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import is_baseline, short_labels
from tasks.report.numbers.verdicts import ENOUGH_STUDIES
from tasks.report.published.literature import FIRST_FRAME, Number, is_official, literature
from tasks.report.published.models import MODELS

BesideVerdict = Literal[
    "better", "matches", "worse", "cannot be told", "recalled", "not comparable", "unreplicated", "no score"
]
ALIKE = 0.1
"""How far from a published number, as a part of it, an interval may reach that is said to match it."""


@dataclass(frozen=True)
class Beside:
    """A published number beside the measured one.

    Attributes:
        corpus, variant: whose score was measured.
        number: the published one.
        measured, low, high: ours, with the interval that the verdict rests on; NaN if there is none.
        difference, diff_low, diff_high: how much better ours is.
        verdict: of the interval, or the reason why there is none.
        note: how the source differs from ours; "" if no difference is known.
    """

    corpus: str
    variant: str
    number: Number
    measured: float
    low: float
    high: float
    difference: float
    diff_low: float
    diff_high: float
    verdict: BesideVerdict
    note: str

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        own = ("corpus", "variant", "measured", "low", "high", "difference", "diff_low", "diff_high", "verdict", "note")
        return published_json(self.number) | {name: getattr(self, name) for name in own}


@dataclass(frozen=True)
class PublishedNumbers:
    """The literature's numbers for one corpus of a report.

    Attributes:
        rows: beside measured scores, in the order of the scores, and then of the literature.
        elsewhere: comparable test scores of models that no variant of the report is, the best of each metric first.
        sentence: a summary of the verdicts.
    """

    rows: tuple[Beside, ...]
    elsewhere: tuple[Number, ...]
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "sentence": self.sentence,
            "rows": [row.to_json() for row in self.rows],
            "elsewhere": [published_json(number) for number in self.elsewhere],
        }


def published_beside(results: Results, estimates: Estimates) -> dict[str, PublishedNumbers]:
    """The literature's numbers for each official corpus of a report; other corpora are left out."""
    official = [name for name, facts in results.corpora.items() if is_official(name, facts)]
    return {name: _of_corpus(estimates, name, str(results.corpora[name]["kind"])) for name in official}


def published_json(number: Number) -> dict[str, Any]:
    """A published number as JSON values."""
    names = ("metric", "model", "source", "confidence", "comparable", "why_not", "first_frame_scored")
    return {"published": number.value} | {name: getattr(number, name) for name in names}


def _of_corpus(estimates: Estimates, corpus: str, kind: str) -> PublishedNumbers:
    scored = [number for number in literature(corpus) if number.split == "test"]
    scores = estimates.scores[estimates.scores["corpus"] == corpus]
    rows = []
    for metric in METRICS[kind]:
        for score in scores[scores["metric"] == metric.name].to_dict("records"):
            theirs = (number for number in scored if number.metric == metric.name)
            mine = [number for number in theirs if _is_of(number, score["variant"])]
            rows += [beside(score, number) for number in mine]
    found = {id(row.number) for row in rows}
    others = [number for number in scored if id(number) not in found and number.comparable]
    order = [metric.name for metric in METRICS[kind]]
    others.sort(key=lambda each: (order.index(each.metric), -BY_NAME[each.metric].sign * each.value))
    return PublishedNumbers(tuple(rows), tuple(others), _sentence(rows, short_labels(scores["variant"]), order[0]))


def _is_of(number: Number, variant: str) -> bool:
    return number.model in MODELS and variant in MODELS[number.model].variants


def beside(score: Mapping[str, Any], number: Number) -> Beside:
    """Put a published number beside a row of scores."""
    sign = BY_NAME[number.metric].sign
    # a baseline has nothing that a search could be lucky with: its interval is over pieces alone
    low, high = (score[f"{'' if is_baseline(score['variant']) else 'sim_'}{end}"] for end in ("low", "high"))
    ends = sorted((sign * (low - number.value), sign * (high - number.value)))
    return Beside(
        corpus=score["corpus"],
        variant=score["variant"],
        number=number,
        measured=score["mean"],
        low=low,
        high=high,
        difference=sign * (score["mean"] - number.value),
        diff_low=ends[0],
        diff_high=ends[1],
        verdict=_verdict(score, number, *ends),
        note=_note(score, number),
    )


def _verdict(score: Mapping[str, Any], number: Number, low: float, high: float) -> BesideVerdict:
    if pd.isna(score["mean"]):
        return "no score"
    if number.confidence == "recalled":
        return "recalled"
    if not number.comparable:
        return "not comparable"
    if isnan(low) or (score["n_studies"] < ENOUGH_STUDIES and not is_baseline(score["variant"])):
        return "unreplicated"
    if low > number.rounding:
        return "better"
    if high < -number.rounding - _first_frame(score["corpus"], number):
        return "worse"
    return "matches" if max(-low, high) <= ALIKE * abs(number.value) else "cannot be told"


def _first_frame(corpus: str, number: Number) -> float:
    """How much better, about, a number is that leaves out the first frame of each piece; 0 if it does not."""
    left_out = number.first_frame_scored is False and number.metric == "log_likelihood"
    return FIRST_FRAME[corpus] if left_out else 0.0


def _note(score: Mapping[str, Any], number: Number) -> str:
    parts = [number.why_not or "", MODELS[number.model].note_on(score["kind"], score["variant"])]
    if number.first_frame_scored is False:
        flattered = _first_frame(score["corpus"], number)
        worth = f", worth about {flattered:.3f} nats" if flattered else ""
        parts.append(f"first frames are left out{worth}")
    return "; ".join(part for part in parts if part)


def _sentence(every: Sequence[Beside], labels: Mapping[str, str], metric: str) -> str:
    """The verdicts of trained variants on the first metric in a sentence, by name; "" if there are none."""
    rows = [row for row in every if row.number.metric == metric and not is_baseline(row.variant)]
    told = {
        "better": "are better than published",
        "matches": "match the published number",
        "worse": "are worse than published",
    }
    single = {
        "better": "is better than published",
        "matches": "matches the published number",
        "worse": "is worse than published",
    }
    parts = []
    for said in told:
        mine = [row for row in rows if row.verdict == said]
        if mine:
            names = joined(list(dict.fromkeys(labels[row.variant] for row in mine)))
            one = len(mine) == 1
            parts.append(f"{plural(len(mine), 'score')} {(single if one else told)[said]} ({names})")
    first = f"{'; '.join(parts)}." if parts else ""
    silent = {
        "recalled": "written from memory",
        "not comparable": "of another protocol",
        "unreplicated": "beside one study",
        "cannot be told": "within an interval too wide for a word",
        "no score": "of a variant without a score",
    }
    counts = {why: sum(row.verdict == said for row in rows) for said, why in silent.items()}
    quiet = [f"{many} {why}" for why, many in counts.items() if many]
    second = f"Without a verdict: {joined(quiet)}." if quiet else ""
    return " ".join(part for part in (first, second) if part)
