"""Chosen hyper-parameters that lie at the edge of what they are drawn from: the best may lie beyond it.

A value is at an edge where it is in the outer tenth of its interval, on the scale that it is drawn on: learning rates
on the logarithmic one, numbers of units as they are, those of a technique as the technique draws them. Of two values
each is at an edge, which tells nothing. It is told where it is so, at the same edge, in most of the studies of a
variant, and in two at least.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from models.kinds import Kind
from models.randomness import Draws, DrawsAt
from models.techniques import Placebo
from models.variants import BY_LETTER
from tasks.report.ease_measures import Row
from tasks.report.results import Results
from tasks.report.text import joined, setting
from tasks.report.variants import PLAIN, Variant, short_labels
from tasks.report.verdicts import ENOUGH_STUDIES

OUTER = 0.1
"""The part of an interval at each of its ends that is its edge."""
_LAST = 1 - 2**-53
"""The last part of an interval that can be drawn."""
_Values = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class _Scale:
    """How a hyper-parameter is drawn: what it is called, its column in the table of trials, and the scale."""

    name: str
    column: str
    draw: Callable[[Draws, str, float, float], float]
    of_optimizer: bool
    """Whether other optimizers than plain gradient descent have an interval of their own."""


_SCALES = (
    _Scale("learning rate", "learning_rate", Draws.log_uniform, of_optimizer=True),
    _Scale("number of hidden units", "hidden_size", Draws.uniform, of_optimizer=False),
)


@dataclass(frozen=True)
class _Interval:
    """What a hyper-parameter is drawn from: its ends, and the values where the outer parts begin."""

    low: float
    high: float
    lower: float
    upper: float

    def edge(self, value: float) -> str:
        """At which edge a value is, `lower` or `upper`; "" at none.

        >>> [_Interval(0.0, 1.0, 0.1, 0.9).edge(value) for value in (0.5, 0.1, 0.95)]
        ['', 'lower', 'upper']
        """
        return "lower" if value <= self.lower else "upper" if value >= self.upper else ""


def edge_rows(results: Results, corpus: str) -> list[Row]:
    """A row a variant and hyper-parameter that was chosen at the same edge in most studies of the variant.

    Its `hyper_parameter` is the column of the table of trials, or `M: momentum` of a technique.
    """
    trials = results.trials
    chosen = trials[(trials["corpus"] == corpus) & trials["selected"].astype(bool)]
    by_variant = {name: chosen[chosen["variant"] == name] for name in results.variants(corpus)}
    kind: Kind = results.corpora[corpus]["kind"]
    space = results.campaign.get("spaces", {}).get(kind, {})
    rows: list[Row] = []
    for name, drawn, chosen_of in (*_of_all(space, by_variant), *_of_techniques(kind, by_variant)):
        for variant, values in chosen_of.items():
            places = [drawn.edge(value) for value in values]
            for side in ("lower", "upper"):
                if places.count(side) >= ENOUGH_STUDIES and 2 * places.count(side) > len(places):
                    told: Row = {"edge": side, "studies": places.count(side), "of": len(places)}
                    told |= {"corpus": corpus, "variant": variant, "hyper_parameter": name}
                    rows.append(told | {"low": drawn.low, "high": drawn.high})
    return rows


def _of_all(space: Mapping[str, Any], chosen: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, _Interval, _Values]]:
    """What every variant has, with the campaign's intervals, and the chosen values by variant."""
    for each in _SCALES:
        if (ends := _ends(space, each.column)) is None:
            continue
        lower, upper = (each.draw(DrawsAt(part), each.column, *ends) for part in (OUTER, 1 - OUTER))
        values = {
            variant: rows[each.column].astype(float).tolist()
            for variant, rows in chosen.items()
            if not each.of_optimizer or Variant.parse(variant).optimizer == PLAIN
        }
        yield each.column, _Interval(*ends, lower, upper), values


def _of_techniques(kind: Kind, chosen: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, _Interval, _Values]]:
    """The same of the numbers of the techniques, with the intervals that they draw from for that kind of data."""
    for letter, technique in BY_LETTER.items():
        having = {name: rows["techniques"] for name, rows in chosen.items() if letter in Variant.parse(name).techniques}
        if not having or technique is Placebo:
            continue
        parts = (0.0, OUTER, 0.5, 1 - OUTER, _LAST)
        told = [asdict(technique.draw(DrawsAt(part), kind)) for part in parts]
        for name, first in told[0].items():
            if isinstance(first, int | float) and (drawn := _interval([each[name] for each in told])):
                values = {variant: [each[letter][name] for each in rows] for variant, rows in having.items()}
                yield f"{letter}: {name.replace('_', ' ')}", drawn, values


def _interval(told: Sequence[float]) -> _Interval | None:
    """From what is drawn at both ends, where the outer parts begin, and in the middle; None of one or two values."""
    if len(set(told[1:4])) < 3:
        return None
    first, lower, _, upper, last = sorted(told)
    return _Interval(float(f"{first:.12g}"), float(f"{last:.12g}"), lower, upper)


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
            f"The {names.get(column) or _of_technique(column)} chosen for {who} lies at the {side} edge of what is"
            f" drawn, {low} to {high}: a better one may lie beyond."
        )
    return said


def _of_technique(hyper_parameter: str) -> str:
    letter, name = hyper_parameter.split(": ")
    return f"{name} of {letter}"


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def _ends(space: Mapping[str, Any], column: str) -> tuple[float, float] | None:
    """The ends of what a hyper-parameter is drawn from; of values that are named the smallest and the largest."""
    drawn = space.get(column) or space.get(f"{column}s") or ()
    return (min(drawn), max(drawn)) if len(drawn) > 1 and min(drawn) < max(drawn) else None
