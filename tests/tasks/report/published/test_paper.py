"""The paper's tables: every number of the paper in its cell, the measured one beside it, or why there is none."""

import csv
import io
import json
from dataclasses import replace
from math import isnan

import pandas as pd
import pytest

from tasks.report.numbers.estimates import Estimates
from tasks.report.pages.paper import HEADINGS, told_table, told_tables
from tasks.report.published import MODELS, OFFICIAL, literature
from tasks.report.published.paper import FORMS, PaperTable, paper_tables
from tests.tasks.report.pages_made import small_results
from tests.tasks.report.published.numbers import NAN, score

SOURCE = "arXiv:1212.0901, Tables 1 and 2"
SGD, CRM = "rnn/bernoulli/SGD", "rnn/nade/SGD+CRM"
WORDS = {"corpus": "penn-treebank-words", "kind": "words", "metric": "perplexity", "estimated": False}


def _report(*rows: dict) -> tuple:
    results = small_results("bach-chorales")
    facts = results.corpora["bach-chorales"]
    names = dict.fromkeys(row["corpus"] for row in rows)
    corpora = {name: {**facts, "steps": {"test": OFFICIAL[name][1]}} for name in names}
    return replace(results, corpora=corpora), Estimates(pd.DataFrame(rows), pd.DataFrame(), 0, 0)


def _music(mean: float = -8.6, **changed) -> dict:
    return score(mean, mean - 0.1, mean + 0.1, estimated=False, **changed)


def _cells(table: PaperTable) -> dict:
    return {
        (name, cell.column.corpus, cell.column.metric, cell.column.split): cell
        for group in table.groups
        for name, row in group
        for cell in row
    }


@pytest.fixture(scope="module")
def music() -> PaperTable:
    return paper_tables([_report(_music(), _music(NAN, variant=CRM))])[0]


def test_every_number_of_the_papers_tables_has_a_cell():
    theirs = {
        (each.model, each.dataset, each.metric, each.split): each.value
        for each in literature()
        if each.source.startswith(SOURCE)
    }
    named = {
        (model, OFFICIAL[column.corpus][0], column.metric, column.split)
        for form in FORMS
        for group in form.groups
        for model in group.values()
        for column in form.columns
    }
    assert len(theirs) == 88
    assert theirs.keys() <= named
    assert {model for model, *_ in named - theirs.keys()} == {"RNN-NADE (HF)"}, "its numbers are the ICML paper's"
    assert {model for model, *_ in named} <= MODELS.keys()


def test_a_cell_has_what_was_measured_or_says_why_not(music):
    cells = _cells(music)
    cell = cells["RNN (SGD)", "jsb-chorales", "log_likelihood", "test"]
    assert (cell.state, cell.variant, cell.measured, cell.published.value) == ("measured", SGD, -8.6, -8.65)
    assert (cell.low, cell.high) == (-8.69, -8.51), "the interval of this score alone"
    assert cells["RNN-NADE (SGD+CRM)", "jsb-chorales", "log_likelihood", "test"].state == "no score"
    assert cells["RNN (SGD)", "jsb-chorales", "accuracy", "test"].state == "not run", "no such score is at hand"
    assert cells["RNN (SGD)", "nottingham", "log_likelihood", "test"].state == "not run"
    assert cells["RNN (SGD+C)", "jsb-chorales", "log_likelihood", "test"].state == "not run"
    train = cells["RNN (SGD)", "jsb-chorales", "log_likelihood", "train"]
    assert (train.state, train.published.value, isnan(train.measured)) == ("not scored", -7.88, True)
    quoted = cells["RNN-NADE (HF)", "jsb-chorales", "log_likelihood", "test"]
    assert (quoted.published.value, quoted.published.confidence) == (-5.56, "exact")
    assert cells["RNN-NADE (HF)", "jsb-chorales", "log_likelihood", "train"].published is None
    assert music.corpora == ("jsb-chorales",)


def test_of_two_variants_the_one_that_is_the_papers_is_shown_and_a_difference_is_told():
    whole = score(140, 135, 145, variant="rnn/softmax/SGD", **WORDS)
    classes = score(150, 145, 155, variant="rnn/classes/SGD", **WORDS)
    place = ("RNN (SGD)", "penn-treebank-words", "perplexity", "test")
    both = _cells(paper_tables([_report(whole, classes)])[1])[place]
    assert (both.variant, both.measured, both.note) == ("rnn/classes/SGD", 150, "")
    lost = _cells(paper_tables([_report(whole, classes | {"mean": NAN})])[1])[place]
    assert (lost.variant, lost.measured, lost.note) == ("rnn/softmax/SGD", 140, "the source has classes")
    assert told_table(paper_tables([_report(whole)])[1]).notes == ("the source has classes",)


def test_sets_that_ran_apart_are_one_table_and_of_two_of_a_set_the_first_counts():
    reports = [_report(_music()), _report(_music(-9), _music(-4, corpus="nottingham"))]
    cells = _cells(paper_tables(reports)[0])
    found = [cells["RNN (SGD)", name, "log_likelihood", "test"].measured for name in ("jsb-chorales", "nottingham")]
    assert found == [-8.6, -4]


def test_another_corpus_of_the_same_name_is_not_the_papers():
    results, estimates = _report(_music())
    corpora = {"jsb-chorales": {**results.corpora["jsb-chorales"], "steps": {"test": 7}}}
    tables = paper_tables([(replace(results, corpora=corpora), estimates)])
    assert [table.corpora for table in tables] == [(), ()]
    assert told_tables(tables) == ()


def test_the_words_of_a_cell(music):
    told = told_table(music)
    assert told.corpora == (("piano-midi.de", 3), ("nottingham", 3), ("musedata", 3), ("jsb-chorales", 3))
    assert [[name for name, _ in group] for group in told.groups] == [
        ["RNN (SGD)", "RNN (SGD+C)", "RNN (SGD+CRM)", "RNN (HF)"],
        ["RNN-NADE (SGD+CR)", "RNN-NADE (SGD+CRM)", "RNN-NADE (HF)"],
    ]
    row = dict(told.groups[0])["RNN (SGD)"]
    said = [(cell.measured, cell.interval, cell.published) for cell in row[-3:]]
    assert said == [
        ("not scored", "", "−7.88†"), ("−8.600", "[−8.690, −8.510]", "−8.65†"), ("not run", "", "29.97†"),
    ]  # fmt: skip
    assert dict(told.groups[1])["RNN-NADE (HF)"][-3].published == "–"
    assert dict(told.groups[1])["RNN-NADE (HF)"][-2].published == "−5.56"
    assert {(column.metric, column.split) for form in FORMS for column in form.columns} == HEADINGS.keys()


def test_programs_get_the_same_in_the_papers_form_and_cell_by_cell(music):
    rows = list(csv.DictReader(io.StringIO(music.to_csv().decode())))
    assert [row["model"] for row in rows][:2] == ["RNN (SGD)", "RNN (SGD+C)"]
    names = [f"jsb-chorales log_likelihood test{part}" for part in ("", " low", " high", " published")]
    assert [rows[0][name] for name in names] == ["-8.6", "-8.69", "-8.51", "-8.65"]
    assert [rows[1][name] for name in names] == ["not run", "", "", "-8.65"]
    assert len(rows) == 7
    assert len(rows[0]) == 1 + 12 * 4
    told = json.loads(json.dumps(music.to_json()))
    assert len(told) == 7 * 12
    assert [(cell["variant"], cell["measured"], cell["published"], cell["confidence"]) for cell in told][10] == (
        SGD, -8.6, -8.65, "recalled",
    )  # fmt: skip
