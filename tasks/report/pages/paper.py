"""The paper's two tables as plain text cells, for the page and for docs/results.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.report.numbers.formatting import NOTHING, interval, number, roughly
from tasks.report.numbers.metrics import BY_NAME
from tasks.report.published.paper import PaperCell, PaperTable

HEADINGS = {
    ("log_likelihood", "train"): "log-likelihood, train",
    ("log_likelihood", "test"): "log-likelihood, test",
    ("accuracy", "test"): "accuracy (%), test",
    ("perplexity", "train"): "perplexity, train",
    ("perplexity", "test"): "perplexity, test",
    ("bits_per_character", "train"): "bits, train",
    ("bits_per_character", "test"): "bits, test",
}
RECALLED = "†"
"""Mark of a number that was written down from memory."""


@dataclass(frozen=True)
class ToldCell:
    """A cell in words: what was measured or why not, its interval, the paper's number, how the variant differs."""

    measured: str
    interval: str
    published: str
    note: str
    state: str


@dataclass(frozen=True)
class ToldTable:
    """A table in words: its data sets with how many columns each has, the headings below, groups of rows."""

    number: int
    about: str
    corpora: tuple[tuple[str, int], ...]
    headings: tuple[str, ...]
    groups: tuple[tuple[tuple[str, tuple[ToldCell, ...]], ...], ...]
    notes: tuple[str, ...]


def told_tables(tables: Sequence[PaperTable]) -> tuple[ToldTable, ...]:
    """The tables of which something was run."""
    return tuple(told_table(table) for table in tables if table.corpora)


def told_table(table: PaperTable) -> ToldTable:
    """One table in words."""
    columns = table.form.columns
    groups = tuple(tuple((name, tuple(map(_told, row))) for name, row in group) for group in table.groups)
    notes = {cell.note: None for group in groups for _, row in group for cell in row if cell.note}
    return ToldTable(
        number=table.form.number,
        about=table.form.about,
        corpora=tuple((name, sum(column.corpus == name for column in columns)) for name in table.form.corpora),
        headings=tuple(HEADINGS[column.metric, column.split] for column in columns),
        groups=groups,
        notes=tuple(notes),
    )


def _told(cell: PaperCell) -> ToldCell:
    metric, theirs = BY_NAME[cell.column.metric], cell.published
    published = NOTHING
    if theirs is not None:
        published = number(theirs.value, theirs.decimals) + (RECALLED if theirs.confidence == "recalled" else "")
    if cell.state != "measured":
        return ToldCell(cell.state, "", published, "", cell.state)
    return ToldCell(
        measured=roughly(number(cell.measured, metric.decimals), cell.estimated),
        interval=interval(cell.low, cell.high, metric.decimals),
        published=published,
        note=cell.note,
        state=cell.state,
    )
