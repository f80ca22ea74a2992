"""The measures of ease of training, and the independent numbers behind a row of their tables.

Rows of one measure are a family of comparisons: their verdicts use intervals that hold for all of them at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isnan
from typing import Any

from tasks.report.numbers.closed_forms import Interval, mean_interval, paired_share_interval, shared_level
from tasks.report.numbers.intervals import LEVEL
from tasks.report.numbers.verdicts import ENOUGH_STUDIES, verdict

Row = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """A measure of ease.

    Attributes:
        name: in the tables.
        unit: of a value: `times`, with over without, or `points` of percent of the draws.
        sign: 1 if more is better, -1 if less is better.
        decimals: number of printed decimals.
    """

    name: str
    unit: str
    sign: int
    decimals: int

    @property
    def neutral(self) -> float:
        """The value of what changes nothing."""
        return 1.0 if self.unit == "times" else 0.0


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("epochs", "times", -1, 2),
        Measure("updates", "times", -1, 2),
        Measure("seconds", "times", -1, 2),
        Measure("diverged", "points", -1, 1),
        Measure("untrained", "points", -1, 1),
        Measure("trained", "points", 1, 1),
        Measure("good", "points", 1, 1),
    )
}


@dataclass(frozen=True)
class Logs:
    """Logarithms of ratios, one for each study, and the smallest variance that they can have."""

    values: Sequence[float]
    rounding: float

    def interval(self, level: float) -> Interval:
        """The geometric mean of the ratios."""
        return Interval(*map(exp, mean_interval(self.values, level, self.rounding)))


@dataclass(frozen=True)
class Points:
    """Differences of shares, one number for each draw."""

    values: Sequence[float]

    def interval(self, level: float) -> Interval:
        """Their mean in points of percent."""
        value, low, high = paired_share_interval(self.values, level)
        return Interval(100 * value, 100 * low, 100 * high)


def fill(measure: Measure, family: Sequence[tuple[Row, Logs | Points]]) -> None:
    """Give the rows of a measure their values, their single and simultaneous intervals, and their verdicts.

    The intervals hold at once for the rows that may have a verdict; epochs of one study have none.
    """
    single = [sample.interval(LEVEL) for _, sample in family]
    level = shared_level(LEVEL, sum(not isnan(each.low) for each in single))
    for (row, sample), (value, low, high) in zip(family, single, strict=True):
        _, *ends = sample.interval(level)
        row |= {"measure": measure.name, "unit": measure.unit, "value": value, "low": low, "high": high}
        row |= {"sim_low": ends[0], "sim_high": ends[1]}
        row["verdict"] = _word(measure, row)


def _word(measure: Measure, row: Row) -> str:
    """The verdict of a row; a share of draws needs no second study, because its interval is over the draws themselves.

    An end that is printed as no change counts as no change.
    """
    if isnan(row["value"]):
        return ""
    if measure.unit == "times" and row["fewest_studies"] < ENOUGH_STUDIES:
        return "unreplicated"
    low, high = sorted(measure.sign * (row[end] - measure.neutral) for end in ("sim_low", "sim_high"))
    said = verdict(low, high, measure.decimals)
    return "undecided" if said == "tiny" else said


def counts(pairs: Sequence[tuple[int, int]]) -> Row:
    """The number of pairs of variants, and the smallest and largest numbers of their studies and seeds."""
    told: Row = {"n_pairs": len(pairs)}
    for place, name in enumerate(("studies", "seeds")):
        numbers = [pair[place] for pair in pairs]
        told |= {f"fewest_{name}": min(numbers, default=0), f"most_{name}": max(numbers, default=0)}
    return told
