"""The paper's tables in the page: their form, what is in a cell, and that they are left in that form."""

import re
from dataclasses import replace
from functools import partial

import pytest

from tasks.report import build_report, estimate
from tasks.report.numbers.portrait import Portrait
from tests.tasks.report.browser import browser, find_browser
from tests.tasks.report.inert import check_inert
from tests.tasks.report.pages_made import page_words, treebank_results, undrawn, undrawn_page


@pytest.fixture(scope="module")
def html() -> str:
    return undrawn_page(treebank_results())


def test_the_page_has_the_table_of_text_and_not_that_of_music_of_which_nothing_was_run(html):
    check_inert(html)
    (table,) = re.findall(r'<table class="paper">.*?</table>', html, re.DOTALL)
    words = page_words(table)
    assert "The paper’s Table 2" in words
    assert 'colspan="2">penn-treebank-words</th><th scope="colgroup" colspan="2">penn-treebank-characters<' in words
    (plain,) = re.findall(r"<tr><th scope=\"row\">RNN \(SGD\)</th>(.*?)</tr>", words)
    cells = [re.sub(r"<[^>]*>", "", cell).split(" ") for cell in re.findall(r"<td>(.*?)</td>", plain)]
    assert [cell[-1] for cell in cells] == ["112.11†", "145.16†", "1.78†", "1.76†"]
    assert re.fullmatch(r"\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\]", " ".join(cells[1][:-1]))
    assert cells[3][:2] == ["not", "run"]
    assert "Where it differs, the source has classes." in words


def test_a_report_has_it_as_a_file():
    results = treebank_results()
    with undrawn(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.report.estimate", partial(estimate, resamples=50))
        made = build_report(replace(results, portraits={name: Portrait() for name in results.corpora}))
    assert [name for name in made if "paper-table" in name and name.startswith("tables/")] == [
        "tables/paper-table-2.csv"
    ]


@pytest.mark.integration
@pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine: the page is not opened")
def test_the_script_leaves_it_in_its_form_and_the_page_fits(html, tmp_path):
    (tmp_path / "index.html").write_text(html, encoding="utf-8")
    with browser(tmp_path / "profile") as window:
        window.open(tmp_path / "index.html", 390)
        assert window.evaluate("document.querySelectorAll('.paper .sort').length") == 0
        assert window.evaluate("document.querySelectorAll('#published .sort').length") > 3
        assert window.evaluate("document.documentElement.scrollWidth") == 390
        assert window.complaints == []
