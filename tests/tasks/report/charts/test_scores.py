"""The charts of scores and search: what colour tells apart shape does too, and rows stand side by side."""

import json
import re
from typing import Any

import pandas as pd
import pytest

from tasks.report import Estimates, Results
from tasks.report.charts.colours import FIRST, MUTED, OTHER
from tasks.report.charts.scores import difference_chart, forest_chart
from tasks.report.charts.theme import to_svg
from tasks.report.charts.training import GROUPS, curve_panels, search_scatter
from tasks.report.numbers.metrics import METRICS
from tasks.report.numbers.variant_titles import is_baseline, short_labels

MUSIC = METRICS["music"][0]


@pytest.fixture(scope="module")
def scores(estimates: Estimates) -> pd.DataFrame:
    return estimates.primary("bach-chorales")


def _rows(layer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(layer.data.values)
    return found


def test_a_baseline_far_off_is_a_number_at_the_edge_and_does_not_squeeze_the_others(scores):
    chart = forest_chart(scores, MUSIC)
    labels = short_labels(scores["variant"])
    scored = [name for name in scores.loc[scores["mean"].notna(), "variant"] if not is_baseline(name)]
    assert [row["label"] for row in _rows(chart.layer[0])] == [labels[name] for name in scored]
    edges = [layer.mark.text for layer in chart.layer if "text" in layer.mark.to_dict() and "←" in layer.mark.text]
    assert edges[1:] == ["← −14.953", "← −61.000"]
    assert len(edges) == 3


def test_a_baseline_among_the_variants_is_a_row_like_theirs(scores):
    near = scores.assign(mean=scores["mean"].where(scores["variant"] != "baseline/note-probability", -8.4))
    near[["low", "high"]] = near[["low", "high"]].where(near["variant"] != "baseline/note-probability", -8.4)
    drawn = {row["label"]: row["colour"] for row in _rows(forest_chart(near, MUSIC).layer[0])}
    assert drawn["note-probability"] == MUTED
    labels = short_labels(scores["variant"])
    assert [drawn[labels[f"rnn/bernoulli/{tail}"]] for tail in ("SGD", "SGD+C")] == [FIRST, OTHER]


def test_scores_and_differences_stand_row_for_row_beside_each_other(scores):
    drawings = [to_svg(chart, "a", "b") for chart in (forest_chart(scores, MUSIC), difference_chart(scores, MUSIC))]
    places = [re.findall(r'viewBox="([^"]*)"|transform="(translate\(\d+,\d+\))"', str(each))[:2] for each in drawings]
    assert places[0] == places[1]


def test_groups_differ_in_shape_as_well_as_in_colour(results: Results, scores):
    trials = results.trials[results.trials["corpus"] == "bach-chorales"]
    chart = search_scatter(trials, "frame")
    assert chart is not None
    points = [row for layer in chart.layer for row in _rows(layer) if "shape" in row and row["shape"] != "cross"]
    pairs = {(row["colour"], row["shape"]) for row in points}
    assert len(pairs) == len({shape for _, shape in pairs}) == len(GROUPS)
    plain = {(row["colour"], row["shape"]) for row in _rows(forest_chart(scores, MUSIC).layer[0])}
    assert len({shape for _, shape in plain}) == 2


def test_trials_without_a_score_are_crosses_turned_by_how_they_ended(results: Results):
    trials = results.trials[results.trials["corpus"] == "bach-chorales"].copy()
    lost = trials.index[(trials["purpose"] == "search") & ~trials["selected"].astype(bool)][:3]
    trials.loc[lost, "status"] = ["untrained", "diverged", "untrained"]
    trials.loc[trials["status"].eq("diverged").to_numpy() & ~trials.index.isin(lost), "status"] = "completed"
    chart = search_scatter(trials, "frame")
    assert chart is not None
    crosses = [row for layer in chart.layer for row in _rows(layer) if row.get("shape") == "cross"]
    assert sorted(row["tilt"] for row in crosses) == [0, 0, 45]
    assert len({row["valid"] for row in crosses}) == 1, "below the axis' lowest value, whatever the score"
    assert not any(row["below"] for row in crosses)


def test_a_seed_that_never_learned_ends_in_an_upright_cross(results: Results):
    trials, curves = (frame[frame["corpus"] == "bach-chorales"] for frame in (results.trials, results.curves))
    chosen = trials[(trials["purpose"] == "final") & (trials["variant"] == "rnn/bernoulli/SGD")]["key"].iloc[0]
    trials = trials.assign(status=trials["status"].where(trials["key"] != chosen, "untrained"))
    _, chart = curve_panels(curves, trials)[0]
    crosses = [layer.mark for layer in chart.layer if layer.mark.to_dict().get("shape") == "cross"]
    assert [mark.angle for mark in crosses] == [0]


def test_the_mean_without_clipping_is_dashed(results: Results):
    trials, curves = (frame[frame["corpus"] == "bach-chorales"] for frame in (results.trials, results.curves))
    title, chart = curve_panels(curves, trials)[0]
    thick = [layer.mark for layer in chart.layer if layer.mark.to_dict().get("strokeWidth") == 2.4]
    dashes = {mark.color: tuple(mark.strokeDash) for mark in thick}
    assert re.fullmatch(r"(\S*)SGD and \1SGD\+C", title)
    assert dashes[FIRST] != dashes[OTHER] == (1, 0)
