"""The charts of the training: learning curves of the chosen configurations, and the random search.

A panel of the curves holds a variant without clipping and the same variant with it, so that the eye can compare
them; every panel of a corpus has the same axes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from tasks.report.charts.colours import CIRCLE, FIRST, FOURTH, INK, MUTED, OTHER, SQUARE, THIRD, WORSE
from tasks.report.charts.scores import WIDTH
from tasks.report.charts.telling import of_mark, words
from tasks.report.charts.theme import layered, rows_of
from tasks.report.numbers.formatting import number, significant
from tasks.report.numbers.variant_titles import Variant, short_labels, subset_order

PANEL_WIDTH = 280
_MOST_POINTS = 120
# Search trials are coloured by the two techniques that bear on which learning rates can be used.
GROUPS = {"neither": FIRST, "C": OTHER, "M": THIRD, "C and M": FOURTH}
_TILTS = {"diverged": 45, "untrained": 0}
"""Rotation of the cross of a trial without a score, by its status."""
_ENDED = {"diverged": "it diverged here", "untrained": "it learned nothing"}
_SHAPES = {"neither": SQUARE, "C": CIRCLE, "M": "triangle-up", "C and M": "diamond"}


def curve_panels(curves: pd.DataFrame, trials: pd.DataFrame) -> list[tuple[str, alt.LayerChart]]:
    """Validation curves of the final trials of one corpus, a (title, chart) for each pair without/with C.

    Thin lines are single seeds, the thick line is their mean over the epochs that all completed seeds reached, dashed
    without clipping; a cross is where a seed diverged, an upright one where one ended that learned nothing.
    """
    finals = trials[trials["purpose"] == "final"]
    curves = curves[np.isfinite(curves["valid"])]
    if curves.empty:
        return []
    ended = {trial["key"]: trial for trial in finals.to_dict("records")}
    labels = short_labels(finals["variant"].unique())
    panels: dict[str, list[str]] = {}
    for variant in sorted(labels, key=subset_order):
        panels.setdefault(Variant.parse(variant).without_technique("C").name, []).append(variant)
    axes, floor = _axes(curves)
    charts = []
    for members in panels.values():
        layers = [layer for v in members for layer in _lines(curves[curves["variant"] == v], ended, axes, floor)]
        if layers:
            chart = layered(layers, PANEL_WIDTH - 60, 150)
            charts.append((" and ".join(labels[v] for v in members), chart))
    return charts


def _axes(curves: pd.DataFrame) -> tuple[dict[str, Any], float]:
    """Shared axes, cut below so that the ends of the curves, which differ little, fill half of the picture."""
    ends_of_curves, high = curves.groupby("key")["valid"].last(), curves["valid"].max()
    low = min(2 * ends_of_curves.quantile(0.1) - high, curves["valid"].median())
    margin = 0.08 * (high - low) or 0.1
    ends, floor = [0, float(curves["update"].max())], float(low - margin)
    axes = {
        "x": alt.X("update:Q", title="updates", scale=alt.Scale(domain=ends, nice=False), axis=alt.Axis(tickCount=4)),
        "y": alt.Y(
            "valid:Q",
            title=None,
            scale=alt.Scale(domain=[floor, float(high + margin)], zero=False, nice=False),
            axis=alt.Axis(tickCount=5, format="~f"),
        ),
    }
    return axes, floor


def _with_seconds(curve: pd.DataFrame, trial: Mapping[str, Any]) -> pd.DataFrame:
    """The training time of a trial: its seconds, spread evenly over its updates; NaN if they are not known."""
    each = float(trial["seconds"]) / float(trial["updates"]) if trial["updates"] else np.nan
    return curve.assign(seconds=curve["update"] * each)


def _lines(
    curves: pd.DataFrame, ended: Mapping[str, Mapping[str, Any]], axes: dict[str, Any], floor: float
) -> list[alt.Chart]:
    """The lines of one variant; a cross below the picture is drawn at its lower edge."""
    names = curves["variant"].unique()
    clipped = any("C" in Variant.parse(variant).techniques for variant in names)
    colour = OTHER if clipped else FIRST
    layers = []
    complete = []
    for key, curve in curves.groupby("key"):
        trial = ended[str(key)]
        curve = _with_seconds(curve.sort_values("update"), trial)
        name = f"{names[0]}, study {int(trial['study']) + 1}, seed {int(trial['seed'])}"
        layers.append(_line(curve, name, colour, axes, width=0.8, opacity=0.55))
        if trial["status"] == "completed":
            complete.append(curve)
        else:
            end = rows_of([point | {"valid": max(point["valid"], floor)} for point in _points(curve.tail(1))])
            told = of_mark(names[0], f"{name}\n{_ENDED[trial['status']]}", _places(curve.tail(1)))
            cross = alt.Chart(end).mark_point(
                shape="cross", angle=_TILTS[trial["status"]], size=90, color=WORSE, filled=True, clip=True, **told
            )
            layers.append(cross.encode(**axes))
    if complete:
        shortest = min(len(curve) for curve in complete)
        columns = ["update", "epoch", "seconds", "valid"]
        stacked = [curve.head(shortest)[columns].to_numpy(np.float64) for curve in complete]
        mean = pd.DataFrame(np.mean(stacked, axis=0), columns=columns).assign(variant=names[0])
        name, dash = f"{names[0]}, mean of its seeds", (1, 0) if clipped else (7, 4)
        layers.append(_line(mean, name, colour, axes, width=2.4, opacity=1.0, dash=dash))
    return layers


def _line(
    curve: pd.DataFrame,
    name: str,
    colour: str,
    axes: dict[str, Any],
    width: float,
    opacity: float,
    dash: tuple[int, int] = (1, 0),
) -> alt.Chart:
    thin = curve.iloc[np.unique(np.linspace(0, len(curve) - 1, _MOST_POINTS).astype(int))]
    told = of_mark(thin["variant"].iloc[0], name, _places(thin), [number(valid, 3) for valid in thin["valid"]])
    base = alt.Chart(rows_of(_points(thin))).mark_line(
        color=colour, strokeWidth=width, opacity=opacity, strokeDash=dash, clip=True, **told
    )
    line: alt.Chart = base.encode(**axes)
    return line


def _places(curve: pd.DataFrame) -> dict[str, Sequence[float]]:
    """The places of a curve's points on each axis; without seconds if they are not known."""
    names = {"updates": "update", "epochs": "epoch", "seconds": "seconds"}
    columns = {name: [float(f"{value:.4g}") for value in curve[column]] for name, column in names.items()}
    return {name: values for name, values in columns.items() if np.isfinite(values).all()}


def _points(curve: pd.DataFrame) -> list[dict[str, Any]]:
    return [{"update": float(u), "valid": float(v)} for u, v in zip(curve["update"], curve["valid"], strict=True)]


def techniques_group(variant: str) -> str:
    """The group of `GROUPS` that a variant is coloured by.

    >>> techniques_group("rnn/bernoulli/SGD+CLM"), techniques_group("rnn/bernoulli/SGD+L")
    ('C and M', 'neither')
    """
    return " and ".join(letter for letter in "CM" if letter in Variant.parse(variant).techniques) or "neither"


def search_scatter(trials: pd.DataFrame, step: str) -> alt.LayerChart | None:
    """Validation log-likelihood of every search trial against its learning rate.

    Trials that diverged or learned nothing are crosses below the lowest value of the axis; those that learned nothing
    are upright. Scores far below the median are at the lower edge, with a small arrow. The chosen trials have a ring.
    None if nothing was searched.
    """
    search = trials[(trials["purpose"] == "search") & trials["learning_rate"].between(0, np.inf, inclusive="neither")]
    valid = search.loc[(search["status"] == "completed") & np.isfinite(search["valid"]), "valid"]
    if search.empty:
        return None
    best, median = (valid.max(), valid.median()) if len(valid) else (0.0, -1.0)
    spread = max(best - median, 1e-3)
    floor, strip = best - 3.5 * spread, best - 4.1 * spread
    rows = []
    for row in search.itertuples():
        lost = row.status in _TILTS
        if not lost and not (row.status == "completed" and np.isfinite(row.valid)):
            continue
        height = strip if lost else max(row.valid, floor)
        group = techniques_group(row.variant)
        shown = {"rate": row.learning_rate, "valid": height, "colour": GROUPS[group], "chosen": bool(row.selected)}
        shown |= {"told": _told(row), "variant": words(variant=row.variant)}
        rows.append(
            shown | ({"shape": "cross", "tilt": _TILTS[row.status]} if lost else {"shape": _SHAPES[group], "tilt": 0})
        )
        rows[-1]["below"] = not lost and bool(row.valid < floor)
    return _scatter(rows, f"validation log-likelihood (nats per {step})", (strip, float(best)), spread)


def _told(row: Any) -> str:
    came_to = {"diverged": "diverged", "untrained": "learned nothing"}.get(row.status) or number(row.valid, 3)
    rate = significant(row.learning_rate)
    return words(f"{row.variant}, study {int(row.study) + 1}\nlearning rate {rate}: {came_to}", row.variant)


def _scatter(rows: list[dict[str, Any]], title: str, ends: tuple[float, float], spread: float) -> alt.LayerChart:
    strip, best = ends
    scale = alt.Scale(domain=[strip - 0.3 * spread, best + 0.3 * spread], nice=False, zero=False)
    # below the floor lies the strip of the trials without a score, which has no values: no label there
    axis = alt.Axis(tickCount=6, format="~f", labelExpr=f"datum.value < {strip + 0.5 * spread} ? '' : datum.label")
    rates = [row["rate"] for row in rows] or [1.0]
    between = (1, 2, 5) if max(rates) < 100 * min(rates) else (1,)
    ticks = alt.Axis(values=[float(f"{digit}e{power}") for power in range(-9, 3) for digit in between], format="~g")
    x = alt.X("rate:Q", title="learning rate", scale=alt.Scale(type="log", nice=False, padding=8), axis=ticks)
    where = {"x": x, "y": alt.Y("valid:Q", title=title, scale=scale, axis=axis)}
    shape = alt.Shape("shape:N", scale=None)
    look = {"color": alt.Color("colour:N", scale=None), "shape": shape, "angle": alt.Angle("tilt:Q", scale=None)}
    points, rings, heads = [], [], []
    # all variants are tried at the same few rates: a group stands some pixels beside the next, not on top of it
    for place, colour in enumerate(GROUPS.values()):
        aside = 3.6 * (place - 1.5)
        mine = [row for row in rows if row["colour"] == colour]
        chosen, below = ([row for row in mine if row[mark]] for mark in ("chosen", "below"))
        base, ring, head = (alt.Chart(rows_of(each)) for each in (mine, chosen, below))
        told, owner = alt.Description("told:N"), alt.Description("variant:N")
        base = base.mark_point(filled=True, size=50, opacity=0.8, xOffset=aside, aria=True)
        points.append(base.encode(**where, **look, description=told))
        ring = ring.mark_point(size=130, strokeWidth=1.6, color=INK, opacity=1, xOffset=aside, aria=True)
        rings.append(ring.encode(**where, description=owner))
        head = head.mark_point(
            shape="triangle-down", filled=True, size=22, yOffset=8, xOffset=aside, color=MUTED, aria=True
        )
        heads.append(head.encode(**where, description=owner))
    line = alt.Chart(rows_of([{"valid": strip + 0.3 * spread}])).mark_rule(color=MUTED, strokeDash=[2, 3])
    label = alt.Chart(rows_of([{"valid": strip}])).mark_text(
        text="not trained", color=MUTED, fontSize=11, align="left", dx=4
    )
    rule, words = line.encode(y=where["y"]), label.encode(y=where["y"], x=alt.value(0))
    return layered([rule, words, *heads, *points, *rings], WIDTH - 75, 260)
