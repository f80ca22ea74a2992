"""Published beside measured: the verdict of every case by hand, which numbers belong to a cell, what is said."""

import dataclasses

import pandas as pd
import pytest

from tasks.report.numbers.estimates import Estimates
from tasks.report.published import OFFICIAL, literature, published_beside
from tasks.report.published.beside import beside
from tests.tasks.report.pages_made import small_results
from tests.tasks.report.published.numbers import NAN, number, score

HF = "rnn/bernoulli/HF"
GRU = "gru/bernoulli/Adam+C"


@pytest.mark.parametrize(("measured", "verdict"), [
    ((-8.50, -8.60, -8.40), "better"),
    ((-8.50, -8.66, -8.40), "matches"),
    ((-8.50, -8.646, -8.40), "matches"),  # the published −8.65 may have been −8.646
    ((-8.80, -8.90, -8.70), "worse"),
    ((-8.70, -8.80, -8.654), "matches"),
    ((-8.50, -9.51, -7.79), "matches"),  # a tenth of −8.65 to either side
    ((-8.50, -9.52, -8.00), "cannot be told"),
    ((-8.50, -9.00, -7.78), "cannot be told"),
    ((-8.50, NAN, NAN), "unreplicated"),
    ((NAN, NAN, NAN), "no score"),
])  # fmt: skip
def test_the_interval_decides(measured, verdict):
    assert beside(score(*measured), number()).verdict == verdict


def test_positive_is_better_where_less_is_too():
    perplexity = number(dataset="ptb-word", metric="perplexity", unit="", value=134.0, first_frame_scored=None)
    mine = {"corpus": "penn-treebank-words", "kind": "words", "variant": "rnn/classes/SGD", "metric": "perplexity"}
    row = beside(score(125.0, 122.0, 128.0, **mine), perplexity)
    assert (row.difference, row.diff_low, row.diff_high, row.verdict) == (9.0, 6.0, 12.0, "better")
    assert beside(score(140.0, 136.0, 144.0, **mine), perplexity).verdict == "worse"


def test_no_verdict_rests_on_a_recalled_number_nor_on_another_protocol_nor_on_one_study():
    far = score(-5.0, -5.1, -4.9)
    assert beside(far, number(confidence="recalled")).verdict == "recalled"
    other = beside(far, number(comparable=False, why_not="windows are averaged", first_frame_scored=False))
    assert other.verdict == "not comparable"
    assert other.note == "windows are averaged; first frames are left out, worth about 0.040 nats"
    assert beside(far | {"n_studies": 1}, number()).verdict == "unreplicated"
    assert beside(far, number(confidence="secondary")).verdict == "better"


def test_a_number_without_first_frames_may_be_flattered_by_them():
    mine, theirs = score(-8.72, -8.76, -8.68), number(first_frame_scored=False)
    assert beside(mine, number()).verdict == "worse"
    assert beside(mine, theirs).verdict == "matches"
    assert beside(score(-8.76, -8.80, -8.70), theirs).verdict == "worse"
    assert beside(score(-8.60, -8.64, -8.56), theirs).verdict == "better"


def test_a_baseline_has_its_interval_over_pieces_and_a_verdict():
    uniform = score(-60.997, -60.997, -60.997, variant="baseline/uniform", n_studies=1)
    uniform |= {"low": -60.997, "high": -60.997, "sim_low": NAN, "sim_high": NAN}
    assert beside(uniform, number(model="Random", value=-61.0)).verdict == "matches"


def test_what_differs_in_the_source_is_said_at_the_number():
    words = {"corpus": "penn-treebank-words", "kind": "words", "metric": "perplexity"}
    classes = number(dataset="ptb-word", metric="perplexity", value=145.16, first_frame_scored=None)
    whole = score(140, 130, 150, variant="rnn/softmax/SGD", **words)
    assert beside(whole, classes).note == "the source has classes"
    assert beside(whole | {"variant": "rnn/classes/SGD"}, classes).note == ""
    nade = number(model="RNN-NADE")
    assert beside(score(-6, -7, -5, variant="rnn/nade/SGD"), nade).note == "the source pre-trains both parts"
    assert beside(score(-6, -7, -5, variant="rnn/nade/SGD+P"), nade).note == ""


@pytest.fixture(scope="module")
def chorales():
    """A report on the chorales in which everything was measured as −8.6, of two studies, and of accuracy nothing."""
    results = small_results("bach-chorales")
    facts = results.corpora["bach-chorales"] | {"steps": {"test": OFFICIAL["jsb-chorales"][1]}}
    return dataclasses.replace(results, corpora={"jsb-chorales": facts, "songs": facts})


def _estimates(*variants: str) -> Estimates:
    rows = [score(-8.6, -8.7, -8.55, variant=name) for name in variants]
    return Estimates(pd.DataFrame(rows), pd.DataFrame(), 0, 0)


def test_every_published_number_of_a_cell_is_listed(chorales):
    told = published_beside(chorales, _estimates("rnn/bernoulli/SGD", HF, GRU, "rnn/bernoulli/SGD+CL"))
    assert list(told) == ["jsb-chorales"]
    rows = [(row.variant, row.number.value, row.number.confidence, row.verdict) for row in told["jsb-chorales"].rows]
    assert rows == [
        ("rnn/bernoulli/SGD", -8.71, "exact", "better"), ("rnn/bernoulli/SGD", -8.65, "recalled", "recalled"),
        (HF, -8.58, "exact", "matches"), (HF, -8.58, "recalled", "recalled"),
        (GRU, -8.43, "exact", "worse"), (GRU, -8.2, "exact", "not comparable"),
        (GRU, -8.54, "secondary", "not comparable"),
    ]  # fmt: skip
    assert told["jsb-chorales"].sentence == (
        "1 score is better than published (rnn/bernoulli/SGD); 1 score matches the published number"
        " (rnn/bernoulli/HF); 1 score is worse than published (gru/bernoulli/Adam+C)."
        " Without a verdict: 2 written from memory and 2 of another protocol."
    )


def test_a_wide_interval_is_no_match(chorales):
    wide = _estimates("rnn/bernoulli/SGD")
    wide.scores["sim_low"], wide.scores["sim_high"] = -14.0, -2.0
    assert published_beside(chorales, wide)["jsb-chorales"].sentence == (
        "Without a verdict: 1 written from memory and 1 within an interval too wide for a word."
    )


def test_elsewhere_has_what_is_comparable_and_of_none_of_the_variants(chorales):
    told = published_beside(chorales, _estimates("rnn/bernoulli/SGD"))["jsb-chorales"]
    listed = {id(row.number) for row in told.rows}
    elsewhere = [each for each in told.elsewhere if each.metric == "log_likelihood"]
    assert elsewhere[0].model == "DMM-Aug-NADE (importance-sampled)"
    assert [each.value for each in elsewhere] == sorted((each.value for each in elsewhere), reverse=True)
    expected = [
        each for each in literature("jsb-chorales")
        if each.split == "test" and each.comparable and id(each) not in listed
    ]  # fmt: skip
    assert sorted(map(id, told.elsewhere)) == sorted(map(id, expected))
