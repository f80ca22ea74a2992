"""The answer in words, computed from the tables: which variant was best, which technique helped, and how surely.

The words follow the printed numbers. A difference whose interval contains zero is never called a difference, nor is one
that its decimals do not show. The intervals of differences hold for a whole family of comparisons at once
(`estimates.py`). Compared variants have the same core and output model; for a technique added alone, also the same
optimizer. If a campaign has several of these, each is named. A number from one study has no verdict, since its interval
does not contain the luck of the search.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.formatting import (
    ESTIMATED_BY,
    interval,
    joined,
    number,
    plural,
    replicates_of,
    roughly,
    signed,
)
from tasks.report.numbers.metrics import METRICS, Metric
from tasks.report.numbers.variant_titles import PLAIN, Variant, families, group_of, is_baseline, plain_of, short_labels
from tasks.report.numbers.verdicts import ENOUGH_STUDIES, difference_verdict, effect_verdict, told_interval
from tasks.report.words.caveats import score_caveats, search_caveats

_UNCLEAR = "made no difference that can be told from chance"


@dataclass(frozen=True)
class Answer:
    """The sentences about one corpus.

    Attributes:
        best: which variant of the main family (core and output model) scored best, and whether it can be told from
            plain SGD of that family.
        others: the best variant of every other family, each beside its own plain SGD; "" where there is one family.
        techniques: what each technique changed, averaged over the variants with and without it.
        alone: what each technique changed when it was the only one; "" if none was tried alone.
        warnings: what a reader should know before believing the rest.
        line: the best variant of all and its score, for a list of reports.
    """

    best: str
    others: str
    techniques: str
    alone: str
    warnings: tuple[str, ...]
    line: str


def answer(estimates: Estimates, corpus: str) -> Answer:
    """Put the result on one corpus into words."""
    rows = estimates.primary(corpus)
    metric = METRICS[rows["kind"].iloc[0]][0]
    labels = short_labels(rows["variant"])
    trained = rows[~rows["variant"].map(is_baseline)]
    scored = trained[trained["mean"].notna()]
    warnings = search_caveats(trained, labels)
    if scored.empty:
        nothing = f"On {corpus} no variant came to a test score, so nothing can be said."
        return Answer(nothing, "", "", "", tuple(warnings), f"{corpus}: no test score")
    family_of = {name: Variant.parse(name).family for name in trained["variant"]}
    by_family = {family: scored[scored["variant"].map(family_of) == family] for family in families(trained["variant"])}
    main, *rest = by_family
    told = [part.iloc[0] for part in by_family.values() if len(part)]
    top = scored.iloc[0]
    return Answer(
        best=_best(corpus, metric, main if rest else "", set(trained["variant"]), by_family[main]),
        others=_others(metric, [by_family[family] for family in rest if len(by_family[family])], labels),
        techniques=_techniques(metric, estimates.primary_effects(corpus)),
        alone=_alone(metric, by_family),
        warnings=tuple(warnings + score_caveats(rows, trained, scored, told, labels)),
        line=f"{corpus}: {labels[top['variant']]} {_value(metric, top)} {metric.measure}",
    )


def replicated(estimates: Estimates) -> bool:
    """Whether there are several studies, so that intervals contain the luck of the search."""
    return bool(estimates.scores["studies_asked"].max() >= ENOUGH_STUDIES)


def told_of_search(estimates: Estimates) -> str:
    """The number of configurations that each variant was tried with, and what they cannot show; "" without a search."""
    scores = estimates.scores
    asked = int(scores["search_asked"].max()) if len(scores) else 0
    if not asked:
        return ""
    studies = int(scores["studies_asked"].max())
    tried = f"was tried with {plural(asked // studies, 'random configuration')}, of which validation chose one"
    if replicated(estimates):
        each = f"In each of {plural(studies, 'study', 'studies')}, which are independent of each other, every variant"
        return f"{each} {tried}: the intervals hold the luck of that draw."
    said = (
        f"Each variant {tried}, in one study: the intervals do not hold the luck of that draw, and so nothing is said"
        " to be better or worse."
    )
    gaps = []
    for corpus, rows in scores.groupby("corpus", sort=False):
        gap, metrics = rows["search_gap"].median(), METRICS[rows["kind"].iloc[0]]
        unit = next(metric for metric in metrics if metric.column == "log_likelihood")
        if pd.notna(gap):
            gaps.append(f"{number(gap, unit.decimals)} {unit.measure} on {corpus}")
    if not gaps:
        return said
    return (
        f"{said} For comparison: on validation, in the median, the second best configuration of a variant is behind"
        f" its best by {joined(gaps)}."
    )


def _value(metric: Metric, row: pd.Series) -> str:
    return roughly(number(row["mean"], metric.decimals), row["estimated"])


def _score(metric: Metric, row: pd.Series) -> str:
    """`−9.10 nats per frame [−9.20, −9.00]`, and where it is an estimate that it is one."""
    bounds = interval(row["low"], row["high"], metric.decimals)
    told = f"{_value(metric, row)} {metric.measure} {bounds}".rstrip()
    return f"{told}, {ESTIMATED_BY}" if row["estimated"] else told


def _change(metric: Metric, value: float, low: float, high: float) -> str:
    return f"{signed(value, metric.decimals)} {interval(low, high, metric.decimals)}".rstrip()


def _best(corpus: str, metric: Metric, family: str, asked: set[str], scored: pd.DataFrame) -> str:
    """The best variant of the main family; `family` is its name where there are others."""
    of = f" of {family}" if family else ""
    if scored.empty:
        return f"On {corpus} no variant{of} came to a test score."
    top = scored.iloc[0]
    reference = plain_of(top["variant"])
    plain = reference if family else "plain SGD"
    label = plain if top["variant"] == reference else Variant.parse(top["variant"]).tail
    start = f"On {corpus} the best variant{of} on the test split was {label} with {_score(metric, top)}"
    if scored["n_studies"].max() < ENOUGH_STUDIES:
        compared = top["variant"] != reference and pd.notna(top["difference"])
        return f"{start}, {_beside(metric, top, plain)}." if compared else f"{start}."
    tied = scored.loc[scored["tied_in_family"].astype(bool), "variant"].iloc[1:]
    rivals = [Variant.parse(name).tail for name in tied]
    ties = f"{_rivals(rivals)} cannot be told apart from it" if rivals else ""
    if top["variant"] == reference:
        if len(scored) == 1:
            return f"{start}, the only one that came to a score."
        return f"{start}: no technique improved it; {ties or 'every other one is worse'}."
    if pd.isna(top["difference"]):
        why = "was not asked for" if reference not in asked else "has no test score to compare with"
        return f"{start}; {plain} {why}."
    return f"{start}, {_beside(metric, top, plain)}{f'; {ties}' if ties else ''}."


def _beside(metric: Metric, row: pd.Series, plain: str) -> str:
    """How a variant stands beside its plain one, as a clause."""
    value, said = row["difference"], difference_verdict(row, metric.decimals)
    low, high = told_interval(row, said, "diff_", "diff_sim_")
    if said in ("better", "worse"):
        bounds = interval(*((low, high) if said == "better" else (-high, -low)), metric.decimals)
        return f"{said} than {plain} by {number(abs(value), metric.decimals)} {bounds}"
    change = _change(metric, value, low, high)
    if said == "unreplicated":
        return f"{change} beside {plain} in one study"
    if said == "tiny":
        return f"no further from {plain} than these decimals show ({change})"
    return f"which cannot be told apart from {plain} ({change})"


def _rivals(labels: list[str]) -> str:
    return joined(labels) if len(labels) <= 3 else f"{len(labels)} others"


def _others(metric: Metric, rest: list[pd.DataFrame], labels: Mapping[str, str]) -> str:
    """The best variant of each further family, beside its own plain SGD."""
    said = []
    for scored in rest:
        top = scored.iloc[0]
        start, reference = f"{labels[top['variant']]} with {_score(metric, top)}", plain_of(top["variant"])
        compared = top["variant"] != reference and pd.notna(top["difference"])
        said.append(f"{start}, {_beside(metric, top, reference)}" if compared else start)
    if not said:
        return ""
    of = "the other core or output model" if len(said) == 1 else "the other cores and output models"
    return f"The best of {of}: {'; '.join(said)}."


def _techniques(metric: Metric, effects: pd.DataFrame) -> str:
    said: dict[str, list[Any]] = {}
    for row in effects[effects["n_pairs"] > 0].itertuples():
        said.setdefault(effect_verdict(row._asdict(), metric.decimals), []).append(row)
    parts = []
    clear = [f"{row.technique} helped ({_effect(metric, row)})" for row in said.get("better", ())]
    clear += [f"{row.technique} hurt ({_effect(metric, row)})" for row in said.get("worse", ())]
    parts += [joined(clear)] if clear else []
    if tiny := [f"{row.technique} ({_effect(metric, row)})" for row in said.get("tiny", ())]:
        parts.append(f"{joined(tiny)} changed less than these decimals show")
    if undecided := [row.technique for row in said.get("undecided", ())]:
        none = joined(undecided, "or") if parts else f"no technique ({joined(undecided, 'or')})"
        parts.append(f"{none} {_UNCLEAR if parts else _UNCLEAR.replace('no difference', 'a difference')}")
    if alone := [f"{row.technique} {_effect(metric, row)}" for row in said.get("unreplicated", ())]:
        parts.append(f"in one study, too little for a verdict: {'; '.join(alone)}")
    return f"Averaged over the variants with and without it, {'; '.join(parts)}." if parts else ""


def _effect(metric: Metric, row: Any) -> str:
    """`+0.042 [0.024, 0.058], 8 pairs, 3 seeds`, and whose pairs they are where several families have some."""
    groups = list(dict.fromkeys(group_of(without) for without, _, _ in row.pairs))
    of = f" of {joined(groups)}" if len(groups) > 1 else ""
    said = effect_verdict(row._asdict(), metric.decimals)
    change = _change(metric, row.effect, *told_interval(row._asdict(), said, "", "sim_"))
    return f"{change}, {plural(row.n_pairs, 'pair')}{of}, {replicates_of(row._asdict())}"


def _alone(metric: Metric, by_family: Mapping[str, pd.DataFrame]) -> str:
    """The changes by single techniques, one sentence for each family, with the optimizer SGD."""
    said = []
    for scored in by_family.values():
        told: dict[str, list[str]] = {}
        for row in scored[scored["difference"].notna()].itertuples():
            variant = Variant.parse(row.variant)
            if variant.optimizer == PLAIN and len(variant.techniques) == 1:
                said_of_it = difference_verdict(row._asdict(), metric.decimals)
                told.setdefault(said_of_it, []).append(variant.techniques)
        told.pop("unreplicated", None)
        if told:
            plain = plain_of(scored["variant"].iloc[0]) if len(by_family) > 1 else "plain SGD"
            said.append(_alone_in_one(told, plain))
    return " ".join(said)


def _alone_in_one(told: Mapping[str, list[str]], plain: str) -> str:
    words = {
        "better": "improved on",
        "worse": "did worse than",
        "tiny": "came within these decimals of",
        "undecided": "cannot be told apart from",
    }
    parts = [f"{joined(sorted(told[said]))} {word} {plain}" for said, word in words.items() if said in told]
    return f"Added alone, {'; '.join(parts)}."
