"""The charts of the diagnostics: gradients over the lag, shares of zeros, time constants, and clipped updates.

Their data come from `words/why.py`; size and colours are those of the other charts.
"""

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any

import altair as alt
import numpy as np

from tasks.report.charts.colours import CIRCLE, FIRST, GRID, INK, MUTED, OTHER, SQUARE
from tasks.report.charts.telling import of_mark, words
from tasks.report.charts.theme import layered, rows_of
from tasks.report.charts.training import PANEL_WIDTH
from tasks.report.numbers.formatting import percent, power_of_ten, share_left
from tasks.report.numbers.variant_titles import Variant, plain_of, short_labels
from tasks.report.words.why import SMALLEST, VariantDiagnosis, shown_variants

_ROW = 21
_WIDTH = 240
_MOST_TICKS = 50
_MARKS = 10  # lags from mark to mark


def gradient_panels(told: Sequence[VariantDiagnosis], best: str | None) -> list[tuple[str, alt.LayerChart]]:
    """The gradient that is left k steps back: a (title, chart) for each shown variant, with plain SGD in each.

    A line is the geometric mean over the seeds, with a mark every few steps. Its band reaches from the lowest seed to
    the highest. A dashed line is the same network before training.
    """
    by_name = {each.variant: each for each in told}
    shown = shown_variants(told, best) or [each.variant for each in told][:1]
    pairs = [[by_name[name] for name in dict.fromkeys((plain_of(name), name)) if name in by_name] for name in shown]
    axes = _gradient_axes([each for pair in pairs for each in pair])
    labels = short_labels(by_name)
    return [
        (
            " and ".join(labels[each.variant] for each in pair),
            layered([layer for each in pair for layer in _gradient_lines(each, axes)], PANEL_WIDTH - 60, 170),
        )
        for pair in pairs
    ]


def _gradient_axes(told: Sequence[VariantDiagnosis]) -> dict[str, Any]:
    """Shared axes: lags, and whole powers of ten around all that is drawn."""
    spreads = [spread for each in told for spread in each.gradient_left.values()]
    lowest = max(min(min(spread.low, default=1.0) for spread in spreads), SMALLEST)
    highest = max(max(spread.high, default=1.0) for spread in spreads)
    low, high = floor(log10(lowest)), max(ceil(log10(highest)), 0)
    low = min(low, high - 1)
    step = max(1, ceil((high - low) / 5))
    powers = [power for power in range(low, high + 1) if power % step == 0]
    named = " : ".join(f"round(log(datum.value) / LN10) == {power} ? '{power_of_ten(power)}'" for power in powers)
    axis = alt.Axis(values=[10.0**power for power in powers], labelExpr=f"{named} : ''")
    lags = max(len(spread.mean) for spread in spreads) - 1
    return {
        "x": alt.X(
            "lag:Q",
            title="k, steps back",
            scale=alt.Scale(domain=[0, max(lags, 1)], nice=False),
            axis=alt.Axis(tickCount=5, format="d"),
        ),
        "y": alt.Y(
            "mean:Q",
            title=None,
            scale=alt.Scale(type="log", domain=[10.0**low, 10.0**high], nice=False, clamp=True),
            axis=axis,
        ),
    }


def _gradient_lines(each: VariantDiagnosis, axes: dict[str, Any]) -> list[alt.Chart]:
    colour, shape = (FIRST, SQUARE) if each.variant == plain_of(each.variant) else (OTHER, CIRCLE)
    rows = {
        moment: [
            {"lag": lag, "mean": mean, "low": low, "high": high}
            for lag, (mean, low, high) in enumerate(zip(spread.mean, spread.low, spread.high, strict=True))
        ]
        for moment, spread in each.gradient_left.items()
    }
    best, start = alt.Chart(rows_of(rows["best"])), alt.Chart(rows_of(rows["start"]))
    # not where the marks of the other variant are
    marks = alt.Chart(rows_of(rows["best"][_MARKS // 2 * (shape == CIRCLE) :: _MARKS]))
    band = {"x": axes["x"], "y": axes["y"].copy(), "y2": alt.Y2("high:Q")}
    band["y"].shorthand = "low:Q"
    owner, name = of_mark(each.variant), Variant.parse(each.variant).tail
    told = {
        moment: of_mark(
            each.variant,
            f"{name}{', before training' if moment == 'start' else ''}",
            {"steps back": [row["lag"] for row in of]},
            [share_left(row["mean"], SMALLEST) for row in of],
        )
        for moment, of in rows.items()
    }
    thin: dict[str, Any] = {"color": colour, "strokeWidth": 1.2, "strokeDash": [4, 3], "opacity": 0.8}
    return [
        best.mark_area(color=colour, opacity=0.18, clip=True, **owner).encode(**band),
        start.mark_line(**thin, clip=True, **told["start"]).encode(**axes),
        best.mark_line(color=colour, strokeWidth=2.4, clip=True, **told["best"]).encode(**axes),
        marks.mark_point(shape=shape, filled=True, size=42, opacity=1, color=colour, clip=True, **owner).encode(**axes),
    ]


def zero_chart(told: Sequence[VariantDiagnosis]) -> alt.LayerChart | None:
    """Shares of states and gradients that are exactly zero, a row for each variant with any; None without one."""
    sparse = [each for each in told if each.zero_states > 0 or each.zero_gradients > 0]
    if not sparse:
        return None
    labels = short_labels(each.variant for each in told)
    rows = [
        {
            "label": labels[each.variant],
            "states": 100 * each.zero_states,
            "gradients": 100 * each.zero_gradients,
            "told": words(
                f"{labels[each.variant]}\nstates {percent(each.zero_states)}, gradients {percent(each.zero_gradients)}"
            ),
        }
        for each in sparse
    ]
    y = _variant_axis(sparse, labels)
    x = alt.X("states:Q", title="zero (%)", scale=alt.Scale(domain=[0, 100], nice=False), axis=alt.Axis(tickCount=5))
    base = alt.Chart(rows_of(rows))
    bars = base.mark_bar(color=OTHER, height=11, opacity=0.9, aria=True)
    ticks = base.mark_tick(color=INK, thickness=2, size=17)
    layers = [
        bars.encode(x=x, y=y, description=alt.Description("told:N")),
        ticks.encode(x=alt.X("gradients:Q"), y=y),
    ]
    return _row_chart(layers, sparse)


def time_constant_chart(told: Sequence[VariantDiagnosis]) -> alt.LayerChart | None:
    """Time constants of the leaky units, one tick for each unit; None if no unit leaks."""
    leaking = [each for each in told if each.time_constants]
    if not leaking:
        return None
    labels = short_labels(each.variant for each in told)
    rows = [
        {"label": labels[each.variant], "steps": steps}
        for each in leaking
        for steps in np.unique(np.quantile(each.time_constants, np.linspace(0, 1, _MOST_TICKS))).tolist()
    ]
    values = [row["steps"] for row in rows]
    ends = [min(0.2, *values), max(60.0, *values)]
    x = alt.X(
        "steps:Q",
        title="steps in which a state falls to 1/e",
        scale=alt.Scale(type="log", domain=ends, nice=False),
        axis=alt.Axis(values=[0.2, 0.5, 1, 2, 5, 10, 20, 50, 100], format="~g"),
    )
    y = _variant_axis(leaking, labels)
    ticks = alt.Chart(rows_of(rows)).mark_tick(color=OTHER, thickness=1, size=14, opacity=0.55).encode(x=x, y=y)
    one = alt.Chart(rows_of([{"steps": 1.0}])).mark_rule(color=MUTED, strokeDash=[2, 3]).encode(x=alt.X("steps:Q"))
    return _row_chart([one, ticks], leaking)


def clipping_chart(told: Sequence[VariantDiagnosis]) -> alt.LayerChart | None:
    """Share of clipped updates: a row for each variant, a cell for each epoch, darker for more; None without C."""
    clipped = [each for each in told if "C" in Variant.parse(each.variant).techniques and each.clipped_share]
    if not clipped:
        return None
    labels = short_labels(each.variant for each in told)
    rows = [
        {
            "label": labels[each.variant],
            "epoch": epoch,
            "from": epoch - 0.5,
            "to": epoch + 0.5,
            "share": float(share),
            "told": words(f"{labels[each.variant]}\nepoch {epoch}: {percent(share)} clipped"),
        }
        for each in clipped
        for epoch, share in enumerate(each.clipped_share, start=1)
    ]
    longest = max(len(each.clipped_share) for each in clipped)
    ticks = [epoch for epoch in range(1, longest + 1) if epoch % max(1, ceil(longest / 6)) == 0 or epoch == 1]
    x = alt.X(
        "from:Q",
        title="epoch",
        scale=alt.Scale(domain=[0.5, longest + 0.5], nice=False),
        axis=alt.Axis(values=ticks, format="d", grid=False),
    )
    # by the root: a few percent would look like none
    scale = alt.Scale(type="sqrt", domain=[0, 1], range=[0, 1])
    opacity = alt.FillOpacity("share:Q", scale=scale, legend=None)
    cells = alt.Chart(rows_of(rows)).mark_rect(color=OTHER, stroke=GRID, strokeWidth=0.7, aria=True)
    y = _variant_axis(clipped, labels)
    cells = cells.encode(x=x, x2=alt.X2("to:Q"), y=y, fillOpacity=opacity, description=alt.Description("told:N"))
    return _row_chart([cells], clipped)


def _row_chart(layers: list[alt.Chart], shown: Sequence[VariantDiagnosis]) -> alt.LayerChart:
    """Layers with a row for each of these variants."""
    return layered(layers, _WIDTH, max(_ROW * len(shown), 60), [each.variant for each in shown])


def _variant_axis(shown: Sequence[VariantDiagnosis], labels: Mapping[str, str]) -> alt.Y:
    order = [labels[each.variant] for each in shown]
    return alt.Y("label:N", sort=order, scale=alt.Scale(domain=order), title=None, axis=alt.Axis(labelLimit=260))
