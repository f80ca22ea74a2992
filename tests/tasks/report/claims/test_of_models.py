"""Hessian-free and the output model: contrasts of small campaigns, of which the answer is known."""

import dataclasses

import numpy as np
import pytest

from tasks.report.claims import Measured
from tasks.report.claims.contrasts import Contrast, contrasts_of
from tasks.report.claims.of_models import hessian_free, output_model
from tasks.report.numbers.estimates import estimate
from tasks.report.numbers.intervals import Effect
from tasks.report.numbers.metrics import METRICS
from tasks.report.training.ease import Ease
from tests.tasks.report.claims.hand import measured, score, told
from tests.tasks.report.over_corpora.test_aggregate import campaign

SGD = [0.30, 0.32, 0.29]


def _judged(**parts):
    """A campaign on music; `nade` in the name of a variant stands for that output model."""
    results = campaign({name.replace("_", "+"): [part] for name, part in parts.items()}, {"songs": "music"})
    rename = {f"rnn/bernoulli/nade-{tail}": f"rnn/nade/{tail}" for tail in ("SGD", "SGD+C")}
    frames = {}
    for name in ("trials", "pieces"):
        frame = getattr(results, name)
        frames[name] = frame.assign(variant=frame["variant"].replace(rename))
    asked = {"songs": [rename.get(name, name) for name in results.campaign["corpora"]["songs"]]}
    results = dataclasses.replace(results, campaign={**results.campaign, "corpora": asked}, **frames)
    return Measured(results, estimate(results, resamples=300), Ease((), ()))


@pytest.mark.parametrize(("others", "verdict"), [
    ([0.60, 0.63, 0.61], "supported"), ([0.10, 0.12, 0.11], "contradicted"), ([0.1, 0.9, 0.38], "cannot be told"),
])  # fmt: skip
def test_sgd_is_as_good_as_hessian_free(others, verdict):
    claim = hessian_free(_judged(SGD=SGD, HF=[0.35, 0.37, 0.38], SGD_CLRM=others))
    (row,) = claim.evidence
    assert claim.verdict == verdict
    assert row.value == pytest.approx(np.mean(others) - np.mean([0.35, 0.37, 0.38]), abs=1e-6)
    assert row.low < row.value < row.high
    assert row.what.startswith("rnn/bernoulli/SGD+CLRM beside rnn/bernoulli/HF")


def test_nade_beside_independent_notes_is_the_mean_over_the_techniques_that_both_have():
    parts = {"nade-SGD": [2.30, 2.31, 2.33], "nade-SGD+C": [2.7, 2.71, 2.7], "SGD+C": [0.5, 0.52, 0.5]}
    told_of = _judged(SGD=SGD, **parts)
    (found,) = contrasts_of(told_of.results, told_of.estimates)
    expected = np.mean(
        [np.mean(parts["nade-SGD"]) - np.mean(SGD), np.mean(parts["nade-SGD+C"]) - np.mean(parts["SGD+C"])]
    )
    assert found.effect.value == pytest.approx(expected, abs=1e-6)
    assert len(found.effect.pairs) == 2
    claim = output_model(told_of)
    assert claim.verdict == "supported"
    assert claim.evidence[0].value == pytest.approx(
        expected - (np.mean(parts["nade-SGD+C"]) - np.mean(parts["nade-SGD"])), abs=1e-6
    )


def _contrast(low, high, studies=3):
    effect = Effect((low + high) / 2, low, high, pairs=(("a", "b", 0.0),), studies=(studies,), seeds=(studies,))
    return Contrast("songs", METRICS["music"][0], "rnn/bernoulli", "rnn/nade", effect, low, high)


@pytest.mark.parametrize(("nade", "rows", "verdict"), [
    ((2.9, 3.2), [("SGD+C", 0.1, 0.3), ("rnn/nade/SGD+R", -0.9, -0.7)], "supported"),
    ((0.3, 0.5), [("SGD+C", 0.1, 0.3), ("rnn/nade/SGD+R", -0.9, -0.7)], "contradicted"),
    ((0.75, 0.8), [("SGD+C", 0.1, 0.3), ("rnn/nade/SGD+R", -0.9, -0.7)], "cannot be told"),
    ((-3.2, -2.9), [("SGD+C", 0.1, 0.3)], "contradicted"),
    ((2.9, 3.2), [("SGD+C", -4.0, 4.0)], "cannot be told"),
    ((2.9, 3.2), [], "not tried"),
])  # fmt: skip
def test_the_output_model_against_the_furthest_variant(nade, rows, verdict):
    of = measured(scores=[score(*row) for row in rows])
    of.__dict__["contrasts"] = (_contrast(*nade),)  # a cached property
    assert output_model(of).verdict == verdict


def test_one_study_tells_nothing():
    of = measured(scores=[score("SGD+C", 0.1, 0.3)])
    of.__dict__["contrasts"] = (_contrast(2.9, 3.2, studies=1),)
    assert told(output_model(of)) == ("cannot be told", ["unclear"])
