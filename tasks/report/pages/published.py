"""The part of the page that puts published numbers beside the measured ones, as plain text cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.report.findings import Findings
from tasks.report.numbers.formatting import NOTHING, interval, number, roughly, signed
from tasks.report.numbers.metrics import BY_NAME
from tasks.report.numbers.variant_titles import is_baseline, is_estimated, short_labels
from tasks.report.published.beside import Beside
from tasks.report.published.literature import Number
from tasks.report.words.tables import Cell, Table

CONFIDENCES = {"exact": "", "secondary": "quoted by another", "recalled": "from memory"}
"""What is said beside a published number."""
_WORDS = {"recalled": "none: recalled", "unreplicated": "none: one study", "no score": "none: no score"}


@dataclass(frozen=True)
class PublishedRow:
    """A published number beside a measured one."""

    variant: str
    label: str
    baseline: bool
    measured: Cell
    published: Cell
    difference: Cell
    verdict: str
    model: str
    source: int
    note: str


@dataclass(frozen=True)
class PublishedGroup:
    """The rows of one metric on one corpus."""

    heading: str
    rows: tuple[PublishedRow, ...]


@dataclass(frozen=True)
class PublishedSection:
    """The content of the part on one corpus."""

    name: str
    sentence: str
    groups: tuple[PublishedGroup, ...]
    elsewhere: Table


def published_sections(findings: Findings) -> tuple[tuple[PublishedSection, ...], tuple[str, ...]]:
    """The parts of the official corpora with anything to show, and their sources, numbered from 1."""
    sources: list[str] = []
    parts = tuple(_section(findings, corpus, sources) for corpus in findings.published)
    return tuple(part for part in parts if part.groups or part.elsewhere.rows), tuple(sources)


def _section(findings: Findings, corpus: str, sources: list[str]) -> PublishedSection:
    told, scores = findings.published[corpus], findings.estimates.primary(corpus)
    labels = short_labels(scores["variant"])
    metrics = dict.fromkeys(row.number.metric for row in told.rows)
    groups = tuple(
        PublishedGroup(
            BY_NAME[metric].heading,
            tuple(_row(row, labels[row.variant], sources) for row in told.rows if row.number.metric == metric),
        )
        for metric in metrics
    )
    return PublishedSection(corpus, told.sentence, groups, _elsewhere(told.elsewhere, sources))


def _row(row: Beside, label: str, sources: list[str]) -> PublishedRow:
    metric, theirs = BY_NAME[row.number.metric], row.number
    estimated = metric.column == "log_likelihood" and is_estimated(row.variant)
    bounds = interval(row.low, row.high, metric.decimals) if row.low != row.high else ""
    change = interval(row.diff_low, row.diff_high, metric.decimals) if bounds else ""
    return PublishedRow(
        variant=row.variant,
        label=label,
        baseline=is_baseline(row.variant),
        measured=Cell(roughly(number(row.measured, metric.decimals), estimated), bounds),
        published=Cell(number(theirs.value, theirs.decimals), CONFIDENCES[theirs.confidence]),
        difference=Cell(signed(row.difference, metric.decimals), change),
        verdict=_WORDS.get(row.verdict, row.verdict),
        model=theirs.model,
        source=_source(theirs, sources),
        note=row.note,
    )


def _elsewhere(numbers: Sequence[Number], sources: list[str]) -> Table:
    rows = [
        (
            each.model,
            BY_NAME[each.metric].heading,
            number(each.value, each.decimals),
            CONFIDENCES[each.confidence] or NOTHING,
            str(_source(each, sources)),
        )
        for each in numbers
    ]
    return Table(("model", "measure", "published", "known", "source"), tuple(rows))


def _source(published: Number, sources: list[str]) -> int:
    if published.source not in sources:
        sources.append(published.source)
    return sources.index(published.source) + 1
