"""Chosen hyper-parameters that lie at the edge of what they are drawn from: the best may lie beyond it.

A value is at an edge where it is in the outer tenth of its interval, on the scale that it is drawn on: learning rates
on the logarithmic one, numbers of units as they are. That is told where it is so, at the same edge, in most of the
studies of a variant, and in two at least.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from tasks.report.ease_measures import Row
from tasks.report.results import Results
from tasks.report.text import joined, setting
from tasks.report.variants import PLAIN, Variant, short_labels
from tasks.report.verdicts import ENOUGH_STUDIES

OUTER = 0.1
"""The part of an interval at each of its ends that is its edge."""


@dataclass(frozen=True)
class _Scale:
    """How a hyper-parameter is drawn: what it is called, its column in the table of trials, and the scale."""

    name: str
    column: str
    scale: Callable[[float], float]
    of_optimizer: bool
    """Whether other optimizers than plain gradient descent have an interval of their own."""


_SCALES = (
    _Scale("learning rate", "learning_rate", log, of_optimizer=True),
    _Scale("number of hidden units", "hidden_size", float, of_optimizer=False),
)


def edge_rows(results: Results, corpus: str) -> list[Row]:
    """A row a variant and hyper-parameter that was chosen at the same edge in most studies of the variant."""
    space = results.campaign.get("spaces", {}).get(results.corpora[corpus]["kind"], {})
    trials = results.trials
    chosen = trials[(trials["corpus"] == corpus) & trials["selected"].astype(bool)]
    rows: list[Row] = []
    for each in _SCALES:
        ends = _interval(space, each.column)
        if ends is None:
            continue
        for variant in results.variants(corpus):
            if each.of_optimizer and Variant.parse(variant).optimizer != PLAIN:
                continue
            values = chosen.loc[chosen["variant"] == variant, each.column].astype(float)
            places = [edge(each.scale(value), *map(each.scale, ends)) for value in values]
            for side in ("lower", "upper"):
                if places.count(side) >= ENOUGH_STUDIES and 2 * places.count(side) > len(places):
                    told: Row = {"edge": side, "studies": places.count(side), "of": len(places)}
                    told |= {"corpus": corpus, "variant": variant, "hyper_parameter": each.column}
                    rows.append(told | {"low": ends[0], "high": ends[1]})
    return rows


def edge(value: float, low: float, high: float) -> str:
    """At which edge of its interval a value is, `lower` or `upper`; "" at none.

    >>> edge(0.5, 0.0, 1.0), edge(0.1, 0.0, 1.0), edge(0.95, 0.0, 1.0)
    ('', 'lower', 'upper')
    """
    part = (value - low) / (high - low)
    return "lower" if part <= OUTER else "upper" if part >= 1 - OUTER else ""


def edge_sentences(rows: Sequence[Row], variants: Sequence[str]) -> list[str]:
    """A sentence a hyper-parameter and edge, of the rows of one corpus."""
    labels = short_labels(variants)
    names = {each.column: each.name for each in _SCALES}
    alike: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        alike.setdefault((row["hyper_parameter"], row["edge"]), []).append(row)
    said = []
    for (column, side), told in alike.items():
        who = joined([f"{labels[row['variant']]} ({row['studies']} of {row['of']} studies)" for row in told])
        low, high = (setting(_plain(told[0][end])) for end in ("low", "high"))
        said.append(
            f"The {names[column]} chosen for {who} lies at the {side} edge of what is drawn, {low} to {high}: a"
            " better one may lie beyond."
        )
    return said


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def _interval(space: Mapping[str, Any], column: str) -> tuple[float, float] | None:
    """The ends of what a hyper-parameter is drawn from; of values that are named the smallest and the largest."""
    drawn = space.get(column) or space.get(f"{column}s") or ()
    return (min(drawn), max(drawn)) if len(drawn) > 1 and min(drawn) < max(drawn) else None
