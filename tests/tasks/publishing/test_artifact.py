"""The scores as Markdown, read by a parser of Markdown: tables are tables, and nothing in a name is markup."""

import re
import shlex
from html import unescape
from typing import Any

import pytest
from markdown_it import MarkdownIt
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks.publishing.artifact import escape, score_markdown
from tasks.publishing.make import _outcome
from tests.tasks.publishing.test_terminal import COUNT, PLAIN, RICH, _document, _score

ADDRESS = "s3://bucket/reports/20260102T030405Z-1a2b3c4d/index.html"


def _html(document: dict[str, Any], address: str = ADDRESS) -> str:
    text = score_markdown({"campaign": {"preset": "smoke"}, **document}, address)
    return str(MarkdownIt("commonmark").enable("table").render(text))


def _cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    return [[unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_every_corpus_is_a_heading_an_answer_and_a_table_of_its_first_metric():
    document = _document(
        _score(RICH, mean=-6.125, low=-6.5, high=-5.75, difference=0.5, diff_low=0.25, diff_high=0.75, n_seeds=2),
        _score(RICH, "accuracy", mean=31.5),
        _score(PLAIN, mean=-6.625),
        _score(COUNT, mean=-11.0),
        _score("rnn/softmax/SGD", "perplexity", mean=134.56) | {"corpus": "folk-tunes-words"},
    )
    html = _html(document)
    assert re.findall(r"<h[12]>.*?</h[12]>", html) == [
        "<h1>Counterpoint, smoke</h1>",
        "<h2>bach-chorales</h2>",
        "<h2>folk-tunes-words</h2>",
    ]
    assert "<p>bach-chorales: the answer.</p>" in html
    assert _cells(html) == [
        ["variant", "log-likelihood (nats per frame)", "better than plain SGD by", "seeds"],
        [RICH, "−6.125 [−6.500, −5.750]", "+0.500 [0.250, 0.750] *", "2/3"],
        [PLAIN, "−6.625", "", "3/3"],
        [COUNT, "−11.000", "", ""],
        ["variant", "perplexity", "better than plain SGD by", "seeds"],
        ["rnn/softmax/SGD", "134.56", "", "3/3"],
    ]
    assert f"<p>Report: <code>{ADDRESS}</code></p>" in html


def test_seeds_without_a_score_are_told_by_how_they_ended():
    lost = {"n_seeds": 0, "seeds_diverged": 1, "seeds_untrained": 1, "seeds_failed": 1}
    rows = _cells(_html(_document(_score(RICH, mean=-6.0, **lost), _score(PLAIN, mean=-7.0))))
    assert [row[-1] for row in rows[1:]] == ["0/3, 1 diverged, 1 learned nothing, 1 failed", "3/3"]


@pytest.mark.parametrize(
    "name", ["a|b", "`a`", "<b>x</b>", "[a](b)", "*a*_b_", "a\\|b", "# a", "&amp;", "~~a~~", "a\nb", "![x](y)"]
)
def test_a_name_is_shown_as_it_is_and_is_no_markup(name):
    shown = name.replace("\n", "[U+000A]")
    row = _score(name, mean=-1.0) | {"corpus": name}
    html = _html(_document(row))
    assert _cells(html)[1][0] == shown
    assert unescape(re.findall(r"<h2>(.*?)</h2>", html)[0]) == shown
    assert not re.findall(r"<(?!/?(?:h1|h2|p|table|thead|tbody|tr|th|td|code)\b)", html)
    assert html.count("<code>") == 3, "the address, the command, and where all versions are"


@pytest.mark.parametrize("address", ["file:///a`b/index.html", "file:///`a``b`", "file:///a|b"])
def test_an_address_is_code_whatever_it_holds(address):
    html = _html(_document(_score(PLAIN, mean=-1.0)), address)
    assert unescape(re.findall(r"<code>(.*?)</code>", html)[0]) == address


def test_the_report_has_a_link_where_the_store_is_served_and_a_command_in_any_case(monkeypatch):
    version = "20260102T030405Z-1a2b3c4d"
    address = f"s3://bucket/my prefix/reports/{version}/index.html"
    html = _html(_document(_score(PLAIN, mean=-1.0)), address)
    assert "<a " not in html, "no browser opens s3://"
    assert "<p>All versions: <code>s3://bucket/my prefix/reports/index.html</code></p>" in html
    typed = shlex.split(unescape(re.findall(r"<code>(.*?)</code>", html)[1]))
    assert typed == ["prefect", "run", "pull", version, "--to", "DIR", "--store", "s3://bucket/my prefix"]
    served = "https://reports.example.org/counterpoint"
    monkeypatch.setenv("COUNTERPOINT_STORE_URL", f"{served}/")
    html = _html(_document(_score(PLAIN, mean=-1.0)), address)
    assert f'<a href="{served}/reports/{version}/index.html">Open the report</a>' in html
    assert f'<a href="{served}/reports/index.html">all versions</a>' in html
    for wrong in ("javascript:alert(1)", "https://x.org/)[y](", "reports"):
        monkeypatch.setenv("COUNTERPOINT_STORE_URL", wrong)
        assert "<a " not in _html(_document(_score(PLAIN, mean=-1.0)), address)


def test_a_changed_preset_other_families_and_the_luck_of_the_search_are_told():
    document = _document(_score(PLAIN, mean=-6.625)) | {"search": "Each variant was tried with 4."}
    document["campaign"] = {"preset": "default", "changes": ["trials"]}
    document["answers"]["bach-chorales"]["others"] = "The best of the other one: rnn/nade/SGD."
    html = _html(document)
    assert "<h1>Counterpoint, default, changed</h1>" in html
    assert "<p>bach-chorales: the answer. The best of the other one: rnn/nade/SGD.</p>" in html
    assert "<p>Each variant was tried with 4.</p>" in html


@pytest.mark.parametrize("studies", [1, 3])
def test_what_a_star_stands_for_is_told_where_there_can_be_one(studies):
    document = _document(_score(PLAIN, mean=-6.625)) | {"campaign": {"preset": "default", "studies": studies}}
    html = unescape(_html(document))
    assert ("<p>* better or worse, by intervals that hold for all differences" in html) == (studies > 1)
    assert "Each variant is compared with plain SGD on the same core and output model.</p>" in html


def test_trials_that_failed_are_counted():
    failure = {"corpus": "bach-chorales", "variant": PLAIN, "key": "a" * 64, "reason": "MemoryError"}
    told = "trials did not come to an end"
    assert f"2 {told}" in _html(_document(_score(PLAIN, mean=-1.0), failures=(failure, failure)))
    assert told not in _html(_document(_score(PLAIN, mean=-1.0)))


def test_plain_names_stay_readable():
    assert escape("rnn/bernoulli/SGD+CLRM (3 seeds)") == "rnn/bernoulli/SGD+CLRM (3 seeds)"


@pytest.mark.filterwarnings("ignore:Artifact creation outside of a flow:FutureWarning")
def test_a_report_is_told_where_prefect_does_not_learn_of_it(store, caplog):
    """It is published by then."""
    document = {"campaign": {"preset": "smoke"}, "trials": [{"trials": 3}], **_document(_score(PLAIN, mean=-1.0))}
    gone = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(gone):
        outcome = _outcome(store, "20260102T030405Z-1a2b3c4d", document)
    assert outcome.report.endswith("/reports/20260102T030405Z-1a2b3c4d/index.html")
    assert "the Prefect server at 127.0.0.1:9 is gone (ConnectError): this run has no artifact there" in caplog.text
