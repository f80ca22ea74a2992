"""The charts of a report as Altair charts, for notebooks, slides and papers; `chart.save("figure.pdf")` writes one.

    import counterpoint
    counterpoint.plot.effects("./artifacts", "bach-chorales")

Each function takes the address of a store, whose newest report is meant, or a `Report` of `load_report`, or the
DataFrame that it names; and a corpus, which may be left out where there is one. What is drawn is what the page draws.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any, Literal, TypeVar

import altair as alt
import pandas as pd

from infra.errors import ConfigurationError
from tasks.report.charts.colours import MUTED, PAPER
from tasks.report.charts.scores import difference_chart, effect_chart, forest_chart
from tasks.report.charts.theme import CONFIG, rows_of
from tasks.report.charts.training import curve_panels
from tasks.report.charts.tuning import tuning_chart
from tasks.report.charts.why import gradient_panels
from tasks.report.numbers.metrics import BY_NAME, SCORED_NAMES, Metric
from tasks.report.training.tuning import Tuning
from tasks.report.words.why import diagnoses

from .reports import Report, load_report

__all__ = ["budget", "differences", "effects", "gradients", "learning_curves", "scores"]

Chart = alt.LayerChart | alt.ConcatChart
_Drawn = TypeVar("_Drawn", alt.LayerChart, alt.ConcatChart)
_ACROSS = 3
_ANY_STEP = "step"


def scores(source: str | Report | pd.DataFrame, corpus: str | None = None, metric: str | None = None) -> Chart:
    """The test score of every variant with its 95 % interval, best on top, baselines below.

    Args:
        source: a store, a report, or the frame `Report.scores`.
        corpus: its name.
        metric: as in the column `metric`; the first of the corpus where none is given. The axis has its unit.

    Raises:
        ConfigurationError: there is no such corpus or metric, or none is named of several corpora.
    """
    rows, meant = _of_metric(source, "scores", corpus, metric)
    return _finished(forest_chart(rows, meant))


def differences(source: str | Report | pd.DataFrame, corpus: str | None = None, metric: str | None = None) -> Chart:
    """How much better than plain SGD every variant is, in the unit of the metric, with its 95 % interval.

    Positive is better. Colours mark what can be told apart by intervals that hold for all differences of the corpus at
    once.

    Args:
        source: a store, a report, or the frame `Report.scores`.
        corpus: its name.
        metric: as in the column `metric`; the first of the corpus where none is given.

    Raises:
        ConfigurationError: there is no such corpus or metric, or none is named of several corpora.
    """
    rows, meant = _of_metric(source, "scores", corpus, metric)
    return _finished(difference_chart(rows, meant))


def effects(source: str | Report | pd.DataFrame, corpus: str | None = None, metric: str | None = None) -> Chart:
    """What each technique changes when it is added, in the unit of the metric, with its 95 % interval.

    The change is the mean over the pairs of variants that differ in the technique alone; ticks show the pairs. Positive
    is better. Colours mark what can be told from chance by intervals that hold for all effects of the report at once.

    Args:
        source: a store, a report, or the frame `Report.effects`.
        corpus: its name.
        metric: as in the column `metric`; the first of the corpus where none is given.

    Raises:
        ConfigurationError: there is no such corpus or metric, or none is named of several corpora.
    """
    rows, meant = _of_metric(source, "effects", corpus, metric)
    return _finished(effect_chart(rows, meant))


def learning_curves(
    source: str | Report | pd.DataFrame, corpus: str | None = None, variants: Collection[str] = ()
) -> Chart:
    """Validation log-likelihood, nats per step, over updates: a panel for each variant without clipping and with it.

    Thin lines are seeds. The thick line is their mean over the epochs that all completed seeds reached; it is dashed
    without clipping. A cross is a seed that ended without a score.

    Args:
        source: a store, a report, or a frame of `load_curves`, of which the final trials are drawn.
        corpus: its name.
        variants: these alone; all where none is named.

    Raises:
        ConfigurationError: there is no such corpus, none is named of several, or no final trial has a curve.
        NotFoundError: the report is older than tables.

    >>> told = {"key": "1a", "corpus": "songs", "variant": "rnn/bernoulli/SGD+C", "purpose": "final", "seed": 7}
    >>> told |= {"status": "completed", "split": "valid"}
    >>> points = [{"epoch": e, "update": 30 * e, "log_likelihood": valid} for e, valid in enumerate((-60.0, -9.5))]
    >>> chart = learning_curves(pd.DataFrame([told | point for point in points]))
    >>> [panel.title for panel in chart.concat]
    ['SGD+C']
    """
    if isinstance(source, pd.DataFrame):
        valid = source[(source["split"] == "valid") & (source["purpose"] == "final")]
        curves = valid.rename(columns={"log_likelihood": "valid"})
        # which study it was, and how long it took, is said nowhere in the chart
        trials, step = curves.drop_duplicates("key").assign(study=0, updates=0, seconds=float("nan")), _ANY_STEP
        name = _corpus(curves, corpus)
    else:
        report = _report(source)
        curves, trials = (report.tables[table] for table in ("curves", "trials"))
        name = _corpus(trials, corpus)
        step = SCORED_NAMES[report.results["corpora"][name]["kind"]]
    curves, trials = (_only(frame[frame["corpus"] == name], variants) for frame in (curves, trials))
    panels = curve_panels(curves, trials)
    title = f"validation log-likelihood (nats per {step})"
    return _beside(
        panels, title, "solid: with clipping; dashed: without; thin: a seed", f"{name}: no final trial has a curve"
    )


def budget(source: str | Report | pd.DataFrame, corpus: str | None = None) -> Chart:
    """The expected best validation score of a variant after k = 1, 2, ... draws of its search, nats per step.

    The chart has the variants of the main core and output model that SGD trains. Plain SGD is dashed; the variant that
    is best with one draw and the one that is best with all are named.

    Args:
        source: a store, a report, or the frame `Report.tuning`.
        corpus: its name.

    Raises:
        ConfigurationError: there is no such corpus, none is named of several, or no variant has two draws.

    >>> told = {"corpus": "songs", "variant": "rnn/bernoulli/SGD", "draws": 4}
    >>> told |= dict.fromkeys(("difference", "low", "high"), 0.0)
    >>> rows = pd.DataFrame([told | {"k": 1, "expected": -9.5}, told | {"k": 2, "expected": -9.2}])
    >>> budget(rows).layer[0].mark.type
    'line'
    """
    if isinstance(source, pd.DataFrame):
        rows, kinds = source, {}
    else:
        report = _report(source)
        rows, kinds = report.tuning, {name: facts["kind"] for name, facts in report.results["corpora"].items()}
    name = _corpus(rows, corpus)
    mine = rows[rows["corpus"] == name].sort_values("k", kind="stable")
    told = [_tuning(name, str(variant), its) for variant, its in mine.groupby("variant", sort=False)]
    chart = tuning_chart(told, SCORED_NAMES[kinds[name]] if name in kinds else _ANY_STEP)
    if chart is None:
        raise ConfigurationError(f"{name}: no variant has two draws, and a curve has two points or more")
    return _finished(chart)


def gradients(source: str | Report | pd.DataFrame, corpus: str | None = None, variants: Collection[str] = ()) -> Chart:
    """The gradient that is left k steps back, |dL_t/dh_{t-k}| / |dL_t/dh_t| without a unit, over the lag k in steps.

    There is a panel for the smallest variant with each technique, beside plain SGD. A line is the geometric mean over
    the seeds, and its band reaches from the lowest to the highest. The dashed line is the network before training.

    Args:
        source: a store, a report, or a frame of `load_diagnostics`, of which the completed final trials are drawn.
        corpus: its name.
        variants: of these alone; of all where none is named.

    Raises:
        ConfigurationError: there is no such corpus, none is named of several, or nothing was measured on it.
        NotFoundError: the report is older than tables.
    """
    if isinstance(source, pd.DataFrame):
        numbers = source[(source["purpose"] == "final") & (source["status"] == "completed")]
    else:
        tables = _report(source).tables
        trials = tables["trials"].query("purpose == 'final' and status == 'completed'")
        numbers = tables["diagnostics"][tables["diagnostics"]["key"].isin(trials["key"])]
    name = _corpus(numbers, corpus)
    told = diagnoses(name, _only(numbers[numbers["corpus"] == name], variants), _NO_CURVES)
    panels = gradient_panels(told, None) if told else []
    told_apart = "squares: plain SGD; circles: the variant beside it; dashed: before training"
    return _beside(panels, "gradient that is left", told_apart, f"{name}: nothing was measured on the final trials")


_NO_CURVES = pd.DataFrame(columns=["variant", "epoch", "clipped_share", "update_ratio"]).astype({"epoch": int})


def _report(source: str | Report) -> Report:
    return load_report(source) if isinstance(source, str) else source


def _corpus(rows: pd.DataFrame, corpus: str | None) -> str:
    """The corpus that is meant."""
    known = list(dict.fromkeys(map(str, rows["corpus"])))
    if corpus is None and len(known) == 1:
        return known[0]
    if corpus not in known:
        there = f"take one of {', '.join(known)}" if known else "there is none at all"
        raise ConfigurationError(f"corpus {corpus!r}: {there}")
    return str(corpus)


def _of_metric(
    source: str | Report | pd.DataFrame, frame: Literal["scores", "effects"], corpus: str | None, metric: str | None
) -> tuple[pd.DataFrame, Metric]:
    """The rows of a corpus and a metric in a frame of a report; the first metric of a corpus comes first."""
    rows: pd.DataFrame = source if isinstance(source, pd.DataFrame) else getattr(_report(source), frame)
    name = _corpus(rows, corpus)
    mine = rows[rows["corpus"] == name]
    known = list(dict.fromkeys(mine["metric"]))
    if (meant := known[0] if metric is None else metric) not in known:
        raise ConfigurationError(f"metric {metric!r}: {name} has {', '.join(known)}")
    return mine[mine["metric"] == meant], BY_NAME[meant]


def _only(rows: pd.DataFrame, variants: Collection[str]) -> pd.DataFrame:
    return rows[rows["variant"].isin(variants)] if variants else rows


def _tuning(corpus: str, variant: str, rows: pd.DataFrame) -> Tuning:
    numbers = (rows[name].to_numpy(float) for name in ("expected", "difference", "low", "high"))
    return Tuning(corpus, variant, int(rows["draws"].iloc[0]), *numbers)


def _beside(panels: Sequence[tuple[str, alt.LayerChart]], title: str, told_apart: str, nothing: str) -> alt.ConcatChart:
    """Panels with their titles, some in a row, under a title of all; an error where there is no panel."""
    if not panels:
        raise ConfigurationError(nothing)
    for own, panel in panels:
        panel.title = own
    chart = alt.ConcatChart(columns=_ACROSS, title=alt.TitleParams(title, subtitle=told_apart))
    chart.concat = [_without_script(panel) for _, panel in panels]  # given at once, each would be copied twice
    return _looked(chart)


def _finished(chart: alt.LayerChart) -> alt.LayerChart:
    """A chart of ours on its own."""
    return _looked(_without_script(chart))


def _looked(chart: _Drawn) -> _Drawn:
    """A chart of ours in the look of the report, on paper."""
    chart.config = CONFIG | {
        "background": PAPER,
        "font": f"{CONFIG['font']}, Arial, sans-serif",
        "padding": {"left": 5, "top": 5, "right": 16, "bottom": 5},  # the last label of an axis needs some
        "title": {"anchor": "start", "fontSize": 13, "subtitleColor": MUTED},
    }
    return chart


def _without_script(chart: alt.LayerChart) -> alt.LayerChart:
    """A chart without what is for the script of the page; what that says where a mark is pointed at is a tooltip."""
    chart.usermeta = alt.Undefined
    layer: Any  # Altair says of no part of a chart which of its many types it is
    for layer in chart.layer:
        layer.mark.aria = layer.mark.description = alt.Undefined
        if getattr(layer.encoding, "description", alt.Undefined) is not alt.Undefined:
            rows = json.loads(layer.data.values)
            told = [json.loads(row.pop("told")).get("told", "").replace("\n", ": ") for row in rows]
            layer.data = rows_of([row | {"told": text} for row, text in zip(rows, told, strict=True)])
            layer.encoding.description = alt.Undefined
            layer.encoding.tooltip = alt.Tooltip("told:N") if any(told) else alt.Undefined
    return chart
