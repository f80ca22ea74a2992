"""The verdict of an interval, such as better, worse or unclear. Verdicts are made only here.

A verdict needs several studies, so that the interval includes the luck of the search. The interval must also hold for
all comparisons of its family at once (`intervals.py`). What this does not do: compute an interval.
"""

from collections.abc import Mapping
from typing import Any, Literal

ENOUGH_STUDIES = 2
"""Fewer do not show how far the luck of the search reaches."""

Verdict = Literal["better", "worse", "undecided", "tiny", "unreplicated"]
VERDICT_WORDS: Mapping[str, str] = {
    "better": "helps",
    "worse": "hurts",
    "undecided": "unclear",
    "tiny": "next to nothing",
    "unreplicated": "one study",
}
"""What is said of a technique in a table."""


def verdict(low: float, high: float, decimals: int | None = None) -> Verdict:
    """The verdict of the interval of a difference; `undecided` if it contains zero or does not exist.

    Args:
        low, high: its ends.
        decimals: number of printed decimals; an interval that is printed as reaching zero is `tiny`. None: all
            decimals.

    >>> verdict(0.1, 0.2), verdict(-0.2, -0.1), verdict(0.0, 0.2), verdict(float("nan"), float("nan"))
    ('better', 'worse', 'undecided', 'undecided')
    >>> verdict(0.004, 0.2, 2), verdict(0.006, 0.2, 2)
    ('tiny', 'better')
    """
    if not (low > 0 or high < 0):
        return "undecided"
    if decimals is not None and float(f"{max(low, -high):.{decimals}f}") == 0:
        return "tiny"
    return "better" if low > 0 else "worse"


def replicated_verdict(studies: int, low: float, high: float, decimals: int | None = None) -> Verdict:
    """The verdict of a comparison of so many studies; `unreplicated` for one study.

    >>> replicated_verdict(3, 0.1, 0.2), replicated_verdict(1, 0.1, 0.2)
    ('better', 'unreplicated')
    """
    return verdict(low, high, decimals) if studies >= ENOUGH_STUDIES else "unreplicated"


def difference_verdict(row: Mapping[str, Any], decimals: int) -> Verdict:
    """The verdict of a difference to plain SGD, from a row of scores; older rows have one study.

    >>> difference_verdict({"diff_studies": 3, "diff_sim_low": 0.1, "diff_sim_high": 0.2}, 2)
    'better'
    """
    low, high = (_number(row.get(f"diff_sim_{end}")) for end in ("low", "high"))
    return replicated_verdict(row.get("diff_studies", 1), low, high, decimals)


def effect_verdict(row: Mapping[str, Any], decimals: int) -> Verdict:
    """The verdict of the effect of a technique, from a row of effects.

    >>> effect_verdict({"fewest_studies": 3, "sim_low": -0.2, "sim_high": -0.1}, 2)
    'worse'
    """
    return replicated_verdict(row["fewest_studies"], _number(row["sim_low"]), _number(row["sim_high"]), decimals)


def told_interval(row: Mapping[str, Any], said: Verdict, single: str, simultaneous: str) -> tuple[float, float]:
    """The ends that are printed beside a verdict: those that it rests on, or the single ones if there is no verdict.

    Args:
        row: of a table.
        said: its verdict.
        single, simultaneous: beginnings of the names of the columns with the ends.

    >>> told_interval({"low": 1, "high": 2, "sim_low": 0, "sim_high": 3}, "unreplicated", "", "sim_")
    (1, 2)
    """
    prefix = single if said == "unreplicated" else simultaneous
    return row[f"{prefix}low"], row[f"{prefix}high"]


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
