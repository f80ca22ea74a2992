"""The answer in words, computed from the tables: which variant was best, which technique helped, how surely.

The words follow the intervals: a difference whose 95 % interval contains zero is never called one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tasks.report.estimates import Estimates
from tasks.report.metrics import METRICS, Metric
from tasks.report.statistics import verdict
from tasks.report.text import ESTIMATED_BY, interval, joined, number, plural, roughly, search_state, signed
from tasks.report.variants import Variant, is_baseline, plain_of, short_labels


@dataclass(frozen=True)
class Answer:
    """The sentences about one corpus.

    Attributes:
        best: which variant scored best, and whether it can be told from plain SGD.
        techniques: what each technique changed, averaged over the variants with and without it.
        alone: what each technique changed when it was the only one; "" if none was tried alone.
        warnings: what a reader should know before believing the rest.
        line: the best variant and its score, for a list of reports.
    """

    best: str
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
    warnings = _search_warnings(trained, labels)
    if scored.empty:
        nothing = f"On {corpus} no variant came to a test score, so nothing can be said."
        return Answer(nothing, "", "", tuple(warnings), f"{corpus}: no test score")
    top = scored.iloc[0]
    score = _score(metric, top)
    return Answer(
        best=_best(corpus, metric, trained, scored, labels),
        techniques=_techniques(metric, estimates.primary_effects(corpus)),
        alone=_alone(metric, scored),
        warnings=tuple(warnings + _score_warnings(rows, trained, scored, labels)),
        line=f"{corpus}: {labels[top['variant']]} {score}",
    )


def _score(metric: Metric, row: pd.Series) -> str:
    return f"{roughly(number(row['mean'], metric.decimals), row['estimated'])} {metric.measure}"


def _best(corpus: str, metric: Metric, trained: pd.DataFrame, scored: pd.DataFrame, labels: dict[str, str]) -> str:
    top = scored.iloc[0]
    reference = plain_of(top["variant"])
    label = "plain SGD" if top["variant"] == reference else labels[top["variant"]]
    bounds = interval(top["low"], top["high"], metric.decimals)
    start = f"On {corpus} the best variant on the test split was {label} with {_score(metric, top)} {bounds}"
    start = start.rstrip() + (f", {ESTIMATED_BY}" if top["estimated"] else "")
    rivals = [labels[name] for name in scored.loc[scored["tied_with_best"].astype(bool), "variant"].iloc[1:]]
    gain = signed(top["difference"], metric.decimals).lstrip("+")
    gain_bounds = interval(top["diff_low"], top["diff_high"], metric.decimals)
    if top["variant"] == reference:
        if len(scored) == 1:
            return f"{start}, the only one that came to a score."
        ties = f"{_rivals(rivals)} cannot be told apart from it" if rivals else "every other one is worse"
        return f"{start}: no technique improved it; {ties}."
    if pd.isna(top["difference"]):
        plain = "was not asked for" if reference not in set(trained["variant"]) else "has no test score to compare with"
        return f"{start}; plain SGD {plain}."
    if verdict(top["diff_low"], top["diff_high"]) != "better":
        return f"{start}, which cannot be told apart from plain SGD: better by {gain} {gain_bounds}."
    ties = f"; {_rivals(rivals)} cannot be told apart from it" if rivals else ""
    return f"{start}, better than plain SGD by {gain} {gain_bounds}{ties}."


def _rivals(labels: list[str]) -> str:
    if len(labels) <= 3:
        return joined(labels)
    return f"{len(labels)} others"


def _techniques(metric: Metric, effects: pd.DataFrame) -> str:
    tried = effects[effects["n_pairs"] > 0]
    if tried.empty:
        return ""
    verdicts = [(verdict(row.low, row.high), row) for row in tried.itertuples()]
    helped = [f"{row.technique} helped {_effect(metric, row)}" for said, row in verdicts if said == "better"]
    hurt = [f"{row.technique} hurt {_effect(metric, row)}" for said, row in verdicts if said == "worse"]
    undecided = [row.technique for said, row in verdicts if said == "undecided"]
    if not helped and not hurt:
        return f"Averaged over the variants with and without it, no technique ({joined(undecided, 'or')}) made a " + (
            "difference that can be told from chance."
        )
    parts = joined(helped + hurt)
    if undecided:
        parts += f"; {joined(undecided, 'or')} made no difference that can be told from chance"
    return f"Averaged over the variants with and without it, {parts}."


def _effect(metric: Metric, row: Any) -> str:
    return f"({signed(row.effect, metric.decimals)} {interval(row.low, row.high, metric.decimals)})"


def _alone(metric: Metric, scored: pd.DataFrame) -> str:
    single = scored[[len(Variant.parse(name).techniques) == 1 for name in scored["variant"]]]
    single = single[single["difference"].notna()]
    if single.empty:
        return ""
    told = sorted(
        (Variant.parse(row.variant).techniques, verdict(row.diff_low, row.diff_high)) for row in single.itertuples()
    )
    better, worse, rest = (
        [letter for letter, said in told if said == wanted] for wanted in ("better", "worse", "undecided")
    )
    said = [f"{joined(better)} improved on plain SGD"] if better else []
    said += [f"{joined(worse)} did worse than plain SGD"] if worse else []
    said += [f"{joined(rest)} cannot be told apart from plain SGD"] if rest else []
    return f"Added alone, {'; '.join(said)}."


def shared_warnings(of_each: Sequence[Sequence[str]]) -> list[str]:
    """The warnings that hold for every corpus, to be given once."""
    return [text for text in of_each[0] if all(text in others for others in of_each)] if of_each else []


def _search_warnings(trained: pd.DataFrame, labels: dict[str, str]) -> list[str]:
    """A sentence for the variants whose searches are not whole and came equally far."""
    lacking = trained[trained["search_ended"] < trained["search_asked"]].to_dict("records")
    alike: dict[tuple[bool, str], list[str]] = {}
    for row in lacking:
        alike.setdefault((row["held_back"], search_state(row)), []).append(labels[row["variant"]])
    said = []
    for (held_back, state), names in alike.items():
        one = len(names) == 1
        if held_back:
            said.append(
                f"{joined(names)} {'is' if one else 'are'} {state}. The same campaign, run again, completes it."
            )
        else:
            said.append(f"{joined(names)} {'was' if one else 'were'} chosen among fewer: {state}; not on equal terms.")
    return said


def _score_warnings(
    rows: pd.DataFrame, trained: pd.DataFrame, scored: pd.DataFrame, labels: dict[str, str]
) -> list[str]:
    said = []
    best = scored.iloc[0]
    lost = [f"{best[f'seeds_{end}']} {end}" for end in ("diverged", "failed") if best[f"seeds_{end}"]]
    if lost:
        said.append(
            f"{labels[best['variant']]} is best over the {best['n_seeds']} of {best['seeds_asked']} seeds that ended; "
            f"{joined(lost)}: the score of the survivors may flatter it."
        )
    seeds = int(scored["n_seeds"].min())
    if seeds == 1:
        said.append("A variant with one seed has an interval over pieces only: it says nothing about other seeds.")
    elif seeds < 5:
        said.append("With fewer than five seeds the interval of a variant is too narrow.")
    if int(rows["n_pieces"].max()) < 10:
        said.append(f"The test split has only {plural(int(rows['n_pieces'].max()), 'piece')}: the intervals are rough.")
    estimated = [labels[name] for name in scored.loc[scored["estimated"].astype(bool), "variant"]]
    if estimated:
        said.append(
            f"≈: the log-likelihood of {joined(estimated)} is {ESTIMATED_BY}; the intervals include the standard error"
            " of the estimate, which cannot tell of what no chain has found."
        )
    if any("P" in Variant.parse(name).techniques for name in scored["variant"]):
        said.append(
            "P trains parts of the network first: its phases come on top of the epochs, so that variants with it"
            " have made more updates, in more seconds, than those without."
        )
    unscored = trained.loc[trained["mean"].isna() & ~trained["held_back"].astype(bool), "variant"]
    if len(unscored):
        said.append(f"Without a test score: {joined([labels[name] for name in unscored])}.")
    counts = rows[rows["variant"].map(is_baseline) & rows["mean"].notna()]
    if len(counts):
        count = counts.iloc[0]
        ahead = count["mean"] > best["mean"] if best["higher_is_better"] else count["mean"] < best["mean"]
        if ahead:
            name = labels[count["variant"]]
            said.append(f"No variant beats counting: the baseline {name} is better than all of them.")
    return said
