"""The charts of the scores: a forest plot, the differences to plain SGD, the effects of the techniques.

Each function takes rows of the tables of `estimates.py` and returns a chart; `theme.to_svg` draws it. All are
about as wide as a phone, so that they can be read there, and stand side by side on a larger screen.
"""

from typing import Any, Literal

import altair as alt
import pandas as pd

from tasks.report.metrics import Metric
from tasks.report.statistics import Verdict, verdict
from tasks.report.theme import BETTER, INK, MUTED, OTHER, PAPER, PLAIN, UNDECIDED, WORSE, layered, rows_of
from tasks.report.variants import TECHNIQUES, is_baseline, plain_of, short_labels

WIDTH = 420
_ROW = 21
# A baseline further away than this many times the spread of the variants would squeeze them into a corner.
_STRETCH = 4.0
_COLOURS: dict[Verdict, str] = {"better": BETTER, "worse": WORSE, "undecided": UNDECIDED}


def forest(scores: pd.DataFrame, metric: Metric) -> tuple[alt.LayerChart, list[str]]:
    """Scores with intervals, best on top, baselines as dashed lines.

    Returns:
        The chart, and the baselines that lie too far away to be drawn.
    """
    labels = short_labels(scores["variant"])
    trained = scores[~scores["variant"].map(is_baseline)]
    drawn = trained[trained["mean"].notna()]
    rows = [
        {
            "label": labels[row.variant],
            "mean": row.mean,
            "low": _or(row.low, row.mean),
            "high": _or(row.high, row.mean),
            "colour": PLAIN if row.variant == plain_of(row.variant) else OTHER,
        }
        for row in _records(drawn)
    ]
    near, far = _near_baselines(scores, rows)
    y = _label_axis([labels[name] for name in trained["variant"]])
    x = alt.X(
        "low:Q", title=metric.heading, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5, format="~f")
    )
    base = alt.Chart(rows_of(rows))
    colour = alt.Color("colour:N", scale=None)
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", y=y, color=colour),
        base.mark_point(filled=True, size=70, opacity=1).encode(x="mean:Q", y=y, color=colour),
        *_baseline_layers(near),
        *_gap_layers(trained, labels, y),
        _cue("better →", alt.value(WIDTH - 110), "right")
        if metric.higher_is_better
        else _cue("← better", alt.value(0)),
    ]
    return layered(layers, WIDTH - 110, _ROW * max(1, len(trained))), far


def _cue(text: str, x: Any, align: Literal["left", "right"] = "left", dx: int = 0) -> alt.Chart:
    """Words above the plot that say which way is better."""
    base = alt.Chart(rows_of([{"zero": 0}])).mark_text(text=text, align=align, dx=dx, dy=-8, color=MUTED, fontSize=11)
    cue: alt.Chart = base.encode(x=x, y=alt.value(0))
    return cue


def _near_baselines(scores: pd.DataFrame, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    bounds = [row[side] for row in rows for side in ("low", "high")]
    baselines = scores[scores["variant"].map(is_baseline) & scores["mean"].notna()]
    labels = short_labels(scores["variant"])
    near: list[dict[str, Any]] = []
    far: list[str] = []
    for row in _records(baselines):
        spread = max([*bounds, row.mean]) - min([*bounds, row.mean])
        if bounds and spread > _STRETCH * (max(bounds) - min(bounds)):
            far.append(row.variant)
        else:
            near.append({"mean": row.mean, "label": labels[row.variant], "lift": -8 - 14 * len(near)})
    return near, far


def _baseline_layers(near: list[dict[str, Any]]) -> list[alt.Chart]:
    layers = []
    for line in near:
        base = alt.Chart(rows_of([line])).encode(x="mean:Q")
        layers.append(base.mark_rule(strokeDash=[4, 3], color=MUTED))
        text = base.mark_text(dy=line["lift"], color=MUTED, fontSize=11).encode(y=alt.value(0), text="label:N")
        layers.append(text)
    return layers


def _gap_layers(trained: pd.DataFrame, labels: dict[str, str], y: alt.Y) -> list[alt.Chart]:
    """Words in the rows that would be empty without a reason."""
    unscored = trained[trained["mean"].isna()]
    rows = [{"label": labels[r.variant], "why": "held back" if r.held_back else "no score"} for r in _records(unscored)]
    text = alt.Chart(rows_of(rows)).mark_text(align="right", color=MUTED, fontSize=11)
    return [text.encode(x=alt.value(WIDTH - 110), y=y, text="why:N")] if rows else []


def differences(scores: pd.DataFrame, metric: Metric) -> alt.LayerChart:
    """How much better than plain SGD each variant is, row for row beside the forest plot; plain SGD itself at zero."""
    labels = short_labels(scores["variant"])
    trained = scores[~scores["variant"].map(is_baseline)]
    compared = trained[trained["difference"].notna()]
    rows = [_judged(labels[row.variant], row.difference, row.diff_low, row.diff_high) for row in _records(compared)]
    order = [labels[name] for name in trained["variant"]]
    title = f"difference to plain SGD ({metric.measure})"
    y = _label_axis(order)
    plain = [{"label": labels[name], "value": 0} for name in dict.fromkeys(compared["reference"])]
    zero = alt.Chart(rows_of(plain)).mark_point(filled=True, size=70, opacity=1, color=PLAIN)
    layers = [
        *_judged_layers(rows, order, title),
        zero.encode(x="value:Q", y=y),
        *_gap_layers(trained, labels, y),
    ]
    return layered(layers, WIDTH - 110, _ROW * max(1, len(order)))


def effects(table: pd.DataFrame, metric: Metric) -> alt.LayerChart:
    """What each technique changes on average, over the changes in the single pairs of variants."""
    told = table[table["n_pairs"] > 0]
    rows, pairs, order = [], [], []
    for row in _records(told):
        label = f"{row.technique}  {TECHNIQUES[row.technique]}"
        order.append(label)
        rows.append(_judged(label, row.effect, row.low, row.high))
        pairs += [{"label": label, "pair": difference} for _, _, difference in row.pairs]
    title = f"change when added ({metric.measure})"
    ticks = alt.Chart(rows_of(pairs)).mark_tick(color=MUTED, thickness=1.2, size=12, opacity=0.7, yOffset=13)
    ticks = ticks.encode(x="pair:Q", y=_label_axis(order))
    layers = [ticks, *_judged_layers(rows, order, title)]
    return layered(layers, WIDTH - 185, 46 * max(1, len(order)))


def _judged(label: str, value: float, low: float, high: float) -> dict[str, Any]:
    colour = _COLOURS[verdict(low, high)]
    return {
        "label": label,
        "value": value,
        "low": _or(low, value),
        "high": _or(high, value),
        "colour": colour,
        "fill": PAPER if colour == UNDECIDED else colour,
    }


def _judged_layers(rows: list[dict[str, Any]], order: list[str], title: str) -> list[alt.Chart]:
    y = _label_axis(order)
    base = alt.Chart(rows_of(rows))
    colour = alt.Stroke("colour:N", scale=None)
    x = alt.X("low:Q", title=title, scale=alt.Scale(nice=True), axis=alt.Axis(tickCount=4, format="~f"))
    point = {"x": "value:Q", "y": y, "stroke": colour, "fill": alt.Fill("fill:N", scale=None)}
    return [
        alt.Chart(rows_of([{"zero": 0}])).mark_rule(color=INK, strokeWidth=1).encode(x="zero:Q"),
        _cue("better →", "zero:Q", dx=6),
        _cue("← worse", "zero:Q", "right", dx=-6),
        base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", y=y, stroke=colour),
        base.mark_point(size=55, strokeWidth=2, opacity=1).encode(**point),
    ]


def _label_axis(order: list[str]) -> alt.Y:
    axis = alt.Axis(grid=True, labelLimit=260)
    return alt.Y("label:N", sort=order, scale=alt.Scale(domain=order), title=None, axis=axis)


def _or(value: float, other: float) -> float:
    return other if pd.isna(value) else value


def _records(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples(index=False))
