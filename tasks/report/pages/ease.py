"""The part of the page on ease of training: its tables as texts, and the chart of the tuning budget."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from tasks.report.charts.theme import to_svg
from tasks.report.charts.tuning import tuning_chart
from tasks.report.findings import Findings
from tasks.report.numbers.metrics import SCORED_NAMES
from tasks.report.training.tables import EASE_COLUMNS, ease_cells, ease_table
from tasks.report.training.tuning import order_warning
from tasks.report.words.tables import Cell, Table


@dataclass(frozen=True)
class EaseSection:
    """Everything that the page shows of one corpus."""

    name: str
    sentence: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Cell, ...]]
    variants: Table
    budget: Markup | None
    order: str


def ease_section(findings: Findings, corpus: str, anchor: str) -> EaseSection:
    """The part on a corpus; the names of its drawings begin with `anchor`."""
    mine, told = findings.ease.of(corpus), findings.tunings[corpus]
    chart = tuning_chart(told, SCORED_NAMES[findings.results.corpora[corpus]["kind"]])
    order = order_warning(told)
    described = f"Expected best validation score over the number of draws that are tried. {order}".strip()
    return EaseSection(
        name=corpus,
        sentence=findings.ease_sentences[corpus],
        columns=EASE_COLUMNS,
        rows=ease_cells(mine.techniques),
        variants=ease_table(mine.variants),
        budget=None if chart is None else to_svg(chart, f"{anchor}-budget", described),
        order=order,
    )
