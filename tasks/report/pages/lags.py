"""Success against the lag: the part of a report on corpora that differ only in the length of their sequences.

The `source` of a corpus names its family and its lag (`tasks/ingest/building/made_up.py`). A panel has plain SGD and
one other variant, so that many variants stay readable; all panels have the same axes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
from markupsafe import Markup

from tasks.report.charts.colours import CIRCLE, FIRST, MUTED, OTHER, SQUARE
from tasks.report.charts.telling import of_mark, words
from tasks.report.charts.theme import layered, rows_of, to_svg
from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.formatting import NOTHING, interval, number
from tasks.report.numbers.metrics import METRICS, Metric
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import Variant, is_baseline, plain_of, short_labels
from tasks.report.words.tables import Table

_WIDTH, _HEIGHT = 215, 140
_ASIDE = 2.5


@dataclass(frozen=True)
class Family:
    """The corpora of one task at several lags.

    Attributes:
        name: of the task; `anchor` is its place on the page.
        metric: the shown metric.
        chance: score of the best baseline at the shortest lag, as text.
        table: one row for each variant, one column for each lag.
        panels: title and drawing of each variant beside plain SGD.
    """

    name: str
    anchor: str
    metric: Metric
    chance: str
    table: Table
    panels: tuple[tuple[str, Markup], ...]


def lag_families(results: Results, estimates: Estimates) -> tuple[Family, ...]:
    """The families with two lags or more in the campaign, in the order of their first corpora."""
    lags: dict[str, dict[int, str]] = {}
    for corpus, facts in results.corpora.items():
        source = facts.get("source", {})
        if "family" in source and "lag" in source:
            lags.setdefault(str(source["family"]), {})[int(source["lag"])] = corpus
    return tuple(
        _family(f"lags-{index}", name, dict(sorted(of.items())), estimates)
        for index, (name, of) in enumerate(lags.items(), start=1)
        if len(of) > 1
    )


def _family(anchor: str, name: str, corpora: Mapping[int, str], estimates: Estimates) -> Family:
    rows = pd.concat([estimates.primary(corpus).assign(lag=lag) for lag, corpus in corpora.items()])
    metric = METRICS[rows["kind"].iloc[0]][0]
    baselines = rows[rows["variant"].map(is_baseline) & (rows["lag"] == min(corpora))]
    chance = float(baselines["mean"].max())
    trained = rows[~rows["variant"].map(is_baseline)]
    labels = short_labels(trained["variant"].unique())
    others = [variant for variant in labels if variant != plain_of(variant)] or list(labels)
    return Family(
        name=name,
        anchor=anchor,
        metric=metric,
        chance=f"{number(chance, metric.decimals)} {metric.measure}",
        table=_table(trained, labels, corpora, metric),
        panels=tuple(
            (
                labels[v],
                to_svg(lag_panel(trained, v, chance, metric), f"{anchor}-{i}", _told(trained, v, labels, metric)),
            )
            for i, v in enumerate(others)
        ),
    )


def _table(
    trained: pd.DataFrame, labels: Mapping[str, str], lags: Sequence[int] | Mapping[int, str], metric: Metric
) -> Table:
    cells = []
    for variant, label in labels.items():
        mine = trained[trained["variant"] == variant].set_index("lag")
        cells.append((label, *(_cell(mine.loc[lag], metric) if lag in mine.index else NOTHING for lag in lags)))
    return Table(("variant", *(f"lag {lag}" for lag in lags)), tuple(cells), tuple(labels))


def _cell(row: pd.Series, metric: Metric) -> str:
    if pd.isna(row["mean"]):
        return "held back" if row["held_back"] else "no score"
    return f"{number(row['mean'], metric.decimals)} {interval(row['low'], row['high'], metric.decimals)}".rstrip()


def _told(trained: pd.DataFrame, variant: str, labels: Mapping[str, str], metric: Metric) -> str:
    mine = trained[(trained["variant"] == variant) & trained["mean"].notna()]
    told = [f"{number(row.mean, metric.decimals)} at lag {row.lag}" for row in mine.itertuples()]
    return f"{metric.heading} of {labels[variant]} against the lag: {', '.join(told) or 'no score'}."


def lag_panel(trained: pd.DataFrame, variant: str, chance: float, metric: Metric) -> alt.LayerChart:
    """One variant over its plain one: a point for each lag with its interval; lines join neighbours with a score.

    Args:
        trained: rows of scores with their `lag`.
        variant: the variant.
        chance: place of the dashed line; NaN for none.
        metric: of the scores, a share in percent.
    """
    plain, last = plain_of(variant), max(trained["lag"])
    shown = [(plain, -_ASIDE), (variant, _ASIDE)] if variant != plain else [(plain, 0.0)]
    x = alt.X(
        "lag:Q",
        title="lag",
        scale=alt.Scale(domain=[0, 1.06 * float(last)], nice=False),
        axis=alt.Axis(values=sorted(set(trained["lag"].tolist())), grid=False, format="d"),
    )
    title = metric.heading
    y = alt.Y(
        "low:Q", title=title, scale=alt.Scale(domain=[0, 100], nice=False), axis=alt.Axis(tickCount=5, format="d")
    )
    layers = []
    if pd.notna(chance):
        layers.append(alt.Chart(rows_of([{"low": chance}])).mark_rule(strokeDash=[4, 3], color=MUTED).encode(y=y))
    for name, aside in shown:
        layers += _layers(trained[trained["variant"] == name].sort_values("lag"), name == plain, aside, x, y)
    return layered(layers, _WIDTH, _HEIGHT)


def _layers(rows: pd.DataFrame, plain: bool, aside: float, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    colour, shape = (FIRST, SQUARE) if plain else (OTHER, CIRCLE)
    points = [_point(row) for row in rows.itertuples() if pd.notna(row.mean)]
    owner = of_mark(str(rows["variant"].iloc[0])) if len(rows) else {}
    whole = rows["mean"].notna().tolist()
    # a lag without a score breaks the line
    parts = [sum(not there for there in whole[:place]) for place, there in enumerate(whole) if there]
    lines = [{"lag": p["lag"], "low": p["mean"], "part": part} for p, part in zip(points, parts, strict=True)]
    base = alt.Chart(rows_of(points))
    return [
        alt.Chart(rows_of(lines))
        .mark_line(color=colour, strokeWidth=1.6, xOffset=aside, **owner)
        .encode(x=x, y=y, detail=alt.Detail("part:N")),
        base.mark_rule(color=colour, strokeWidth=2, xOffset=aside, **owner).encode(x=x, y=y, y2=alt.Y2("high:Q")),
        base.mark_point(shape=shape, filled=True, size=45, opacity=1, color=colour, xOffset=aside, aria=True).encode(
            x=x, y=alt.Y("mean:Q"), description=alt.Description("told:N")
        ),
    ]


def _point(row: Any) -> dict[str, Any]:
    low, high = (row.mean if pd.isna(side) else side for side in (row.low, row.high))
    text = f"{number(row.mean, 1)} {interval(row.low, row.high, 1)}".rstrip()
    told = words(f"{Variant.parse(row.variant).tail}\nlag {row.lag}: {text}", row.variant)
    return {"lag": row.lag, "mean": row.mean, "low": low, "high": high, "told": told}
