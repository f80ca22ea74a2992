"""The part of the page that says what is easier to train: its tables as texts, and the chart of the tuning budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf, isnan

from markupsafe import Markup

from tasks.report.charts.theme import to_svg
from tasks.report.charts.tuning import tuning_chart
from tasks.report.findings import Findings
from tasks.report.numbers.formatting import NOTHING, count, interval, number, plural, signed
from tasks.report.numbers.metrics import SCORED_NAMES
from tasks.report.numbers.variant_titles import short_labels
from tasks.report.numbers.verdicts import told_interval
from tasks.report.training.ease import TARGETS
from tasks.report.training.measures import MEASURES, Row
from tasks.report.training.tuning import order_warning
from tasks.report.words.tables import Cell, Table

_COLUMNS = {
    "epochs": "epochs, times as many",
    "seconds": "seconds, times as many",
    "diverged": "draws that diverge, %",
    "untrained": "draws that learn nothing, %",
    "trained": "draws that train, %",
    "good": "draws that are good, %",
}


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
    """The part on a corpus; what it draws has a name that begins with `anchor`."""
    mine, told = findings.ease.of(corpus), findings.tunings[corpus]
    rows = {
        letter: tuple(
            _cell(row) for row in mine.techniques if row["technique"] == letter and row["measure"] in _COLUMNS
        )
        for letter in dict.fromkeys(row["technique"] for row in mine.techniques)
        if any(row["pairs_asked"] for row in mine.techniques if row["technique"] == letter)
    }
    chart = tuning_chart(told, SCORED_NAMES[findings.results.corpora[corpus]["kind"]])
    order = order_warning(told)
    described = f"Expected best validation score over the number of draws that are tried. {order}".strip()
    return EaseSection(
        name=corpus,
        sentence=findings.ease_sentences[corpus],
        columns=tuple(_COLUMNS.values()),
        rows=rows,
        variants=_variant_table(mine.variants),
        budget=None if chart is None else to_svg(chart, f"{anchor}-budget", described),
        order=order,
    )


def _cell(row: Row) -> Cell:
    if not row["verdict"]:
        return Cell(NOTHING)
    measure, said = MEASURES[row["measure"]], row["verdict"]
    value = (
        number(row["value"], measure.decimals) if measure.unit == "times" else signed(row["value"], measure.decimals)
    )
    return Cell(value, interval(*told_interval(row, said, "", "sim_"), measure.decimals), said, _basis(row))


def _basis(row: Row) -> str:
    """What a cell rests on: pairs, studies or draws, seeds that learned nothing, and the width of the good range."""
    pairs = f"{plural(row['n_pairs'], 'pair')}, "
    if MEASURES[row["measure"]].unit == "times":
        studies = "1 study" if row["most_studies"] == 1 else f"{row['most_studies']} studies"
        never = f", {plural(row['never'], 'seed')} never" if row["never"] else ""
        return f"{pairs}{studies}{never}"
    width = "" if isnan(row["decades"]) else f", {signed(row['value'] / 100 * row['decades'], 2)} decades"
    return f"{pairs}{plural(row['most_seeds'], 'draw')}{width}"


def _variant_table(rows: Sequence[Row]) -> Table:
    labels = short_labels(row["variant"] for row in rows)
    goals = [
        f"epochs to {'plain SGD’s best' if part == 1 else f'{100 * part:.0f} % of the way there'}" for part in TARGETS
    ]
    heads = (
        "variant",
        *goals,
        "draws",
        "trained, %",
        "diverged, %",
        "learned nothing, %",
        "good, %",
        "decades of good rates",
    )
    told = []
    for row in rows:
        ends = [_share(row, name) for name in ("trained", "diverged")]
        good = (number(row["untrained"], 0), number(row["good"], 0), number(row["decades"], 2))
        told.append((labels[row["variant"]], *map(_reached, row["targets"]), count(row["draws"]), *ends, *good))
    return Table(heads, tuple(told))


def _share(row: Row, name: str) -> str:
    return f"{number(row[name], 0)} {interval(row[f'{name}_low'], row[f'{name}_high'], 0)}".rstrip()


def _reached(target: Row) -> str:
    """`12 (5 of 5)`: the median, and how many got there; `never (1 of 5)`."""
    if not target["finals"]:
        return NOTHING
    median = "never" if isinf(target["epochs"]) else f"{target['epochs']:g}"
    return f"{median} ({target['reached']} of {target['finals']})"
