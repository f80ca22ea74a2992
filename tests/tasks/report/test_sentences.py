"""Every sentence of the answer is true: it is read, and held against the tables that it came from."""

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd
import pytest

from tasks.publishing.terminal import score_table
from tasks.report import Estimates, Findings, Results, estimate, results_json
from tasks.report.numbers.metrics import METRICS
from tasks.report.pages.page import render_page
from tasks.report.words.answer import answer, told_of_search
from tasks.report.words.tables import change_cells, score_rows
from tests.tasks.report.pages_made import page_words, undrawn
from tests.tasks.report.sentences import Reader
from tests.tasks.report.synthetic import synthetic_results

CHORALES, WORDS = "bach-chorales", "folk-tunes-words"
FIELDS = ("best", "others", "techniques", "alone")


def _reader(document: Mapping[str, Any], corpus: str) -> Reader:
    rows = [row for row in document["scores"] if row["corpus"] == corpus]
    metric = rows[0]["metric"]
    scores = [row for row in rows if row["metric"] == metric]
    effects = [row for row in document["effects"] if (row["corpus"], row["metric"]) == (corpus, metric)]
    return Reader(scores, effects)


def _document(estimates: Estimates, results: Results) -> dict[str, Any]:
    """As `results.json` has it, without the diagnostics: no sentence here is of them, and they take half the time."""
    bare = dataclasses.replace(results, diagnostics=results.diagnostics.head(0))
    document: dict[str, Any] = json.loads(results_json(Findings(bare, estimates)))
    return document


def _told(estimates: Estimates, results: Results) -> dict[str, Any]:
    """The answers alone, and the tables that they came from: of `results.json` what `_read_all` reads."""
    tables = {name: getattr(estimates, name).to_dict("records") for name in ("scores", "effects")}
    return {"answers": {name: asdict(answer(estimates, name)) for name in results.corpora}, **tables}


def _read_all(document: Mapping[str, Any]) -> int:
    claims = 0
    for corpus, said in document["answers"].items():
        reader = _reader(document, corpus)
        for field in FIELDS:
            reader.read(said[field])
        claims += reader.claims
    return claims


@pytest.fixture(scope="module")
def document(results, estimates):
    return _document(estimates, results)


def test_every_sentence_is_true_of_a_campaign_with_two_families_and_two_optimizers(document):
    assert _read_all(document) > 20


@pytest.mark.parametrize("random_seed", [1, 2])
def test_every_sentence_is_true_of_other_numbers(random_seed):
    studies, seeds = 1 + random_seed % 3, 1 + random_seed % 2
    results = synthetic_results(studies=studies, seeds=seeds, trials=3, epochs=3, random_seed=random_seed)
    assert _read_all(_told(estimate(results, resamples=60), results)) > 15


@pytest.mark.parametrize(
    "lost", [("rnn/bernoulli/SGD",), ("rnn/nade/SGD",), ("rnn/bernoulli/SGD+C", "rnn/softmax/SGD+CLR")]
)
def test_every_sentence_is_true_where_scores_are_missing(results, lost):
    fewer = dataclasses.replace(results, pieces=results.pieces[~results.pieces["variant"].isin(lost)])
    document = _told(estimate(fewer, resamples=60), fewer)
    assert _read_all(document) > 10
    if lost == ("rnn/bernoulli/SGD",):
        said = document["answers"][CHORALES]
        assert "; rnn/bernoulli/SGD has no test score to compare with." in said["best"]
        assert said["alone"] == ""


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("best", r"best variant of rnn/bernoulli", "best variant"),
        ("best", r"was SGD\+\w+", "was SGD+C"),
        ("best", r"by 0\.\d", "by 0.9"),
        ("best", r"better than rnn/bernoulli/SGD", "better than plain SGD"),
        ("best", r"better than rnn/bernoulli/SGD", "better than rnn/nade/SGD"),
        ("best", r"; 4 others", "; 5 others"),
        ("others", r"rnn/nade/SGD\+CM", "rnn/nade/SGD"),
        ("techniques", r"C helped", "C hurt"),
        ("techniques", r"M hurt", "M helped"),
        ("techniques", r"; L made no difference that can be told from chance", ""),
        ("techniques", r"7 pairs", "8 pairs"),
        ("techniques", r"4 studies", "3 studies"),
        ("techniques", r"4 studies", "4 seeds"),
        ("alone", r"C and R improved on rnn/bernoulli/SGD", "C and R did worse than rnn/bernoulli/SGD"),
        ("alone", r"L and M cannot", "C, L and M cannot"),
        ("alone", r"on rnn/bernoulli/SGD", "on rnn/nade/SGD"),
        ("alone", r"$", " All is well."),
    ],
)
def test_the_reader_refuses_what_is_not_true(document, field, old, new):
    text = document["answers"][CHORALES][field]
    changed = re.sub(old, new, text, count=1)
    assert changed != text, "nothing was changed"
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        _reader(document, CHORALES).read(changed)


def test_each_family_and_optimizer_is_spoken_of_by_itself(document):
    music, words = document["answers"][CHORALES], document["answers"][WORDS]
    assert "Adam" not in music["alone"]
    assert music["alone"].count("Added alone") == 1, "no variant of NADE has one technique"
    assert words["alone"].split(". ")[0].endswith("rnn/softmax/SGD")
    assert words["alone"].rstrip(".").endswith("rnn/classes/SGD")
    assert music["others"].startswith("The best of the other core or output model: rnn/nade/SGD+CM with ")
    assert document["answers"]["folk-tunes-characters"]["others"] == ""


def test_it_is_told_how_many_pairs_and_studies_an_effect_rests_on(results, estimates):
    text, music = (change_cells(estimates, corpus)["C"] for corpus in ("folk-tunes-characters", CHORALES))
    assert (text.basis, music.basis, music.verdict) == ("1 pair, 4 studies", "7 pairs, 4 studies", "better")


def _with_effect(estimates, letter, effect, low, high):
    effects = estimates.effects.copy()
    row = (effects["corpus"] == CHORALES) & (effects["metric"] == "log_likelihood") & (effects["technique"] == letter)
    effects.loc[row, ["effect", "sim_low", "sim_high"]] = effect, low, high
    return dataclasses.replace(estimates, effects=effects)


@pytest.mark.parametrize(("effect", "low", "high"), [(-0.0003, -0.0004, -0.0001), (-0.002, -0.004, -0.0003)])
def test_an_effect_that_is_printed_as_nothing_did_not_hurt(estimates, effect, low, high):
    changed = _with_effect(estimates, "L", effect, low, high)
    said = answer(changed, CHORALES).techniques
    assert "L hurt" not in said
    assert re.search(r"; L \([^)]*\) changed less than these decimals show\.", said)
    assert change_cells(changed, CHORALES)["L"].verdict == "tiny"


def test_a_difference_that_is_printed_as_nothing_is_none(estimates):
    scores = estimates.scores.copy()
    top = scores["variant"] == estimates.primary(WORDS).query("variant.str.contains('softmax')")["variant"].iloc[0]
    mine = top & (scores["corpus"] == WORDS)
    scores.loc[mine, ["difference", "diff_sim_low", "diff_sim_high"]] = 0.001, 0.0005, 0.002
    said = answer(dataclasses.replace(estimates, scores=scores), WORDS).best
    assert "no further from rnn/softmax/SGD than these decimals show (0.00 [0.00, 0.00])" in said


def test_the_best_on_other_seeds_may_be_worse_on_those_that_both_have(estimates):
    scores = estimates.scores.copy()
    mine = (scores["corpus"] == CHORALES) & (scores["variant"] == "rnn/bernoulli/SGD+CR")
    scores.loc[mine, ["difference", "diff_sim_low", "diff_sim_high"]] = -0.2, -0.3, -0.1
    assert (
        ", worse than rnn/bernoulli/SGD by 0.200 [0.100, 0.300]"
        in answer(dataclasses.replace(estimates, scores=scores), CHORALES).best
    )


def test_the_terminal_says_the_same(document):
    text = " ".join(score_table(document).split())
    for said in document["answers"].values():
        assert " ".join(filter(None, (said["best"], said["others"], said["techniques"]))) in text
    assert document["search"] in text
    assert "* better or worse, by intervals that hold for all differences of a corpus at once" in text
    assert "Each variant is compared with plain SGD on the same core and output model." in text


def test_with_how_many_configurations_each_variant_was_tried_is_said(estimates):
    assert told_of_search(estimates) == (
        "In each of 4 studies, which are independent of each other, every variant was tried with 4 random"
        " configurations, of which validation chose one: the intervals hold the luck of that draw."
    )
    assert told_of_search(dataclasses.replace(estimates, scores=estimates.scores.iloc[:0])) == ""


@pytest.fixture(scope="module")
def one_study() -> Results:
    return synthetic_results(studies=1, seeds=3, trials=5, epochs=3)


@pytest.fixture(scope="module")
def of_one_study(one_study) -> Estimates:
    return estimate(one_study, resamples=300)


def test_one_study_has_numbers_and_no_words(one_study, of_one_study):
    """Whatever the intervals: nothing helps, hurts, is better or is told apart, on the page and in a terminal."""
    clear = dataclasses.replace(
        of_one_study,
        scores=of_one_study.scores.assign(diff_sim_low=0.1, diff_sim_high=0.2),
        effects=of_one_study.effects.assign(sim_low=0.1, sim_high=0.2),
    )
    document = _document(clear, one_study)
    assert _read_all(document) > 10
    music = document["answers"][CHORALES]
    assert "beside rnn/bernoulli/SGD in one study." in music["best"]
    assert "in one study, too little for a verdict: C +0." in music["techniques"]
    assert music["alone"] == ""
    assert {cell.verdict for cell in change_cells(clear, CHORALES).values()} == {"unreplicated"}
    assert not any(row.leading for row in score_rows(one_study, clear, CHORALES))
    told = [" ".join(filter(None, (said[field] for field in FIELDS))) for said in document["answers"].values()]
    with undrawn():
        text_alone = dataclasses.replace(one_study, corpora={WORDS: one_study.corpora[WORDS]})
        findings = Findings(text_alone, clear)
        html = page_words(render_page(findings)).partition("</style>")[2]
    assert {claim.verdict for claim in findings.claims} == {"cannot be told", "not tried"}
    # the claims are told in the paper's words; draws that learned count pairs of draws, and not studies
    page = re.sub(r"<[^>]*>", " ", re.sub(r'<section id="(ease|claims)".*?</section>', "", html, flags=re.DOTALL))
    for text in (*told, score_table(document), page):
        for word in ("helped", "hurt", "helps", "better than rnn", "worse than", "unclear", "told apart from rnn", "*"):
            assert word not in text.replace("better than plain SGD by", ""), word
    assert (
        "what other configurations would have been drawn, and chosen, no interval holds"
        in " ".join(page.split()).lower()
    )


def test_of_one_study_the_gap_to_the_second_best_configuration_is_told(one_study, of_one_study):
    said = told_of_search(of_one_study)
    assert said.startswith(
        "Each variant was tried with 5 random configurations, of which validation chose one, in one study: the"
        " intervals do not hold the luck of that draw, and so nothing is said to be better or worse. For comparison: on"
        " validation, in the median, the second best"
    )
    for corpus, facts in one_study.corpora.items():
        metric = METRICS[facts["kind"]][0]
        search = one_study.trials.query("corpus == @corpus and purpose == 'search' and status == 'completed'")
        gaps = []
        for _, mine in search.groupby("variant"):
            best, second = mine["valid"].nlargest(2)
            gaps.append(metric.sign * (metric.link(best) - metric.link(second)))
        told = re.search(rf"([\d.]+) {metric.measure} on {corpus}", said)
        assert told is not None
        assert float(told[1]) == pytest.approx(pd.Series(gaps).median(), abs=0.5 * 10**-metric.decimals)


def _warnings(estimates, column, **numbers):
    scores = estimates.scores.copy()
    for name, number in numbers.items():
        mine = scores["variant"].str.endswith(f"/SGD+{name}") & scores["variant"].str.startswith("rnn/bernoulli/")
        scores.loc[mine, column] = number
    return answer(dataclasses.replace(estimates, scores=scores), CHORALES).warnings


def test_variants_with_fewer_studies_are_named(estimates):
    assert not any("studies" in text for text in answer(estimates, CHORALES).warnings)
    warnings = _warnings(estimates, "n_studies", C=1, L=3, M=3)
    assert "rnn/bernoulli/SGD+L and rnn/bernoulli/SGD+M have a score in 3 of 4 studies." in warnings
    alone = "the luck of its search is not in the interval, and no word is said."
    assert f"rnn/bernoulli/SGD+C has a score in 1 of 4 studies: {alone}" in warnings


def test_of_one_study_variants_with_one_seed_are_named(of_one_study):
    assert not any("one seed" in text for text in answer(of_one_study, CHORALES).warnings)
    told = "one seed: the interval is over pieces only, and nothing is said about other seeds."
    assert f"rnn/bernoulli/SGD+C has {told}" in _warnings(of_one_study, "n_seeds", C=1)
    assert f"rnn/bernoulli/SGD+C and rnn/bernoulli/SGD+L have {told}" in [
        re.sub(r"(\S+\+L) and (\S+\+C)", r"\2 and \1", text) for text in _warnings(of_one_study, "n_seeds", C=1, L=1)
    ]
