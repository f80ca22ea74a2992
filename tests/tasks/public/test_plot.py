"""The charts for notebooks are those of the page, from a store, a report or a DataFrame, and can be drawn."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import counterpoint
import numpy as np
import pandas as pd
import pytest
import vl_convert
from counterpoint import plot

from tasks.report.charts.scores import difference_chart, effect_chart, forest_chart
from tasks.report.charts.training import curve_panels
from tasks.report.charts.tuning import tuning_chart
from tasks.report.charts.why import gradient_panels
from tasks.report.numbers.metrics import METRICS
from tasks.report.training.tuning import tunings
from tasks.report.words.why import diagnoses_of
from tests.tasks.conftest import Finished
from tests.tasks.public.conftest import MUSIC, WORDS

Report = counterpoint.Report
OF_FRAMES: dict[str, Callable[[Report], pd.DataFrame]] = {
    "scores": lambda report: report.scores,
    "differences": lambda report: report.scores,
    "effects": lambda report: report.effects,
    "budget": lambda report: report.tuning,
}


@pytest.fixture(scope="module")
def report(published: str) -> Report:
    return counterpoint.load_report(published)


def test_every_function_is_public_and_told_of() -> None:
    made = {name for name, value in vars(plot).items() if callable(value) and value.__module__ == plot.__name__}
    assert {name for name in made if not name.startswith("_")} == set(plot.__all__)
    assert counterpoint.plot is plot
    with pytest.raises(AttributeError, match="no attribute 'charts'"):
        counterpoint.charts  # noqa: B018


def drawn(chart: Any, step: str = "step") -> str:
    """What is drawn, without the look; what a score is one of is not known of a frame."""
    specification = chart.to_dict(validate=False)
    specification.pop("config")
    return json.dumps(specification).replace(f"nats per {step}", "nats per step")


@pytest.mark.parametrize(("corpus", "step"), [(MUSIC, "frame"), (WORDS, "word")])
@pytest.mark.parametrize("name", OF_FRAMES)
def test_a_store_a_report_and_a_frame_give_the_chart_of_the_page(
    name: str, corpus: str, step: str, report: Report, published: str
) -> None:
    frame, metric = OF_FRAMES[name](report), METRICS[report.results["corpora"][corpus]["kind"]][0]
    if name == "budget":
        page = tuning_chart(tunings(report.measured, corpus), step)
    else:
        charts = {
            "scores": forest_chart,
            "differences": difference_chart,
            "effects": effect_chart,
        }
        page = charts[name](frame[(frame["corpus"] == corpus) & (frame["metric"] == metric.name)], metric)
    function = getattr(plot, name)
    assert {drawn(function(source, corpus), step) for source in (published, report, frame)} == {
        drawn(plot._finished(page), step)
    }


def test_panels_are_those_of_the_page(report: Report) -> None:
    few = ["rnn/bernoulli/SGD", "rnn/bernoulli/SGD+C", "rnn/bernoulli/SGD+L"]
    results = report.measured
    kept = {name: _of(getattr(results, name), few) for name in ("trials", "curves", "diagnostics")}
    pages = {
        "learning_curves": curve_panels(kept["curves"], kept["trials"]),
        "gradients": gradient_panels(diagnoses_of(replace(results, **kept), MUSIC), None),
    }
    assert [title for title, _ in pages["learning_curves"]] == ["SGD and SGD+C", "SGD+L"]
    for name, panels in pages.items():
        chart = getattr(plot, name)(report, MUSIC, few)
        assert [panel.title for panel in chart.concat] == [title for title, _ in panels]
        assert [_layers(panel) for panel in chart.concat] == [
            _layers(plot._without_script(panel)) for _, panel in panels
        ]
        assert chart.title.text


def _of(table: pd.DataFrame, variants: list[str]) -> pd.DataFrame:
    return table[(table["corpus"] == MUSIC) & table["variant"].isin(variants)]


def _layers(panel: Any) -> list[Any]:
    return [layer.to_dict(validate=False) for layer in panel.layer]


def _values(chart: Any) -> set[float]:
    """Every number that is drawn."""
    rows = [row for panel in chart.concat for layer in panel.layer for row in json.loads(layer.data.values)]
    return {value for row in rows for value in row.values() if isinstance(value, float)}


def test_curves_of_all_final_trials_of_a_store(finished: Finished) -> None:
    frame = counterpoint.load_curves(finished.store.address)
    chart = plot.learning_curves(frame, MUSIC)
    assert [panel.title for panel in chart.concat] == ["SGD and SGD+C", "SGD+LM"]
    mine = frame[(frame["corpus"] == MUSIC) & (frame["split"] == "valid")]
    drawn = _values(chart)
    assert set(mine.query("purpose == 'final'")["log_likelihood"]) <= drawn
    searched = mine.query("purpose == 'search' and epoch > 0")["log_likelihood"]
    assert len(searched)
    assert not set(searched) & drawn
    with pytest.raises(counterpoint.ConfigurationError, match=r"corpus 'bach-chorales': there is none at all"):
        plot.learning_curves(frame[frame["purpose"] == "search"], MUSIC)


def test_gradients_of_all_final_trials_of_a_store(finished: Finished) -> None:
    frame = counterpoint.load_diagnostics(finished.store.address)
    chart = plot.gradients(frame, MUSIC)
    assert [panel.title for panel in chart.concat] == ["SGD and SGD+C", "SGD and SGD+LM"]
    best = frame.query("corpus == @MUSIC and moment == 'best' and quantity == 'gradient_norm'")
    norms = best.pivot(index=["key", "variant", "purpose"], columns="index", values="value")
    left = (norms[3] / norms[0]).reset_index("purpose")
    lowest = left[left["purpose"] == "final"][0].groupby("variant").min()
    drawn = np.array(sorted(_values(chart)))
    for value in lowest:
        assert np.isclose(drawn, value, rtol=1e-6).any()
    with pytest.raises(counterpoint.ConfigurationError, match=r"corpus 'bach-chorales': there is none at all"):
        plot.gradients(frame[frame["purpose"] == "search"], MUSIC)


def test_what_cannot_be_drawn_is_one_line(report: Report) -> None:
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: plot.effects(report), f"corpus None: take one of {MUSIC}, {WORDS}"),
        (lambda: plot.scores(report, "tunes"), "corpus 'tunes': take one of"),
        (lambda: plot.scores(report, WORDS, "accuracy"), "metric 'accuracy': folk-tunes-words has perplexity"),
        (lambda: plot.budget(report.tuning.query("k == 1"), WORDS), f"{WORDS}: no variant has two draws"),
        (lambda: plot.gradients(report, MUSIC, ["none"]), f"{MUSIC}: nothing was measured"),
        (lambda: plot.learning_curves(report, MUSIC, ["none"]), f"{MUSIC}: no final trial has a curve"),
    ]
    for call, line in cases:
        with pytest.raises(counterpoint.ConfigurationError, match=re.escape(line)) as told:
            call()
        assert "\n" not in str(told.value)


def test_one_corpus_and_its_first_metric_need_no_name(report: Report) -> None:
    rows = report.scores[report.scores["corpus"] == WORDS]
    assert drawn(plot.scores(rows)) == drawn(plot.scores(rows, WORDS, "perplexity"))


@pytest.mark.integration
def test_a_chart_is_valid_and_can_be_drawn(report: Report) -> None:
    """With its look, which the page sets elsewhere."""
    svg = vl_convert.vegalite_to_svg(plot.gradients(report, MUSIC, ["rnn/bernoulli/SGD+C"]).to_dict())
    assert "gradient that is left" in svg
    assert "squares: plain SGD" in svg
    assert 'font-family="Liberation Sans, Arial, sans-serif"' in svg
    for function in (plot.scores, plot.effects, plot.learning_curves):
        told = function(report, MUSIC).to_json()
        assert "usermeta" not in told, "it is for the script of the page"
        assert "description" not in told


def test_points_say_what_they_are_where_they_are_pointed_at(report: Report) -> None:
    layers = plot.differences(report, MUSIC).layer
    (points,) = [layer for layer in layers if layer.to_dict(validate=False)["encoding"].get("tooltip")]
    told = [row["told"] for row in json.loads(points.data.values)]
    assert any(re.fullmatch(r"SGD\+C: [+−]\d\.\d+ \[.*\] nats per frame", text) for text in told), told
