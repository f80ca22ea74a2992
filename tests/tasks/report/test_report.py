"""The three files: what they hold, that nothing in them is live, and that odd results still make a report."""

import dataclasses
import io
import json
import re

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tasks.report import SCHEMA_VERSION, Findings, build_report, estimate, results_json
from tasks.report.charts.colours import COLOURS
from tasks.report.numbers.formatting import duration
from tasks.report.pages.templates import PAPER
from tasks.report.words.tables import change_cells, chosen_table, score_rows
from tests.tasks.report.inert import Page, check_inert, without_script
from tests.tasks.report.pages_made import of_variants, page_words, small_results, undrawn_page
from tests.tasks.report.synthetic import estimated_results


@pytest.fixture(params=["files", pytest.param("drawn_files", marks=pytest.mark.integration)])
def either(request):
    """The report without its drawings, and with them."""
    return request.getfixturevalue(request.param)


def test_the_page_is_well_formed_and_asks_for_nothing(either):
    page = check_inert(either["index.html"].decode())
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    targets = {a["href"].removeprefix("#") for a in page.all("a")}
    samples = {name for name in either if name.startswith("samples/")}
    assert targets - set(identifiers) == {"../index.html", PAPER} | samples
    assert len(samples) == 15 + 3 + 4 + 4 + 2, "every variant but the one that was held back"
    assert "default-src 'none'" in either["index.html"].decode()


def test_headings_are_in_order_and_drawings_are_described(either):
    page = Page(either["index.html"].decode())
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(np.diff(levels)) == 1
    drawings = page.all("svg")
    assert len(drawings) == 2 + 5 * 3 + (8 + 3) + 3 + (3 + 1) + (5 + 3) + (3 + 3) + (3 + 3) + 3 + (3 + 1)
    assert all(drawing["role"] == "img" and len(drawing["aria-label"]) > 20 for drawing in drawings)
    assert len(page.all("caption")) == len(page.all("table"))
    # of a drawing the whole is one image: no part has a role or a description of its own
    assert {name for tag, attributes in page.tags if tag in ("g", "path", "text") for name in attributes} & {
        *("role", "aria-roledescription", "aria-hidden", "aria-label"),
    } == set()
    assert "" not in re.findall(r"<th(?: [^>]*)?>([^<]*)", either["index.html"].decode())


@pytest.mark.integration
def test_every_colour_of_a_drawing_has_a_dark_one(drawn_files):
    html = drawn_files["index.html"].decode()
    style, body = html.split("</style>", 1)
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', body))
    assert used <= COLOURS
    for colour in COLOURS:
        assert f'[fill="{colour}"] {{ fill: var(--' in style
        assert f'[stroke="{colour}"] {{ stroke: var(--' in style


@pytest.mark.integration
def test_equal_results_give_equal_bytes():
    one, other = (build_report(small_results("bach-chorales")) for _ in range(2))
    assert one == other


def test_the_page_tells_what_was_asked_of_it(files, results):
    html = files["index.html"].decode()
    text = page_words(html)
    for words in (
        "note-probability", "unigram", "MemoryError: 2.1 GiB asked for",
        "prefect run reproduce --campaign campaign.toml",
        "git checkout 0f1e2d3c",
        "Every variant that has a score was chosen among the same number", "with the same budget for all",
        "SGD+LR on bach-chorales: held back: 12 of 16 search trials ended", "WorkerLost: killed three times",
        "10,000 resamples",
        "5 trials failed", "3 October 2026, 04:08 UTC", "7 / 8", "(1 seed unpaired)",
        "The whole comparison was made 4 times",
        "The random search of rnn/bernoulli: validation score", "The random search: validation score",
        "In each of 4 studies, which are independent of each other, every variant was tried with 4 random",
        "37 pieces, 1,850 frames", "<td>46</td>", "torch",
        "2.13.0",
    ):  # fmt: skip
        assert words in text, words
    assert len(html) < 1_000_000


def test_the_answer_begins_with_what_each_technique_changes(files, estimates):
    html = re.sub(r"\s+", " ", files["index.html"].decode())
    (table,) = re.findall(r'<table class="effects">.*?</table>', html)
    body = [re.findall(r"<td.*?</td>", row) for row in re.findall(r"<tr .*?</tr>", table.split("<tbody>")[1])]
    assert [[re.sub(r"<.*?>", "", cell).split(" ")[0] for cell in row] for row in body] == [
        ["helps", "unclear", "unclear"], ["unclear", "unclear", "unclear"], ["helps", "unclear", "unclear"],
        ["hurts", "not", "not"],
    ]  # fmt: skip
    clipping = estimates.effects.query("technique == 'C' and metric == 'log_likelihood'").iloc[0]
    bounds = f"[{clipping['sim_low']:.3f}, {clipping['sim_high']:.3f}]"
    basis = "<small>7 pairs, 4 studies</small>"
    word = '<td data-corpus="bach-chorales" class="better"><span class="word">helps</span>'
    assert body[0][0] == f"{word} +{clipping['effect']:.3f} <small>{bounds}</small> {basis}</td>"
    assert html.index(table) < html.index('class="lead"')


def test_a_technique_without_a_comparison_says_why():
    results = small_results()
    pieces = results.pieces[results.pieces["variant"] != "rnn/softmax/SGD+CLR"]
    cells = change_cells(estimate(dataclasses.replace(results, pieces=pieces), resamples=50), "folk-tunes-words")
    assert (cells["R"].value, cells["M"].value) == ("no scores to compare", "not tried")
    assert cells["C"].verdict in ("better", "worse", "undecided")
    asked = {name: ["rnn/softmax/SGD", "rnn/softmax/SGD+CLR"] for name in results.corpora}
    trials = results.trials[results.trials["variant"].isin(asked["folk-tunes-words"])]
    fewer = dataclasses.replace(results, trials=trials, campaign={**results.campaign, "corpora": asked})
    cells = change_cells(estimate(fewer, resamples=50), "folk-tunes-words")
    assert {letter: cell.value for letter, cell in cells.items()} == dict.fromkeys(
        "CLR", "no pair with and without it"
    ) | {"M": "not tried"}


def test_facts_are_written_for_people():
    results = small_results("folk-tunes-words")
    rates = {"low": 1e-4, "high": 0.1, "scale": "log"}
    drawn = {"threshold": [30.0, 50.0], "learning_rate": rates, "rnn/softmax/Adam": {"learning_rate": 0.01}}
    campaign = {
        **results.campaign,
        "corpora": {"folk-tunes-words": results.campaign["corpora"]["folk-tunes-words"]},
        "spaces": {"folk-tunes-words": drawn},
        "counts": (1, 2),
        "none": (),
        "weights": {f"weight {n}": n for n in range(13)},
    }
    campaign["changes"] = ["trials"]
    html = undrawn_page(dataclasses.replace(results, campaign=campaign))
    facts = dict(re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", html))
    assert facts["counts"] == "1, 2"
    assert "spaces" not in " ".join(facts)
    rows = dict(re.findall(r"<tr><th scope=\"row\">(.*?)</th><td>(.*?)</td></tr>", html))
    assert rows["threshold"] == "30, 50"
    assert rows["learning rate"] == "0.0001 to 0.1, logarithmic"
    assert rows["learning rate of rnn/softmax/Adam"] == "0.01"
    assert "none" not in facts
    assert facts["weights"] == "13, each named in results.json"
    assert facts["dirty"] == "no"
    assert facts["Training in all"] == duration(results.trials["seconds"].sum())
    assert (facts["This run"], facts["seconds of this run"]) == ("3 min 34 s", "214.2")
    assert facts["Preset"] == "default, changed"


@pytest.mark.integration
def test_no_axis_has_powers_of_ten(drawn_files):
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", drawn_files["index.html"].decode())
    assert len(labels) > 200
    assert not [label for label in labels if re.search(r"\de[+\-−]?\d", label)]


@pytest.mark.integration
def test_a_variant_without_a_score_is_not_an_empty_row_of_a_chart(drawn_files):
    html = drawn_files["index.html"].decode()
    assert html.count(">held back</text>") == 2


@pytest.mark.integration
def test_names_and_reasons_are_inert(evil_page):
    check_inert(evil_page)
    assert "alert" in evil_page


def test_a_technique_of_ones_own_shows_its_hyper_parameters():
    results = small_results()
    trials = results.trials.copy()
    trials["variant"] = trials["variant"].replace("rnn/softmax/SGD+CLR", "rnn/softmax/SGD+CN")
    own = {"C": {"threshold": 30.0}, "N": {"noise_share": 0.125, "steps": 1200, "range": (0.1, 0.5), "on": True}}
    trials["techniques"] = [
        own if row.variant.endswith("+CN") else {k: v for k, v in row.techniques.items() if k != "R"}
        for row in trials.itertuples()
    ]
    asked = {name: ["rnn/softmax/SGD", "rnn/softmax/SGD+CN"] for name in results.corpora}
    odd = dataclasses.replace(results, trials=trials, campaign={**results.campaign, "corpora": asked})
    table = chosen_table(odd, "folk-tunes-characters")
    assert table.columns[5:] == (
        *("C: threshold", "L: share", "L: reading", "L: low", "L: high"),
        *("N: noise share", "N: steps", "N: range", "N: on", "parameters", "validation score"),
    )
    rows = {row[0]: row[5:-2] for row in table.rows}
    assert rows["SGD+CN"] == ("30", "–", "–", "–", "–", "0.125", "1,200", "0.1 to 0.5", "yes")
    assert rows["SGD"] == ("–",) * 9
    chosen = json.loads(results_json(Findings(odd, estimate(odd, resamples=50))))["chosen"]
    assert [row["techniques"] for row in chosen if row["variant"].endswith("+CN")] == [
        {**own, "N": {**own["N"], "range": [0.1, 0.5]}}
    ] * 2 * odd.studies


def test_what_stalled_is_counted_beside_how_it_ended():
    results = small_results("folk-tunes-words")
    mine = "corpus == 'folk-tunes-words' and variant == 'rnn/softmax/SGD' and purpose == 'search'"
    searched = results.trials.query(mine).index
    trials = results.trials.assign(status="completed")
    trials.loc[searched[:2], "stalled"], trials.loc[searched[1], "status"] = True, "untrained"
    odd = dataclasses.replace(results, trials=trials)
    told = json.loads(results_json(Findings(odd, estimate(odd, resamples=20))))
    counts = pd.DataFrame(told["trials"]).query(mine)[["status", "trials", "stalled"]]
    assert counts.to_numpy().tolist() == [["completed", len(searched) - 1, 1], ["untrained", 1, 1]]
    assert sum(row["stalled"] for row in told["trials"]) == 2
    assert [row["key"] for row in told["ended"] if row["stalled"]] == trials.loc[searched[:2], "key"].tolist()


def test_estimated_numbers_are_marked_on_the_page(files):
    best = "rnn/bernoulli/SGD+CR"
    few = [f"rnn/bernoulli/SGD{tail}" for tail in ("", "+C", "+R", "+CR")]
    changed = estimated_results(of_variants(small_results("bach-chorales"), "bach-chorales", *few), best, 0.05)
    rows = score_rows(changed, estimate(changed, resamples=50), "bach-chorales")
    assert [row.label for row in rows if row.cells[0].value.startswith("≈ ")] == ["rnn/rbm/SGD+CR"]
    assert not any("≈" in cell.value for row in rows for cell in row.cells[1:])
    chosen = {row[0]: row[-1] for row in chosen_table(changed, "bach-chorales").rows}
    assert [name for name, valid in chosen.items() if valid.startswith("≈ ")] == [best.replace("bernoulli", "rbm")]
    page = page_words(undrawn_page(changed))
    assert "≈: the log-likelihood of rnn/rbm/" in page
    assert "estimated by annealed importance sampling" in page
    assert "≈" not in without_script(files["index.html"].decode())


def test_unequal_budgets_are_admitted():
    results = small_results("folk-tunes-characters")
    one = results.trials.query("variant == 'rnn/softmax/SGD+C' and purpose == 'search' and not selected").index[0]
    whole = re.sub(r"\s+", " ", undrawn_page(results))
    assert "Every variant of a corpus had the same number of search trials." in whole
    assert "searches are not whole" not in whole
    html = re.sub(r"\s+", " ", undrawn_page(dataclasses.replace(results, trials=results.trials.drop(index=one))))
    assert "did not all have the same number" in html
    assert "with the same budget" not in html
    assert "SGD+C on folk-tunes-characters: 5 of 6 search trials ended" in html


def test_a_campaign_in_which_nothing_ended_still_makes_a_page():
    results = small_results("folk-tunes-words")
    trials = results.trials.assign(status="failed", valid=np.nan, selected=False, reason="killed")
    pieces = results.pieces[results.pieces["variant"].str.startswith("baseline/")]
    html = undrawn_page(dataclasses.replace(results, trials=trials, pieces=pieces, curves=results.curves.iloc[:0]))
    assert "no variant came to a test score" in html
    check_inert(html)
    nothing = dataclasses.replace(
        results, trials=trials.iloc[:0], pieces=pieces.iloc[:0], curves=results.curves.iloc[:0]
    )
    check_inert(undrawn_page(nothing))


def test_results_lack_a_column():
    results = small_results()
    with pytest.raises(ValueError, match=r"Results.pieces lacks the columns steps"):
        dataclasses.replace(results, pieces=results.pieces.drop(columns="steps"))


def test_json_is_strict_and_says_what_the_page_says(files, estimates, results):
    def refuse(constant):
        raise AssertionError(constant)

    document = json.loads(files["results.json"], parse_constant=refuse)
    assert (document["schema"], document["schema_version"]) == ("counterpoint.results", SCHEMA_VERSION)
    assert document["statistics"]["resamples"] == 10_000
    assert document["campaign"] == json.loads(json.dumps(results.campaign))
    assert len(document["scores"]) == len(estimates.scores)
    assert [row["variant"] for row in document["chosen"]].count("rnn/bernoulli/SGD+CLRM") == 4
    assert sum(row["trials"] for row in document["trials"]) == len(results.trials)
    ended = results.trials[results.trials["status"] != "failed"]
    assert [(row["key"], row["status"], row["best_epoch"]) for row in document["ended"]] == list(
        zip(ended["key"], ended["status"], ended["best_epoch"], strict=True)
    )
    assert len(document["failures"]) == 5
    plain = next(row for row in document["scores"] if row["variant"] == "rnn/bernoulli/SGD")
    assert plain["difference"] is None
    assert document["answers"]["bach-chorales"]["best"] in files["index.html"].decode()


def test_parquet_is_the_table_of_scores(files, estimates):
    table = pq.read_table(io.BytesIO(files["results.parquet"]))
    assert table.schema.metadata[b"counterpoint.schema_version"] == str(SCHEMA_VERSION).encode()
    pd.testing.assert_frame_equal(table.to_pandas(), estimates.scores, check_dtype=False)
