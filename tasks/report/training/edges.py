"""Chosen hyper-parameters at the edge of the interval that they are drawn from: the best value may lie beyond.

A value is at an edge if it is in the outer tenth of its interval, on the scale on which it is drawn. Learning rates are
drawn on the logarithmic scale, numbers of units as they are, and the numbers of a technique as the technique draws
them. With two possible values each is at an edge, which says nothing. An edge is reported if it is chosen in most
studies of a variant, and in at least two.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from models.data_kinds import Kind
from models.randomness import LAST_PART, DrawsAt
from models.ranges import Interval, Range, Scale, Values
from models.techniques import Placebo
from models.variants import BY_LETTER
from tasks.campaign import Space
from tasks.report.numbers.formatting import joined, setting
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import Variant, short_labels
from tasks.report.numbers.verdicts import ENOUGH_STUDIES
from tasks.report.training.measures import Row

OUTER = 0.1
"""The part of an interval at each of its ends that is its edge."""


@dataclass(frozen=True)
class _Common:
    """A hyper-parameter of all variants: what it is called, its column in the table of trials, its scale."""

    name: str
    column: str
    scale: Scale


_COMMON = (_Common("learning rate", "learning_rate", "log"), _Common("number of hidden units", "hidden_size", "linear"))


@dataclass(frozen=True)
class _Interval:
    """What a hyper-parameter is drawn from: its ends, and the values where the outer parts begin."""

    low: float
    high: float
    lower: float
    upper: float

    def edge(self, value: float) -> str:
        """The edge at which a value lies, `lower` or `upper`; "" if at none.

        >>> [_Interval(0.0, 1.0, 0.1, 0.9).edge(value) for value in (0.5, 0.1, 0.95)]
        ['', 'lower', 'upper']
        """
        return "lower" if value <= self.lower else "upper" if value >= self.upper else ""


def edge_rows(results: Results, corpus: str) -> list[Row]:
    """One row for each variant and hyper-parameter that was chosen at the same edge in most studies of the variant.

    `hyper_parameter` is the column of the table of trials, or `M: momentum` for a technique.
    """
    trials = results.trials
    chosen = trials[(trials["corpus"] == corpus) & trials["selected"].astype(bool)]
    kind: Kind = results.corpora[corpus]["kind"]
    space = Space.from_json(results.campaign.get("spaces", {}).get(corpus, {}))
    rows: list[Row] = []
    for variant in results.variants(corpus):
        mine = chosen[chosen["variant"] == variant]
        ranges = space.of(variant)
        for name, drawn, values in (*_of_all(ranges, mine), *_of_techniques(variant, kind, ranges, mine)):
            places = [drawn.edge(value) for value in values]
            for side in ("lower", "upper"):
                if places.count(side) >= ENOUGH_STUDIES and 2 * places.count(side) > len(places):
                    told: Row = {"edge": side, "studies": places.count(side), "of": len(places)}
                    told |= {"corpus": corpus, "variant": variant, "hyper_parameter": name}
                    rows.append(told | {"low": drawn.low, "high": drawn.high})
    first = {name: place for place, name in reversed(list(enumerate(row["hyper_parameter"] for row in rows)))}
    return sorted(rows, key=lambda row: first[row["hyper_parameter"]])


def _of_all(ranges: Mapping[str, Range], chosen: pd.DataFrame) -> Iterator[tuple[str, _Interval, list[float]]]:
    """What every variant has, and the chosen values."""
    for each in _COMMON:
        if (drawn := _between_ends(ranges.get(each.column), each.scale)) is not None:
            interval = _Interval(drawn.low, drawn.high, drawn.at(OUTER), drawn.at(1 - OUTER))
            yield each.column, interval, chosen[each.column].astype(float).tolist()


def _of_techniques(
    variant: str, kind: Kind, ranges: Mapping[str, Range], chosen: pd.DataFrame
) -> Iterator[tuple[str, _Interval, list[float]]]:
    """The same of the numbers of its techniques, with what they draw from for that kind of data."""
    for letter in Variant.parse(variant).techniques:
        technique = BY_LETTER.get(letter)
        if technique is None or technique is Placebo:  # of a package that is not here, or nobody's number
            continue
        parts = (0.0, OUTER, 0.5, 1 - OUTER, LAST_PART)
        told = [asdict(technique.draw(DrawsAt(part, ranges), kind)) for part in parts]
        for name, first in told[0].items():
            if isinstance(first, int | float) and (drawn := _interval([each[name] for each in told])):
                yield (
                    f"{letter}: {name.replace('_', ' ')}",
                    drawn,
                    [each[letter][name] for each in chosen["techniques"]],
                )


def _interval(told: Sequence[float]) -> _Interval | None:
    """The interval of a draw, with the places where its outer parts begin; None for one or two values."""
    if len(set(told[1:4])) < 3:
        return None
    first, lower, _, upper, last = sorted(told)
    return _Interval(float(f"{first:.12g}"), float(f"{last:.12g}"), lower, upper)


def edge_sentences(rows: Sequence[Row], variants: Sequence[str]) -> list[str]:
    """A sentence a hyper-parameter and edge, of the rows of one corpus."""
    labels = short_labels(variants)
    names = {each.column: each.name for each in _COMMON}
    alike: dict[tuple[str, str, float, float], list[Row]] = {}
    for row in rows:
        alike.setdefault((row["hyper_parameter"], row["edge"], row["low"], row["high"]), []).append(row)
    said = []
    for (column, side, *_), told in alike.items():
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


def _between_ends(drawn: Range | None, scale: Scale) -> Interval | None:
    """The interval that is drawn from; of values that are named that from the smallest to the largest."""
    if isinstance(drawn, Values):
        numbers = set(drawn.options)
        return Interval(min(numbers), max(numbers), scale) if len(numbers) > 1 else None
    return drawn
