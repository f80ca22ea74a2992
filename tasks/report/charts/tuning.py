"""The chart of the score against the tuning budget: one line for each variant, and a few of them named."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from tasks.report.charts.colours import FIRST, MUTED, OTHER, THIRD
from tasks.report.charts.scores import WIDTH
from tasks.report.charts.telling import of_mark, words
from tasks.report.charts.theme import layered, rows_of
from tasks.report.numbers.formatting import number
from tasks.report.numbers.variant_titles import Variant, main_variants, plain_of
from tasks.report.training.tuning import Tuning, best_with

_FOR_NAMES = 0.45
"""How far the picture goes on to the right of the lines, where their names are, as a part of their length."""


def tuning_chart(told: Sequence[Tuning], step: str) -> alt.LayerChart | None:
    """Expected best validation score over the number of draws, for the main core and output model.

    Plain SGD is dashed. The best variant with one draw and the best with all draws have a colour and a name; the others
    are grey. None if no variant has two draws.
    """
    main = main_variants(each.variant for each in told)
    shown = [each for each in told if each.variant in main]
    most = min((len(each.expected_K) for each in shown), default=0)
    if most < 2:
        return None
    first, last = (best_with(shown, draws).variant for draws in (1, most))
    colours = {first: THIRD, last: OTHER, plain_of(last): FIRST}
    values = [value for each in shown for value in each.expected_K[:most]]
    low, high = float(min(values)), float(max(values))
    margin = 0.06 * (high - low) or 0.1
    scale = alt.Scale(domain=[low - margin, high + margin], nice=False, zero=False)
    where = {
        "x": alt.X(
            "k:Q",
            title="draws that are tried",
            scale=alt.Scale(domain=[1, most + _FOR_NAMES * (most - 1)], nice=False),
            axis=alt.Axis(values=list(range(1, most + 1)) if most <= 12 else [1, *range(5, most + 1, 5)], format="d"),
        ),
        "y": alt.Y(
            "valid:Q",
            title=f"expected best (nats per {step})",
            scale=scale,
            axis=alt.Axis(tickCount=6, format="~f"),
        ),
    }
    grey = [_line(each, most, where, MUTED, width=0.8, dash=(1, 0)) for each in shown if each.variant not in colours]
    named = [
        _line(
            each,
            most,
            where,
            colours[each.variant],
            width=2.4,
            dash=(7, 4) if colours[each.variant] == FIRST else (1, 0),
        )
        for each in shown
        if each.variant in colours
    ]
    ends = [
        {
            "k": most,
            "valid": float(each.expected_K[most - 1]),
            "label": Variant.parse(each.variant).tail,
            "colour": colours[each.variant],
            "told": words(variant=each.variant),
        }
        for each in shown
        if each.variant in colours
    ]
    names = alt.Chart(rows_of(_apart(ends, (high - low) / 14))).mark_text(align="left", dx=6, fontSize=12, aria=True)
    colour, description = alt.Color("colour:N", scale=None), alt.Description("told:N")
    names = names.encode(text="label:N", color=colour, description=description, **where)
    return layered([*grey, *named, names], WIDTH - 60, 250)


def _line(
    each: Tuning, most: int, where: dict[str, Any], colour: str, width: float, dash: tuple[int, int]
) -> alt.Chart:
    rows = [{"k": k + 1, "valid": float(each.expected_K[k])} for k in range(most)]
    told = of_mark(
        each.variant,
        Variant.parse(each.variant).tail,
        {"draws": [row["k"] for row in rows]},
        [number(row["valid"], 3) for row in rows],
    )
    line = alt.Chart(rows_of(rows)).mark_line(color=colour, strokeWidth=width, strokeDash=dash, **told)
    encoded: alt.Chart = line.encode(**where)
    return encoded


def _apart(ends: list[dict[str, Any]], least: float) -> list[dict[str, Any]]:
    """The names of lines with close ends, moved so that each can be read; from the highest downwards."""
    ordered = sorted(ends, key=lambda end: -end["valid"])
    for above, below in zip(ordered, ordered[1:], strict=False):
        below["valid"] = min(below["valid"], above["valid"] - least)
    return ordered
