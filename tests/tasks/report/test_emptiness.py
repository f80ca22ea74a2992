"""A report with its gaps: whatever of a campaign is not there, the page is made and says so in true sentences."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from tasks.report import Findings, Results, estimate, results_json
from tasks.report.pages.page import render_page
from tests.tasks.report.inert import check_inert
from tests.tasks.report.pages_made import drawn_page, of_variants, page_words, undrawn
from tests.tasks.report.sentences import Reader
from tests.tasks.report.synthetic import synthetic_results

WORDS = "folk-tunes-words"


@pytest.fixture(scope="module")
def small() -> Results:
    few = [f"rnn/{family}/SGD{letters}" for family in ("softmax", "classes") for letters in ("", "+C")]
    return of_variants(synthetic_results(studies=1, seeds=2, trials=3, epochs=4), WORDS, *few)


def _as_collected(frame: pd.DataFrame) -> pd.DataFrame:
    """The table as a collector makes it, row by row: what has no row, or None alone, has no type."""
    rows = [{k: None if v != v else v for k, v in row.items()} for row in frame.to_dict("records")]
    return pd.DataFrame(rows, columns=list(frame.columns), dtype=None if rows else object)


def _without(results: Results, case: str) -> Results:
    trials, pieces = results.trials, results.pieces
    search, counted = trials[trials["purpose"] == "search"], pieces[pieces["variant"].str.startswith("baseline/")]
    none = {"curves": results.curves.iloc[:0], "diagnostics": results.diagnostics.iloc[:0], "pieces": counted}
    gone = {"valid": np.nan, "selected": False}
    plain = {WORDS: ["rnn/softmax/SGD"]}
    changes = {
        "no trials": {"trials": trials.iloc[:0], **none},
        "nothing at all": {"trials": trials.iloc[:0], **none, "pieces": pieces.iloc[:0]},
        "no finals": {"trials": search.assign(selected=False), **none},
        "every search lost": {"trials": search.assign(status="failed", reason="killed", **gone), **none},
        "all diverged": {"trials": search.assign(status="diverged", diverged_at=3.0, **gone), **none},
        "all finals diverged": {
            "trials": trials.assign(status=trials["status"].where(trials["purpose"] == "search", "diverged")),
            **none,
        },
        "no curves": {"curves": none["curves"]},
        "no diagnostics": {"diagnostics": none["diagnostics"]},
        "one variant": {
            "trials": trials[trials["variant"] == plain[WORDS][0]],
            "pieces": pieces[pieces["variant"].isin(["rnn/softmax/SGD", *counted["variant"]])],
            "campaign": {**results.campaign, "corpora": plain},
        },
        "one seed": {
            "trials": trials[(trials["purpose"] == "search") | (trials["seed"] == 0)],
            "pieces": pieces[pieces["seed"] == 0],
            "curves": results.curves[results.curves["key"].isin(trials.loc[trials["seed"] == 0, "key"])],
        },
        "one seed and one piece": {"pieces": pieces[(pieces["seed"] == 0) & (pieces["piece"] == "piece 000")]},
        "no baselines": {"pieces": pieces.drop(counted.index)},
        "the main family without a score": {"pieces": pieces[~pieces["variant"].str.startswith("rnn/softmax/")]},
    }[case]
    frames = {name: changes.get(name, getattr(results, name)) for name in ("trials", "curves", "diagnostics", "pieces")}
    collected = {name: _as_collected(frame) for name, frame in frames.items()}
    return dataclasses.replace(results, campaign=changes.get("campaign", results.campaign), samples={}, **collected)


SAID = {
    "no trials": "no variant came to a test score",
    "nothing at all": "no variant came to a test score",
    "no finals": "no variant came to a test score",
    "every search lost": "are held back: 0 of 3 search trials ended",
    "all diverged": "no variant came to a test score",
    "all finals diverged": "no variant came to a test score",
    "no curves": "the best variant of rnn/softmax",
    "no diagnostics": "this was not measured",
    "one variant": "the best variant on the test split was plain SGD",
    "one seed": "Every variant has one seed",
    "one seed and one piece": "Every variant has one seed",
    "no baselines": "the best variant of rnn/softmax",
    "the main family without a score": "no variant of rnn/softmax came to a test score",
}


@pytest.mark.integration
@pytest.mark.parametrize("case", ["all diverged", "one seed and one piece", "the main family without a score"])
def test_charts_with_fewer_marks_or_without_an_interval_are_drawn(small, case):
    check_inert(drawn_page(_without(small, case)))


QUICK = ("no trials", "every search lost", "no curves", "the main family without a score")


@pytest.mark.parametrize(
    "case", [case if case in QUICK else pytest.param(case, marks=pytest.mark.integration) for case in SAID]
)
def test_every_emptiness_has_its_report(small, case):
    results = _without(small, case)
    findings = Findings(results, estimate(results, resamples=40))
    with undrawn():
        page = render_page(findings)
    check_inert(page)
    assert SAID[case] in page_words(page)
    document = json.loads(results_json(findings))
    rows = [row for row in document["scores"] if row["metric"] == "perplexity"]
    reader = Reader(rows, document["effects"])
    for field in ("best", "others", "techniques", "alone"):
        reader.read(document["answers"][WORDS][field])
    assert reader.claims > 0
    if case == "no curves":
        assert "Learning curves" not in page
