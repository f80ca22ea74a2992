r"""The LaTeX files of a report: the tables of the page, with the same cells.

    latex/   effects.tex  aggregate.tex  claims.tex  paper-table-N.tex  work.tex  corpora.tex  report.tex
             N-CORPUS-scores.tex  -published.tex  -ease.tex  -variants.tex  -chosen.tex  -mattering.tex  -why.tex

`\input` sets one in a paper; `report.tex` is a paper of all of them, each with its caption.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasks.report.findings import Findings
from tasks.report.numbers.metrics import METRICS
from tasks.report.numbers.variant_titles import techniques_told
from tasks.report.numbers.verdicts import VERDICT_WORDS
from tasks.report.pages.aggregate import aggregate_row
from tasks.report.pages.paper import ToldTable, told_tables
from tasks.report.pages.published import PublishedSection, published_sections
from tasks.report.papers.latex import escape, tabular
from tasks.report.training.mattering import mattering_table
from tasks.report.training.tables import EASE_COLUMNS, ease_cells, ease_table
from tasks.report.words.tables import (
    Cell,
    ScoreRow,
    Table,
    budget_table,
    change_cells,
    chosen_table,
    corpora_table,
    score_columns,
    score_rows,
)
from tasks.report.words.why import why_table

FOLDER = "latex"
"""Where they lie in a report."""
ALL = "report.tex"
_INTERVALS = "brackets hold 95 % intervals"
_STAR = "*: better or worse by intervals that hold for all differences of the corpus at once."


@dataclass(frozen=True)
class LatexTable:
    """A table in LaTeX.

    Attributes:
        name: of its file, without the ending.
        about: a sentence on its content.
        table: its cells.
        alignment: of the columns, if some contain sentences.
    """

    name: str
    about: str
    table: Table
    alignment: str = ""


def latex_files(findings: Findings) -> dict[str, bytes]:
    """The files, by name; equal findings give equal bytes."""
    tables = [each for each in latex_tables(findings) if each.table.rows]
    files = {
        f"{FOLDER}/{each.name}.tex": tabular(each.table.columns, each.table.rows, each.about, each.alignment)
        for each in tables
    }
    return files | {f"{FOLDER}/{ALL}": _paper(tables)}


def latex_tables(findings: Findings) -> Iterator[LatexTable]:
    """The tables of a report in the order of its page; some may have no row."""
    results, estimates = findings.results, findings.estimates
    told = techniques_told(variant for name in results.corpora for variant in results.variants(name))
    yield LatexTable(
        "effects", f"What adding a technique changes; positive is better, {_INTERVALS}.", _effects(findings, told)
    )
    yield LatexTable(
        "aggregate",
        f"Every variant over all corpora; {_INTERVALS}. *: better or worse by intervals that hold for all at once.",
        _aggregate(findings),
    )
    for table in told_tables(findings.paper):
        yield LatexTable(
            f"paper-table-{table.number}",
            f"Table {table.number} of the paper, {table.about}: measured, {_INTERVALS}; in parentheses the paper's.",
            _of_the_paper(table),
        )
    published = {part.name: part for part in published_sections(findings)[0]}
    for number, corpus in enumerate(results.corpora, start=1):
        start = f"{number}-{_plain(corpus)}"
        mine = findings.ease.of(corpus)
        rows = score_rows(results, estimates, corpus)
        columns = ("variant", *score_columns(results.corpora[corpus]["kind"]), "seeds", "diverged", "learned nothing")
        yield LatexTable(
            f"{start}-scores",
            f"Test scores on {corpus}, best first; {_INTERVALS}. {_STAR}",
            Table(columns, tuple(map(_score, rows))),
        )
        if corpus in published:
            yield LatexTable(
                f"{start}-published",
                f"Published beside measured on {corpus}, {_INTERVALS}; a difference is positive where ours is better.",
                _published(published[corpus]),
            )
        ease = (
            (f"{letter}, {told[letter]}", *map(_cell, cells)) for letter, cells in ease_cells(mine.techniques).items()
        )
        yield LatexTable(
            f"{start}-ease",
            f"What adding a technique changes in training on {corpus}; {_INTERVALS}.",
            Table(("technique", *EASE_COLUMNS), tuple(ease)),
        )
        yield LatexTable(
            f"{start}-variants", f"How easily each variant is trained on {corpus}.", ease_table(mine.variants)
        )
        yield LatexTable(
            f"{start}-chosen", f"The configurations that the search chose on {corpus}.", chosen_table(results, corpus)
        )
        yield LatexTable(
            f"{start}-mattering",
            f"What mattered in the search on {corpus}.",
            mattering_table(findings.mattering[corpus]),
        )
        yield LatexTable(
            f"{start}-why", f"What was measured on the networks of {corpus}.", why_table(findings.diagnoses[corpus])
        )
    yield LatexTable(
        "claims", "The paper's claims, judged by this campaign.", _claims(findings), r"p{.4\linewidth}lp{.4\linewidth}"
    )
    yield LatexTable("work", "Trials and work.", budget_table(results))
    yield LatexTable("corpora", "Sizes of the corpora.", corpora_table(results))


def _effects(findings: Findings, told: Mapping[str, str]) -> Table:
    results, estimates = findings.results, findings.estimates
    measures = {name: METRICS[facts["kind"]][0].measure for name, facts in results.corpora.items()}
    changes = {name: change_cells(estimates, name) for name in results.corpora}
    rows = (
        (f"{letter}, {title}", *(_cell(changes[name][letter]) for name in changes)) for letter, title in told.items()
    )
    return Table(("technique", *(f"{name} ({measure})" for name, measure in measures.items())), tuple(rows))


def _cell(cell: Cell) -> str:
    """A change with its word and its interval."""
    return " ".join(filter(None, (VERDICT_WORDS.get(cell.verdict, ""), cell.value, cell.interval)))


def _score(row: ScoreRow) -> tuple[str, ...]:
    label = f"{row.label} ●" if row.leading else row.label
    return (label, *map(_starred, row.cells), row.seeds, row.diverged, row.untrained)


def _aggregate(findings: Findings) -> Table:
    """The table over all corpora; without rows if there are too few corpora."""
    columns = ("variant", "interquartile mean", "better than plain SGD with probability", "runs lost")
    if findings.aggregate is None:
        return Table(columns, ())
    rows = (aggregate_row(each) for each in findings.aggregate.variants)
    return Table(columns, tuple((row.label, *map(_starred, row.cells), row.runs) for row in rows))


def _of_the_paper(table: ToldTable) -> Table:
    corpora = [name for name, columns in table.corpora for _ in range(columns)]
    columns = (f"{corpus}, {heading}" for corpus, heading in zip(corpora, table.headings, strict=True))
    rows = [
        (name, *(f"{cell.measured} {cell.interval} ({cell.published})".replace("  ", " ") for cell in row))
        for group in table.groups
        for name, row in group
    ]
    return Table(("model", *columns), tuple(rows))


def _published(part: PublishedSection) -> Table:
    rows = [
        (row.label, group.heading, _starred(row.measured), _noted(row.published), _starred(row.difference))
        + (row.verdict, row.model)
        for group in part.groups
        for row in group.rows
    ]
    return Table(("variant", "measure", "measured", "published", "difference", "verdict", "model"), tuple(rows))


def _noted(cell: Cell) -> str:
    """A published number with its notes."""
    return f"{cell.value} ({cell.interval})" if cell.interval else cell.value


def _starred(cell: Cell) -> str:
    """A number with its interval, and a star in place of the colour for better or worse."""
    return " ".join(filter(None, (cell.value, cell.interval, "*" if cell.verdict in ("better", "worse") else "")))


def _claims(findings: Findings) -> Table:
    rows = (
        (
            f"{claim.text} ({claim.section})",
            claim.verdict,
            "; ".join(f"{row.corpus}, {row.line}" for row in claim.deciding),
        )
        for claim in findings.claims
    )
    return Table(("claim", "verdict", "by"), tuple(rows))


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_=]+", "-", name)


_FITTED = r"""\newcommand{\fitted}[1]{\sbox0{\input{#1}}%
\sbox2{\resizebox{\ifdim\wd0>\linewidth\linewidth\else\wd0\fi}{!}{\usebox0}}%
\resizebox*{!}{\ifdim\dimexpr\ht2+\dp2>.9\textheight.9\textheight\else\dimexpr\ht2+\dp2\fi}{\usebox2}}"""
"""A command that sets a table as it is, or as large as a page takes."""


def _paper(tables: list[LatexTable]) -> bytes:
    """A paper with every table under its sentence."""
    lines = [
        r"\documentclass{article}",
        r"\usepackage[a4paper,landscape,margin=15mm]{geometry}",
        r"\usepackage{booktabs,graphicx}",
        _FITTED,
        r"\begin{document}",
        *(rf"\begin{{table}}[p]\caption{{{escape(each.about)}}}\fitted{{{each.name}}}\end{{table}}" for each in tables),
        r"\end{document}",
    ]
    return ("\n".join(lines) + "\n").encode()
