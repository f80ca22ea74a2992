"""The part of the page on all corpora: its tables as texts, and each performance profile beside plain SGD's."""

from dataclasses import dataclass

import altair as alt
import numpy as np
from markupsafe import Markup

from tasks.report.charts.colours import CIRCLE, FIRST, MUTED, OTHER, SQUARE
from tasks.report.charts.telling import of_mark
from tasks.report.charts.theme import layered, rows_of, to_svg
from tasks.report.numbers.formatting import NOTHING, interval, joined, number
from tasks.report.numbers.metrics import FloatArray
from tasks.report.numbers.variant_titles import PLAIN
from tasks.report.over_corpora.aggregate import Aggregate, Compared
from tasks.report.over_corpora.scales import Scale
from tasks.report.over_corpora.words import DECIMALS, aggregate_sentence
from tasks.report.words.tables import Cell, Table

_WIDTH, _HEIGHT = 215, 140
_MARKS = 8


@dataclass(frozen=True)
class AggregateRow:
    """A variant: its interquartile mean, its probability of improvement, its runs and those without a score."""

    label: str
    plain: bool
    cells: tuple[Cell, Cell]
    runs: str


@dataclass(frozen=True)
class AggregateSection:
    """Everything that the page shows over all corpora."""

    sentence: str
    rows: tuple[AggregateRow, ...]
    scales: Table
    notes: tuple[str, ...]
    replicated: bool
    panels: tuple[tuple[str, Markup], ...]


def aggregate_section(found: Aggregate | None) -> AggregateSection | None:
    """The part; None where there are too few corpora."""
    if found is None:
        return None
    plain = next(row for row in found.variants if row.variant == PLAIN)
    return AggregateSection(
        sentence=aggregate_sentence(found),
        rows=tuple(map(aggregate_row, found.variants)),
        scales=Table(("corpus", "measure", "0", "counted by", "1", "of", "source"), tuple(map(_scale, found.scales))),
        notes=_notes(found),
        replicated=found.replicated,
        panels=tuple(
            (
                row.variant,
                to_svg(
                    profile_panel(found.thresholds, row, plain), f"aggregate-{number}", _told(found.thresholds, row)
                ),
            )
            for number, row in enumerate(found.variants)
            if row is not plain
        ),
    )


def aggregate_row(row: Compared) -> AggregateRow:
    """A variant in words."""
    mean = Cell(number(row.iqm, DECIMALS), interval(*row.iqm_ends, DECIMALS))
    ends = row.improvement_ends if row.said == "unreplicated" else row.improvement_at_once
    shown = "" if row.variant == PLAIN else number(row.improvement, DECIMALS)
    better = Cell(shown, interval(*ends, DECIMALS), row.said)
    return AggregateRow(row.variant, row.variant == PLAIN, (mean, better), f"{row.lost} of {row.runs}")


def _scale(scale: Scale) -> tuple[str, ...]:
    ends = (number(end, scale.metric.decimals) for end in (scale.zero, scale.one))
    zero, one = ends
    return scale.corpus, scale.metric.heading, zero, scale.zero_of, one, scale.one_of, scale.source or NOTHING


def _notes(found: Aggregate) -> tuple[str, ...]:
    notes = [f"{name} has no run on {joined(corpora)}, and is left out." for name, corpora in found.missing.items()]
    if found.left_out:
        notes.append(f"Without a scale, and left out: {joined(found.left_out)}, where nothing is better than counting.")
    return tuple(notes)


def _told(thresholds: FloatArray, row: Compared) -> str:
    at = np.linspace(0, len(thresholds) - 1, 5).round().astype(int)
    told = [f"{100 * row.profile[0][t]:.0f} % above {number(thresholds[t], DECIMALS)}" for t in at]
    return f"Performance profile of {row.variant}: {', '.join(told)}."


def profile_panel(thresholds: FloatArray, row: Compared, plain: Compared) -> alt.LayerChart:
    """The share of runs above each normalised score, of a variant over plain SGD, with the intervals as bands."""
    x = alt.X(
        "score:Q",
        title="normalised score",
        scale=alt.Scale(domain=[thresholds[0], thresholds[-1]], nice=False),
        axis=alt.Axis(tickCount=5, format="~g", grid=False),
    )
    y = alt.Y(
        "share:Q",
        title="runs above it (%)",
        scale=alt.Scale(domain=[0, 100], nice=False),
        axis=alt.Axis(tickCount=5, format="d"),
    )
    layers = [
        alt.Chart(rows_of([{"score": float(end)}])).mark_rule(strokeDash=[4, 3], color=MUTED).encode(x=x)
        for end in (0.0, 1.0)
        if thresholds[0] < end < thresholds[-1]
    ]
    return layered([*layers, *_layers(thresholds, plain, x, y), *_layers(thresholds, row, x, y)], _WIDTH, _HEIGHT)


def _layers(thresholds: FloatArray, row: Compared, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    colour, shape = (FIRST, SQUARE) if row.variant == PLAIN else (OTHER, CIRCLE)
    shares, low, high = (100 * row.profile).tolist()
    points = [{"score": tau, "share": share} for tau, share in zip(thresholds.tolist(), shares, strict=True)]
    base = alt.Chart(rows_of(points))
    lower = y.copy()
    lower.shorthand = "low:Q"
    # not where the marks of the other variant are
    marks = alt.Chart(rows_of(points[_MARKS // 2 * (shape == CIRCLE) :: _MARKS]))
    banded = []
    if not np.isnan(row.profile).any():
        bounds = [point | {"low": ends[0], "high": ends[1]} for point, *ends in zip(points, low, high, strict=True)]
        band = alt.Chart(rows_of(bounds)).mark_area(color=colour, opacity=0.18, **of_mark(row.variant))
        banded = [band.encode(x=x, y=lower, y2=alt.Y2("high:Q"))]
    told = of_mark(
        row.variant,
        row.variant,
        {"normalised score": [round(tau, DECIMALS) for tau in thresholds.tolist()]},
        [f"{value:.0f} % of the runs above it" for value in shares],
    )
    return [
        *banded,
        base.mark_line(color=colour, strokeWidth=2, **told).encode(x=x, y=y),
        marks.mark_point(shape=shape, filled=True, size=42, opacity=1, color=colour, **of_mark(row.variant)).encode(
            x=x, y=y
        ),
    ]
