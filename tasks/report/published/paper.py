"""The two tables of the paper in their own form: one row for each model, one column for each data set and measure.

A cell has the paper's number and the score of the same model in the given reports, which may each have some of the
sets. The form, like most of the numbers, was written down from memory (`published.json`). What this does not do: judge
a difference (`beside.py`), or write a cell (`pages/paper.py`).
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, Literal

import pandas as pd

from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.results import Results
from tasks.report.published.literature import Number, is_official, literature
from tasks.report.published.models import MODELS

Split = Literal["train", "test"]
State = Literal["measured", "no score", "not run", "not scored"]


@dataclass(frozen=True)
class Column:
    """What is below one heading: a metric on a split of a data set."""

    corpus: str
    metric: str
    split: Split


@dataclass(frozen=True)
class Form:
    """The form of a table.

    Attributes:
        number: in the paper.
        about: its content.
        columns: from left to right.
        groups: of rows, separated by lines: the name of each row, and the model under which the literature's numbers
            are kept.
    """

    number: int
    about: str
    columns: tuple[Column, ...]
    groups: tuple[Mapping[str, str], ...]

    @property
    def corpora(self) -> tuple[str, ...]:
        """The data sets."""
        return tuple(dict.fromkeys(column.corpus for column in self.columns))


def _same(*names: str, **others: str) -> dict[str, str]:
    return {name: name for name in names} | others


_BOTH: tuple[Split, ...] = ("train", "test")
_OF_MUSIC: tuple[tuple[str, Split], ...] = (
    ("log_likelihood", "train"),
    ("log_likelihood", "test"),
    ("accuracy", "test"),
)

FORMS = (
    Form(
        number=1,
        about="log-likelihood and accuracy on music",
        columns=tuple(
            Column(corpus, metric, split)
            for corpus in ("piano-midi.de", "nottingham", "musedata", "jsb-chorales")
            for metric, split in _OF_MUSIC
        ),
        groups=(
            _same("RNN (SGD)", "RNN (SGD+C)", "RNN (SGD+CRM)", **{"RNN (HF)": "RNN (HF), 2012b"}),
            _same("RNN-NADE (SGD+CR)", "RNN-NADE (SGD+CRM)", "RNN-NADE (HF)"),
        ),
    ),
    Form(
        number=2,
        about="perplexity of words and bits per character on text",
        columns=tuple(
            Column(corpus, metric, split)
            for corpus, metric in (
                ("penn-treebank-words", "perplexity"),
                ("penn-treebank-characters", "bits_per_character"),
            )
            for split in _BOTH
        ),
        groups=(_same("RNN (SGD)", "RNN (SGD+C)", "RNN (SGD+CL)", "RNN (SGD+CLR)"),),
    ),
)


@dataclass(frozen=True)
class PaperCell:
    """A number of the paper and the measured score.

    Attributes:
        state: `not run` if no variant of that model was asked for, `no score` if none has a score, `not scored` for
            train, which no report scores.
        variant: whose score it is; "" if none was measured.
        measured, low, high: the score with its own 95 % interval; NaN if there is none.
        estimated: whether the score is an estimate.
        note: how the variant differs from the paper's model.
        published: the paper's number; None if it is not known.
    """

    column: Column
    state: State
    variant: str = ""
    measured: float = nan
    low: float = nan
    high: float = nan
    estimated: bool = False
    note: str = ""
    published: Number | None = None


@dataclass(frozen=True)
class PaperTable:
    """One of the paper's tables with the measured scores: groups of rows, each with a name and one cell a column."""

    form: Form
    groups: tuple[tuple[tuple[str, tuple[PaperCell, ...]], ...], ...]

    @property
    def corpora(self) -> tuple[str, ...]:
        """The data sets of which something was run."""
        cells = [cell for group in self.groups for _, row in group for cell in row]
        return tuple(dict.fromkeys(each.column.corpus for each in cells if each.state in ("measured", "no score")))

    @property
    def file_name(self) -> str:
        """What its file is called."""
        return f"paper-table-{self.form.number}.csv"

    def to_json(self) -> list[dict[str, Any]]:
        """A row a cell, as JSON values."""
        return [
            {"table": self.form.number, "model": name, "corpus": cell.column.corpus, "metric": cell.column.metric}
            | {"split": cell.column.split, "state": cell.state, "variant": cell.variant}
            | {"measured": cell.measured, "low": cell.low, "high": cell.high, "note": cell.note}
            | {"published": cell.published and cell.published.value}
            | {"confidence": cell.published and cell.published.confidence}
            for group in self.groups
            for name, row in group
            for cell in row
        ]

    def to_csv(self) -> bytes:
        """In the paper's form: one row for each model; a column has the score, its interval, and the paper's number."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        titles = [f"{column.corpus} {column.metric} {column.split}" for column in self.form.columns]
        writer.writerow(
            ["model", *(f"{title}{part}" for title in titles for part in ("", " low", " high", " published"))]
        )
        for name, row in (named for group in self.groups for named in group):
            cells = []
            for cell in row:
                own = ("", "") if isnan(cell.low) else (repr(cell.low), repr(cell.high))
                first = repr(cell.measured) if cell.state == "measured" else cell.state
                cells += [first, *own, "" if cell.published is None else repr(cell.published.value)]
            writer.writerow([name, *cells])
        return buffer.getvalue().encode()


def paper_tables(measured: Iterable[tuple[Results, Estimates]]) -> tuple[PaperTable, ...]:
    """Both tables, from the official corpora of some reports; a corpus that several have is taken from the first.

    Args:
        measured: the reports.
    """
    scores: dict[str, pd.DataFrame] = {}
    for results, estimates in measured:
        for corpus, facts in results.corpora.items():
            if is_official(corpus, facts) and corpus not in scores:
                scores[corpus] = estimates.scores[estimates.scores["corpus"] == corpus]
    return tuple(_table(form, scores) for form in FORMS)


def _table(form: Form, scores: Mapping[str, pd.DataFrame]) -> PaperTable:
    groups = tuple(
        tuple((name, tuple(_cell(model, column, scores) for column in form.columns)) for name, model in group.items())
        for group in form.groups
    )
    return PaperTable(form, groups)


def _cell(model: str, column: Column, scores: Mapping[str, pd.DataFrame]) -> PaperCell:
    theirs = [
        number
        for number in literature(column.corpus)
        if (number.model, number.metric, number.split) == (model, column.metric, column.split)
    ]
    published = theirs[0] if theirs else None
    if column.split == "train":
        return PaperCell(column, "not scored", published=published)
    rows = _rows_of(model, column, scores)
    if not rows:
        return PaperCell(column, "not run", published=published)
    row, note = rows[0]
    if isnan(row["mean"]):
        return PaperCell(column, "no score", str(row["variant"]), note=note, published=published)
    return PaperCell(
        column,
        "measured",
        variant=str(row["variant"]),
        measured=float(row["mean"]),
        low=float(row["low"]),
        high=float(row["high"]),
        estimated=bool(row["estimated"]),
        note=note,
        published=published,
    )


def _rows_of(model: str, column: Column, scores: Mapping[str, pd.DataFrame]) -> Sequence[tuple[Mapping[str, Any], str]]:
    """The scores of the variants that are a model, with how they differ: first those with a score, and least to say."""
    if column.corpus not in scores:
        return []
    table = scores[column.corpus]
    mine = table[(table["metric"] == column.metric) & table["variant"].isin(MODELS[model].variants)]
    rows = [(row, MODELS[model].note_on(row["kind"], row["variant"])) for row in mine.to_dict("records")]
    return sorted(rows, key=lambda each: (isnan(each[0]["mean"]), len(each[1])))
