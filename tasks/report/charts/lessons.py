"""Two figures that explain techniques: the effect of clipping on an update, and of a leaky unit on a value."""

from typing import Any

import altair as alt

from tasks.report.charts.colours import FIRST, FOURTH, MUTED, OTHER, THIRD
from tasks.report.charts.theme import layered, rows_of
from tasks.report.teaching.lessons import RETENTIONS, STEPS, THRESHOLD, clipped_norms, values_left

_WIDTH, _HEIGHT = 300, 200
_LARGEST, _BY = 60, 1
_FOR_NAMES = 0.5
"""How far the axis goes on behind the lines, where their names are, as a part of their length."""


def clipping_lesson() -> alt.LayerChart:
    """The norm of the applied gradient over that of the computed gradient, with clipping and without."""
    norms = [float(norm) for norm in range(0, _LARGEST + _BY, _BY)]
    lines = {"without clipping": norms, "with clipping": clipped_norms(norms)}
    colours = {"without clipping": FIRST, "with clipping": OTHER}
    where = _axes("norm of the gradient", "norm of what is applied", _LARGEST, _LARGEST, 15)
    layers = [
        _line(norms, line, colours[name], where, dashed=name.startswith("without")) for name, line in lines.items()
    ]
    threshold = alt.Chart(rows_of([{"x": THRESHOLD}])).mark_rule(color=MUTED, strokeDash=[2, 3])
    ends = [{"x": norms[-1], "y": line[-1], "label": name, "colour": colours[name]} for name, line in lines.items()]
    return layered([threshold.encode(x=alt.X("x:Q")), *layers, _names(ends, where)], _WIDTH, _HEIGHT)


def leak_lesson() -> alt.LayerChart:
    """The part of a value that is left over the steps, for units with different retentions."""
    colours = dict(zip(RETENTIONS, (FIRST, THIRD, FOURTH, OTHER), strict=True))
    where = _axes("steps later", "what is left of a value", STEPS, 1, 10)
    steps = [float(step) for step in range(STEPS + 1)]
    lines = {name: values_left(retention) for name, retention in RETENTIONS.items()}
    layers = [_line(steps, line, colours[name], where, dashed=name == "no leak") for name, line in lines.items()]
    # Three of the lines end at zero: their names stand one above the other.
    moved = {"no leak": 0.04, "retention 0.2": 0.12, "update rate 0.2": 0.2, "update rate 0.02": 0.0}
    ends = [
        {"x": steps[-1], "y": line[-1] + moved[name], "label": name, "colour": colours[name]}
        for name, line in lines.items()
    ]
    return layered([*layers, _names(ends, where)], _WIDTH, _HEIGHT)


def _axes(x: str, y: str, right: float, top: float, every: float) -> dict[str, Any]:
    ticks = [every * k for k in range(int(right / every) + 1)]
    return {
        "x": alt.X(
            "x:Q",
            title=x,
            scale=alt.Scale(domain=[0, right * (1 + _FOR_NAMES)], nice=False),
            axis=alt.Axis(values=ticks, format="d", titleAnchor="start"),
        ),
        "y": alt.Y(
            "y:Q", title=y, scale=alt.Scale(domain=[0, top], nice=False), axis=alt.Axis(tickCount=4, format="~f")
        ),
    }


def _line(x: list[float], y: list[float], colour: str, where: dict[str, Any], *, dashed: bool) -> alt.Chart:
    rows = [{"x": a, "y": b} for a, b in zip(x, y, strict=True)]
    line = alt.Chart(rows_of(rows)).mark_line(color=colour, strokeWidth=2.4, strokeDash=(7, 4) if dashed else (1, 0))
    encoded: alt.Chart = line.encode(**where)
    return encoded


def _names(ends: list[dict[str, Any]], where: dict[str, Any]) -> alt.Chart:
    names = alt.Chart(rows_of(ends)).mark_text(align="left", dx=6, fontSize=12)
    encoded: alt.Chart = names.encode(text="label:N", color=alt.Color("colour:N", scale=None), **where)
    return encoded
