"""The comparison of two versions: its sentences, its page with every name escaped, and its JSON document."""

import json
from dataclasses import replace

import pytest

from tasks.report.compared import Comparison, compare_results, render_comparison
from tasks.report.compared.words import corpus_sentence, headline
from tasks.report.numbers.results import Results
from tests.tasks.report.compared.versions import CL, CORPUS, LEVELS, SGD, C, L, version
from tests.tasks.report.inert import EVIL, check_inert

NAMES = ("20260102T030405Z-1a2b3c4d", "20260103T030405Z-1a2b3c4d")


def _compared(before: Results, after: Results) -> Comparison:
    return compare_results(before, after, NAMES, 200)


@pytest.fixture(scope="module")
def regressed() -> Comparison:
    return _compared(version(1), version(2, LEVELS | {C: -9.6}, rungs=3))


def test_the_words_say_what_moved(regressed):
    assert headline(regressed) == "Of 4 scores 1 regressed"
    told = corpus_sentence(regressed, regressed.data[0])
    assert told.startswith("songs: SGD+C (−0.6")
    assert told.endswith("]) regressed; of 3 variants nothing can be told.")


@pytest.mark.parametrize(
    ("after", "head", "sentence"),
    [
        (version(1), "Nothing changed: every score is of the very same trials", "4 variants are of the very same"),
        (version(2), "No score can be told to have changed", "of 4 variants nothing can be told"),
        (version(1, digest="e" * 64), "No score can be compared", "another one (digest dddddddddddd before, eeeeeeee"),
        (version(1, {SGD: -9.0, L: -9.0, CL: -9.0}), "No score can be told", "1 variant was there only before"),
    ],
)
def test_the_words_say_what_cannot_be_told(after, head, sentence):
    made = _compared(version(1), after)
    assert headline(made).startswith(head)
    assert sentence in corpus_sentence(made, made.data[0])


def test_the_page_is_inert_and_has_numbers_words_and_settings(regressed):
    html = render_comparison(regressed)
    page = check_inert(html)
    assert "<h1>Of 4 scores 1 regressed</h1>" in html
    assert html.count(">regressed</td>") == 2  # the score, and the effect of C
    assert html.count('<svg class="bar"') == 6
    assert all(name in html for name in NAMES)
    assert '<th scope="row">rungs</th><td>–</td><td>3</td>' in html
    targets = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert {attrs["href"][1:] for attrs in page.all("a")} <= targets


def test_names_of_other_people_stay_text():
    levels = {SGD: -9.0, f"rnn/bernoulli/SGD+{EVIL}": -9.0}
    results = []
    for luck in (1, 2):
        made = version(luck, levels, preset=f"{EVIL}{luck}")
        corpora = {EVIL: {**made.corpora[CORPUS], "source": {"origin": f"{EVIL}{luck}"}}}
        asked = {**made.campaign, "corpora": {EVIL: list(levels)}}
        tables = {name: getattr(made, name).assign(corpus=EVIL) for name in ("trials", "pieces")}
        commit = {"commit": f"{EVIL}{luck}\u202e", "finished": EVIL}
        results.append(replace(made, corpora=corpora, campaign=asked, provenance=commit, **tables))
    for digest in ("d" * 64, EVIL):
        other = replace(results[1], corpora={EVIL: {**results[1].corpora[EVIL], "digest": digest}})
        html = render_comparison(compare_results(results[0], other, (EVIL, EVIL), 50))
        check_inert(html)
        assert "\u202e" not in html


def test_the_document_has_all_of_it_and_no_number_that_does_not_exist(regressed):
    document = json.loads(regressed.to_json())
    assert (document["schema"], document["schema_version"]) == ("counterpoint.comparison", 1)
    assert [document["before"], document["after"]] == list(NAMES)
    assert document["data"][0]["state"] == "the same"
    assert document["statistics"] == {"level": 0.95, "resamples": 200}
    assert {row["variant"]: row["verdict"] for row in document["scores"]}[C] == "regressed"
    alone = json.loads(_compared(version(1), version(2, LEVELS | {f"{SGD}+M": -9.0})).to_json())
    assert alone["scores"][-1]["before"] is alone["scores"][-1]["change"] is None
