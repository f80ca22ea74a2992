"""The charts of the scores: a forest plot, the differences to plain SGD, the effects of the techniques.

Each function takes rows of the tables of `estimates.py` and returns a chart; `theme.to_svg` draws it. All are
about as wide as a phone, so that they can be read there, and stand side by side on a larger screen.
"""

from typing import Any, Literal

import altair as alt
import pandas as pd

from tasks.report.charts.colours import BETTER, CIRCLE, FIRST, INK, MUTED, OTHER, PAPER, SQUARE, UNDECIDED, WORSE
from tasks.report.charts.telling import words
from tasks.report.charts.theme import layered, rows_of
from tasks.report.numbers.formatting import interval, number, signed
from tasks.report.numbers.metrics import Metric
from tasks.report.numbers.variant_titles import TECHNIQUES, is_baseline, plain_of, short_labels
from tasks.report.numbers.verdicts import Verdict, difference_verdict, effect_verdict

WIDTH = 420
_ROW = 21
# A baseline that makes the axis longer than this many times the spread of the variants would squeeze them together.
_STRETCH = 1.5
_TOLD = alt.Description("told:N")
_COLOURS: dict[Verdict, str] = {"better": BETTER, "worse": WORSE}


def forest_chart(scores: pd.DataFrame, metric: Metric) -> alt.LayerChart:
    """Scores with intervals, best on top, baselines below; one that lies far off is a number at the edge."""
    labels = short_labels(scores["variant"])
    rows = [_scored(labels[row.variant], row, metric) for row in _records(scores[scores["mean"].notna()])]
    trained = [row for row in rows if row["colour"] != MUTED]
    ends = _ends(trained or rows)
    near = [row for row in rows if row in trained or _is_near(row, ends)]
    y = _label_axis([labels[name] for name in scores["variant"]])
    x = alt.X(
        "low:Q", title=metric.heading, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5, format="~f")
    )
    base = alt.Chart(rows_of(near))
    colour = alt.Color("colour:N", scale=None)
    shape = alt.Shape("shape:N", scale=None)
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=x, x2=alt.X2("high:Q"), y=y, color=colour),
        base.mark_point(filled=True, size=70, opacity=1, aria=True).encode(
            x=alt.X("mean:Q"), y=y, color=colour, shape=shape, description=_TOLD
        ),
        *_edge_layers([row for row in rows if row not in near], ends, metric, y),
        *_gap_layers(scores[scores["mean"].isna()], labels, y),
        _cue("better →", alt.value(WIDTH - 110), "right")
        if metric.higher_is_better
        else _cue("← better", alt.value(0)),
    ]
    return layered(layers, WIDTH - 110, _ROW * max(1, len(scores)), list(scores["variant"]))


def _scored(label: str, row: Any, metric: Metric) -> dict[str, Any]:
    plain = row.variant == plain_of(row.variant)
    return {
        "told": _told(label, number(row.mean, metric.decimals), (row.low, row.high), metric),
        "label": label,
        "mean": row.mean,
        "low": _or(row.low, row.mean),
        "high": _or(row.high, row.mean),
        "colour": MUTED if is_baseline(row.variant) else FIRST if plain else OTHER,
        "shape": SQUARE if plain else CIRCLE,
    }


def _told(label: str, value: str, ends: tuple[float, float], metric: Metric) -> str:
    """The words of a mark: its name, its value with the interval, and the unit."""
    return words(f"{label}\n{f'{value} {interval(*ends, metric.decimals)}'.rstrip()} {metric.measure}")


def _ends(rows: list[dict[str, Any]]) -> tuple[float, float]:
    return min((row["low"] for row in rows), default=0.0), max((row["high"] for row in rows), default=0.0)


def _is_near(row: dict[str, Any], ends: tuple[float, float]) -> bool:
    low, high = ends
    return bool(max(high, row["high"]) - min(low, row["low"]) <= _STRETCH * (high - low))


def _edge_layers(far: list[dict[str, Any]], ends: tuple[float, float], metric: Metric, y: alt.Y) -> list[alt.Chart]:
    """The baselines off the scale, as numbers at the edge on their side."""
    layers = []
    for row in far:
        value, below = number(row["mean"], metric.decimals), row["mean"] < ends[0]
        text = f"← {value}" if below else f"{value} →"
        mark = alt.Chart(rows_of([row])).mark_text(text=text, align="left" if below else "right", color=MUTED)
        layers.append(mark.encode(x=alt.value(2 if below else WIDTH - 112), y=y))
    return layers


def _cue(text: str, x: Any, align: Literal["left", "right"] = "left", dx: int = 0) -> alt.Chart:
    """Words above the plot that say which way is better."""
    base = alt.Chart(rows_of([{"zero": 0}])).mark_text(text=text, align=align, dx=dx, dy=-8, color=MUTED, fontSize=11)
    cue: alt.Chart = base.encode(x=x, y=alt.value(0))
    return cue


def _gap_layers(rows: pd.DataFrame, labels: dict[str, str], y: alt.Y) -> list[alt.Chart]:
    """Words in the rows that have no score, with the reason."""
    told = [{"label": labels[row.variant], "why": _why_empty(row)} for row in _records(rows)]
    text = alt.Chart(rows_of(told)).mark_text(align="right", color=MUTED, fontSize=11)
    return [text.encode(x=alt.value(WIDTH - 110), y=y, text=alt.Text("why:N"))] if told else []


def _why_empty(row: Any) -> str:
    return "baseline" if is_baseline(row.variant) else "held back" if row.held_back else "no score"


def difference_chart(scores: pd.DataFrame, metric: Metric) -> alt.LayerChart:
    """The difference of each variant to plain SGD, row for row beside the forest plot; plain SGD itself is at zero."""
    labels = short_labels(scores["variant"])
    compared = scores[scores["difference"].notna()]
    empty = scores[scores["mean"].isna() | scores["variant"].map(is_baseline)]
    rows = [
        _judged(
            labels[row.variant],
            row.difference,
            (row.diff_low, row.diff_high),
            difference_verdict(row._asdict(), metric.decimals),
            metric,
        )
        for row in _records(compared)
    ]
    order = [labels[name] for name in scores["variant"]]
    title = f"difference to plain SGD ({metric.measure})"
    y = _label_axis(order)
    plain = [{"label": labels[name], "value": 0} for name in dict.fromkeys(compared["reference"])]
    zero = alt.Chart(rows_of(plain)).mark_point(shape=SQUARE, filled=True, size=70, opacity=1, color=FIRST)
    layers = [
        *_judged_layers(rows, order, title),
        zero.encode(x=alt.X("value:Q"), y=y),
        *_gap_layers(empty, labels, y),
    ]
    return layered(layers, WIDTH - 110, _ROW * max(1, len(order)), list(scores["variant"]))


def effect_chart(table: pd.DataFrame, metric: Metric) -> alt.LayerChart:
    """The mean change by each technique, over the changes in the single pairs of variants."""
    told = table[table["n_pairs"] > 0]
    rows, pairs, order = [], [], []
    for row in _records(told):
        label = f"{row.technique}  {TECHNIQUES[row.technique]}"
        order.append(label)
        said = effect_verdict(row._asdict(), metric.decimals)
        rows.append(_judged(label, row.effect, (row.low, row.high), said, metric))
        pairs += [
            {"label": label, "pair": change, "told": words(f"{a} → {b}\n{signed(change, metric.decimals)}")}
            for a, b, change in row.pairs
        ]
    title = f"change when added ({metric.measure})"
    ticks = alt.Chart(rows_of(pairs)).mark_tick(color=MUTED, thickness=1.2, size=12, opacity=0.7, yOffset=13, aria=True)
    ticks = ticks.encode(x=alt.X("pair:Q"), y=_label_axis(order), description=_TOLD)
    layers = [ticks, *_judged_layers(rows, order, title)]
    return layered(layers, WIDTH - 185, 46 * max(1, len(order)), list(told["technique"]), "technique")


def _judged(label: str, value: float, ends: tuple[float, float], said: Verdict, metric: Metric) -> dict[str, Any]:
    """A row of a chart; hollow if the verdict is neither better nor worse."""
    colour = _COLOURS.get(said, UNDECIDED)
    return {
        "told": _told(label, signed(value, metric.decimals), ends, metric),
        "label": label,
        "value": value,
        "low": _or(ends[0], value),
        "high": _or(ends[1], value),
        "colour": colour,
        "fill": PAPER if colour == UNDECIDED else colour,
    }


def _judged_layers(rows: list[dict[str, Any]], order: list[str], title: str) -> list[alt.Chart]:
    y = _label_axis(order)
    base = alt.Chart(rows_of(rows))
    colour = alt.Stroke("colour:N", scale=None)
    x = alt.X("low:Q", title=title, scale=alt.Scale(nice=True), axis=alt.Axis(tickCount=4, format="~f"))
    point = {"x": alt.X("value:Q"), "y": y, "stroke": colour, "fill": alt.Fill("fill:N", scale=None)}
    return [
        alt.Chart(rows_of([{"zero": 0}])).mark_rule(color=INK, strokeWidth=1).encode(x=alt.X("zero:Q")),
        _cue("better →", alt.X("zero:Q"), dx=6),
        _cue("← worse", alt.X("zero:Q"), "right", dx=-6),
        base.mark_rule(strokeWidth=2).encode(x=x, x2=alt.X2("high:Q"), y=y, stroke=colour),
        base.mark_point(size=55, strokeWidth=2, opacity=1, aria=True).encode(**point, description=_TOLD),
    ]


def _label_axis(order: list[str]) -> alt.Y:
    axis = alt.Axis(grid=True, labelLimit=260)
    return alt.Y("label:N", sort=order, scale=alt.Scale(domain=order), title=None, axis=axis)


def _or(value: float, other: float) -> float:
    return other if pd.isna(value) else value


def _records(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples(index=False))
