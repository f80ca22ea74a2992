"""The page's script copies tables as CSV, Markdown and LaTeX; no name becomes a formula, markup or a command."""

import csv
import io
import json

import pytest
from markdown_it import MarkdownIt

from tasks.publishing.artifact import escape
from tasks.report.pages.scripts import FILES, page_script
from tasks.report.papers import latex
from tasks.telling.wording import visible
from tests.tasks.report.browser import find_browser
from tests.tasks.report.inert import EVIL

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine: no script runs"),
]
TEXTS = [
    EVIL, "a|b", "`a`", "*a*_b_", "a\\|b", "# a", "&amp;", "~~a~~", "a\nb", "\u202eab", "![x](y)", "\\input{x}",
    "100 %", "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " =1", "\uff1d1", 'say "x", y', "x;y",
    "$x^2$", "{}", "--", "[1]", "</script>", "rnn/bernoulli/SGD+CL", "–", "",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(window, folder):
    """Call a function of the page's script, and return its result."""
    sources = page_script().partition("{\n")[2].partition("// Everything is made here")[0]
    window.open(folder / "versions.html", 1280)

    def call(name: str, *arguments):
        return window.evaluate(f"(() => {{ {sources}; return {name}(...{json.dumps(arguments)}) }})()")

    return call


def test_csv_is_read_back_and_holds_no_formula(run):
    cells = [[_cell(text)] for text in TEXTS]
    rows = list(csv.reader(io.StringIO(run("asCsv", {"columns": ["name"], "rows": cells}), newline="")))
    assert rows[0] == ["name"]
    for text, row in zip(TEXTS, rows[1:], strict=True):
        shown = "" if text == "–" else visible(text)
        assert "".join(row) in (shown, f"'{shown}")
        assert not "".join(row).startswith(("=", "+", "-", "@", "\uff1d"))


@pytest.mark.parametrize(
    ("text", "number"),
    [("−9.121", "-9.121"), ("+0.064", "0.064"), ("1,234,567", "1234567"), ("1.2e−06", "1.2e-06"), ("1,2", '"1,2"')],
)
def test_numbers_are_numbers_in_csv(run, text, number):
    assert run("csvField", text) == number


def test_markdown_escapes_what_our_own_does_and_is_read_back(run):
    for text in TEXTS:
        assert run("markdownText", text) == escape(text)
    cells = [[_cell("x"), _cell(text)] for text in TEXTS]
    text = run("asMarkdown", {"columns": ["a", "b"], "rows": cells, "isText": False})
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [token for token in tokens if token.type == "inline"][2:]
    assert len(inline) == 2 * len(TEXTS)
    assert {child.type for token in inline for child in token.children} == {"text"}
    assert ["".join(child.content for child in token.children) for token in inline[1::2]] == [
        visible(t).strip() for t in TEXTS
    ]


def test_latex_is_that_of_the_files_of_a_report(run):
    for text in [*TEXTS, *map(chr, range(32, 384)), "3.2·10⁻⁷ 中 ♯", *latex._SIGNS]:
        assert run("latexText", text) == latex.escape(text)
    rows = [["[1]", "[x]"], ["*", "−2"]]
    told = run("asLatex", {"columns": ["a", "b"], "rows": [list(map(_cell, row)) for row in rows], "isText": False})
    ours = latex.tabular(["a", "b"], rows, "").decode().splitlines()[2:]
    assert told.splitlines() == ours


@pytest.mark.parametrize(
    ("text", "number"),
    [("−9.12", -9.12), ("≈ −6.59", -6.59), ("3 min 20 s", 200), ("2 h 1 min", 7260), ("3.2·10⁻⁷", 3.2e-7),
     ("12 %", 0.12), ("below 10⁻¹²", 1e-12), ("1,234", 1234), ("12 (5 of 5)", 12), ("<0.1 %", 0.001), ("SGD", None)],
)  # fmt: skip
def test_cells_are_sorted_by_their_numbers(run, text, number):
    assert run("numberOf", text) == (number if number is None else pytest.approx(number))


def test_scripts_put_text_into_the_page_as_text():
    script = page_script()
    for sink in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        'setTimeout("',
        "</",
    ):
        assert sink not in script, sink
    assert "fetch" not in script
    assert len(script) < 40_000
    assert len(set(FILES)) == len(FILES)


def _cell(text: str) -> dict:
    return {"word": "", "value": text, "low": "", "high": "", "notes": []}
