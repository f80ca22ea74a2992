"""The tables for papers: those of the page, whole, and such as LaTeX takes."""

import re
from dataclasses import replace

import pytest

from tasks.report import Findings, Results, estimate
from tasks.report.pages.published import published_sections
from tasks.report.papers.files import ALL, FOLDER, latex_files, latex_tables
from tasks.report.papers.latex import escape
from tasks.report.training.tables import EASE_COLUMNS
from tasks.report.words.tables import change_cells, score_rows
from tests.tasks.report.over_corpora.test_aggregate import PARTS, campaign, made
from tests.tasks.report.pages_made import TREEBANK, of_variants, small_results, treebank_results

MUSIC = "bach-chorales"


@pytest.fixture(scope="module")
def findings() -> Findings:
    results = of_variants(
        small_results(MUSIC), MUSIC, *(f"rnn/bernoulli/SGD{tail}" for tail in ("", "+C", "+L", "+CL"))
    )
    return Findings(results, estimate(results, resamples=50))


@pytest.fixture(scope="module")
def files(findings: Findings) -> dict[str, str]:
    return {name.removeprefix(f"{FOLDER}/"): data.decode() for name, data in latex_files(findings).items()}


def cells(text: str) -> list[list[str]]:
    """The rows of a table, cell by cell: & and \\\\ part them where no backslash stands before."""
    body = text.partition("\\toprule\n")[2].partition("\\bottomrule")[0].replace("\\midrule\n", "")
    return [re.split(r"(?<!\\) & ", line.removesuffix(r" \\")) for line in body.splitlines()]


def columns(text: str) -> int:
    """Of the heading: letters, and widths in braces that belong to the letter before."""
    (told,) = re.findall(r"\\begin\{tabular\}\{(.*)\}\n", text)
    return len(re.sub(r"\{[^}]*\}", "", told))


def check_balanced(text: str) -> None:
    """Braces and dollars that are not escaped go in pairs, and nothing above ASCII is left but letters and signs."""
    bare = re.sub(r"\\[{}$%&#_\\]", "", "\n".join(line for line in text.splitlines() if not line.startswith("%")))
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    assert not [sign for sign in text if ord(sign) > 0x17F]


def test_every_table_is_a_tabular_with_as_many_cells_as_columns(files: dict[str, str]) -> None:
    assert len(files) == 4 + 6 + 1
    for name, text in files.items():
        check_balanced(text)
        if name != ALL:
            rows = cells(text)
            assert {len(row) for row in rows} == {columns(text)}, name
            assert len(rows) > 1
            assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 1
            assert all(line.endswith(r" \\") for line in text.splitlines() if " & " in line and line[0] != "%")


def test_the_paper_sets_every_table_under_what_it_is_about(files: dict[str, str], findings: Findings) -> None:
    paper = files[ALL]
    names = [each.name for each in latex_tables(findings) if each.table.rows]
    assert re.findall(r"\\fitted\{([^#]*?)\}\\end", paper) == names
    assert sorted(files) == sorted([*(f"{name}.tex" for name in names), ALL])
    assert "\\usepackage{booktabs" in paper


def test_the_numbers_are_those_of_the_page(files: dict[str, str], findings: Findings) -> None:
    results, estimates = findings.results, findings.estimates
    head, *rows = cells(files["effects.tex"])
    assert head[1] == "bach-chorales (nats per frame)"
    told = change_cells(estimates, MUSIC)
    for row, (letter, cell) in zip(rows, told.items(), strict=True):
        assert row[0].startswith(f"{letter}, ")
        assert row[1].endswith(" ".join(filter(None, (escape(cell.value), escape(cell.interval)))))
    assert any(row[1].startswith(("helps", "hurts", "unclear", "one study")) for row in rows)
    _, *rows = cells(files[f"1-{MUSIC}-scores.tex"])
    for row, scored in zip(rows, score_rows(results, estimates, MUSIC), strict=True):
        assert row[0].removesuffix(r" $\bullet$") == escape(scored.label)
        assert row[0].endswith(r"$\bullet$") == scored.leading
        assert row[1] == escape(f"{scored.cells[0].value} {scored.cells[0].interval}".strip())
        assert row[2].endswith("*") == (scored.cells[1].verdict in ("better", "worse"))
    head, *_ = cells(files[f"1-{MUSIC}-ease.tex"])
    assert head[1:] == [escape(column) for column in EASE_COLUMNS]


def test_an_official_corpus_has_its_published_numbers_and_the_paper_its_own_table() -> None:
    results = treebank_results()
    findings = Findings(results, estimate(results, resamples=50))
    findings.__dict__["aggregate"] = made(campaign(PARTS))  # over more corpora than there are here
    files = {name: data.decode() for name, data in latex_files(findings).items()}
    for text in files.values():
        check_balanced(text)
    (part,), _ = published_sections(findings)
    _, *rows = cells(files[f"{FOLDER}/1-{TREEBANK}-published.tex"])
    for row, told in zip(rows, part.groups[0].rows, strict=True):
        assert row[0] == escape(told.label)
        assert row[2].startswith(escape(told.measured.value))
        assert row[3] == (told.published.value + (" (from memory)" if told.published.interval else ""))
        assert row[5] == told.verdict
    head, *rows = cells(files[f"{FOLDER}/paper-table-2.tex"])
    assert head[2] == f"{TREEBANK}, perplexity, test"
    measured = findings.estimates.primary(TREEBANK).set_index("variant")["mean"]
    assert rows[0][2].startswith(f"{measured['rnn/softmax/SGD']:.2f} [")
    assert rows[0][2].endswith("(145.16$\\dagger$)")
    _, *rows = cells(files[f"{FOLDER}/aggregate.tex"])
    assert [row[0] for row in rows] == ["SGD+C", "SGD", "SGD+L"]


def test_names_of_other_people_are_set_as_they_stand(findings: Findings) -> None:
    odd = r"a_b%{\input{/etc/passwd}} ^~#$&中"
    results: Results = findings.results
    assert odd not in results.corpora
    frames = {
        name: (table := getattr(results, name))[table["corpus"] == MUSIC].assign(corpus=odd)
        for name in ("trials", "curves", "diagnostics", "pieces")
    }
    asked = {odd: results.campaign["corpora"][MUSIC]}
    corpora = {odd: results.corpora[MUSIC]}
    named = replace(results, corpora=corpora, campaign={**results.campaign, "corpora": asked}, **frames)
    files = latex_files(Findings(named, estimate(named, resamples=20)))
    for name, data in files.items():
        assert re.fullmatch(r"latex/[\w=-]+\.tex", name)
        lines = [line for line in data.decode().splitlines() if not line.startswith("%")]
        check_balanced("\n".join(lines))
        assert name == f"{FOLDER}/{ALL}" or not any(r"\input" in line for line in lines)
    assert r"a\_b\%\{\textbackslash{}input\{/etc/passwd\}\}" in files[f"{FOLDER}/corpora.tex"].decode()
