"""A curve, a diagnosis or a sample that is not whole is left out and named, and the page has all the rest."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from tasks.report import Findings, Results, estimate, results_json
from tasks.report.broken import find_broken, wrong_curves, wrong_diagnoses
from tasks.report.pages.page import render_page
from tests.tasks.report.inert import check_inert
from tests.tasks.report.pages_made import of_variants, page_words, small_results, undrawn

CORPUS, PLAIN = "bach-chorales", "rnn/bernoulli/SGD"
VARIANTS = (PLAIN, f"{PLAIN}+C", f"{PLAIN}+L")


@pytest.fixture(scope="module")
def small() -> Results:
    return of_variants(small_results(CORPUS), CORPUS, *VARIANTS)


def _first(table: pd.DataFrame, variant: str) -> str:
    return str(table.loc[table["variant"] == variant, "key"].iloc[0])


def _changed(table: pd.DataFrame, variant: str, column: str, value: float, quantity: str = "") -> pd.DataFrame:
    """Another value in the first row of a variant, or in the first of a quantity."""
    rows = (table["variant"] == variant) & (table["quantity"].eq(quantity) if quantity else True)
    table = table.astype({column: float})
    table.loc[table.index[rows][0], column] = value
    return table


def test_what_is_whole_is_not_broken(results):
    assert find_broken(results) == ()


@pytest.mark.parametrize(("column", "value", "why"), [
    ("update", np.nan, "of an epoch the update is no number"),
    ("update", np.inf, "of an epoch the update is no number"),
    ("epoch", np.nan, "of an epoch the epoch is no number"), ("epoch", -1, "of an epoch the epoch is no number"),
    ("clipped_share", np.inf, "a share of clipped updates is none"),
    ("clipped_share", 1.5, "a share of clipped updates is none"),
    ("valid", -np.inf, None), ("valid", np.nan, None), ("clipped_share", np.nan, None), ("gradient_norm", np.inf, None),
])  # fmt: skip
def test_a_curve_is_broken_where_an_epoch_or_a_share_is_none_and_not_where_training_blew_up(small, column, value, why):
    wrong = wrong_curves(_changed(small.curves, PLAIN, column, value))
    assert wrong == ({_first(small.curves, PLAIN): why} if why else {})


@pytest.mark.parametrize(("quantity", "column", "value", "why"), [
    ("gradient_norm", "index", np.nan, "a lag of its gradient is missing or there twice"),
    ("gradient_norm", "index", 1, "a lag of its gradient is missing or there twice"),
    ("gradient_norm", "value", np.inf, None),
    ("zero_states", "value", np.nan, "a share of zeros is none"),
    ("zero_gradients", "value", 2.0, "a share of zeros is none"),
    ("time_constant", "value", np.inf, "a time constant is none"),
    ("time_constant", "value", 0.0, "a time constant is none"),
])  # fmt: skip
def test_a_diagnosis_is_broken_where_a_number_is_none(small, quantity, column, value, why):
    variant = VARIANTS[2]
    wrong = wrong_diagnoses(_changed(small.diagnostics, variant, column, value, quantity))
    assert wrong == ({_first(small.diagnostics, variant): why} if why else {})


@pytest.mark.parametrize("lag", [4, 99])
def test_a_diagnosis_is_broken_where_a_later_lag_is_there_twice_or_missing(small, lag):
    numbers = small.diagnostics.astype({"index": float})
    rows = (numbers["variant"] == PLAIN) & (numbers["quantity"] == "gradient_norm") & (numbers["index"] == 3)
    numbers.loc[numbers.index[rows][0], "index"] = lag
    assert list(wrong_diagnoses(numbers)) == [_first(numbers, PLAIN)]


@pytest.mark.parametrize("quantity", ["gradient_norm", "zero_states", "zero_gradients"])
def test_a_diagnosis_is_broken_where_a_quantity_is_missing(small, quantity):
    numbers = small.diagnostics
    key = _first(numbers, PLAIN)
    wrong = wrong_diagnoses(numbers[(numbers["key"] != key) | (numbers["quantity"] != quantity)])
    assert wrong == {key: f"it has no {quantity}"}


def _sample(results: Results, variant: str, **changes) -> Results:
    samples = dict(results.samples[CORPUS])
    made = dataclasses.replace(samples[variant].continuation, **changes)
    samples[variant] = dataclasses.replace(samples[variant], continuation=made)
    return dataclasses.replace(results, samples={CORPUS: samples})


@pytest.mark.parametrize(("changes", "why"), [
    ({"steps": ((200,),) * 38}, "a note that no key has"), ({"steps": ((60,),)}, "8 steps given of 1"),
    ({"quarters": None}, "a frame of None quarter notes"),
    ({"kind": "words", "steps": ("a",) * 38}, "it is of words"),
])  # fmt: skip
def test_a_sample_is_broken_where_it_can_be_neither_shown_nor_played(small, changes, why):
    (broken,) = find_broken(_sample(small, PLAIN, **changes))
    assert (broken.variant, broken.what, broken.why) == (PLAIN, "the sample", why)


def test_the_page_names_what_is_broken_and_has_all_the_rest(small):
    odd = dataclasses.replace(
        _sample(small, VARIANTS[1], steps=((200,),) * 38),
        curves=_changed(small.curves, PLAIN, "update", np.nan),
        diagnostics=_changed(small.diagnostics, VARIANTS[2], "value", np.nan, "zero_states"),
    )
    findings, whole = Findings(odd, estimate(odd, resamples=50)), Findings(small, estimate(small, resamples=50))
    with undrawn():
        page = render_page(findings)
    check_inert(page)
    words = page_words(page)
    curve, measured = _first(small.curves, PLAIN)[:12], _first(small.diagnostics, VARIANTS[2])[:12]
    sample = small.samples[CORPUS][VARIANTS[1]].continuation.key[:12]
    assert f"{PLAIN}: the curve of trial {curve} is not shown: of an epoch the update is no number." in words
    assert f"{VARIANTS[2]}: what was measured on the network of trial {measured} is not shown: a share" in words
    assert f"{VARIANTS[1]}: the sample of trial {sample} is not shown: a note that no key has." in words
    pd.testing.assert_frame_equal(findings.estimates.scores, whole.estimates.scores)
    seeds = {each.variant: each.seeds for each in whole.diagnoses[CORPUS]}
    assert {each.variant: each.seeds for each in findings.diagnoses[CORPUS]} == seeds | {
        VARIANTS[2]: seeds[VARIANTS[2]] - 1
    }
    assert len(findings.shown.curves) < len(small.curves)
    assert set(findings.shown.samples[CORPUS]) == set(small.samples[CORPUS]) - {VARIANTS[1]}
    assert len(json.loads(results_json(findings))["broken"]) == 3
