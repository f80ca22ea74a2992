"""The tables on ease of training, as plain text cells."""

from collections.abc import Mapping, Sequence
from math import isinf, isnan

from tasks.report.numbers.formatting import NOTHING, count, interval, number, plural, signed
from tasks.report.numbers.variant_titles import short_labels
from tasks.report.numbers.verdicts import told_interval
from tasks.report.training.ease import TARGETS
from tasks.report.training.measures import MEASURES, Row
from tasks.report.words.tables import Cell, Table

_COLUMNS = {
    "epochs": "epochs, times as many",
    "seconds": "seconds, times as many",
    "diverged": "draws that diverge, %",
    "untrained": "draws that learn nothing, %",
    "trained": "draws that train, %",
    "good": "draws that are good, %",
}
EASE_COLUMNS = tuple(_COLUMNS.values())
"""The headings of `ease_cells`."""


def ease_cells(rows: Sequence[Row]) -> Mapping[str, tuple[Cell, ...]]:
    """What each technique changes, by its letter, a cell for each measure; none for a technique without pairs."""
    return {
        letter: tuple(_cell(row) for row in rows if row["technique"] == letter and row["measure"] in _COLUMNS)
        for letter in dict.fromkeys(row["technique"] for row in rows)
        if any(row["pairs_asked"] for row in rows if row["technique"] == letter)
    }


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


def ease_table(rows: Sequence[Row]) -> Table:
    """Each variant: how soon it comes near plain SGD's best, and how the draws of its search ended."""
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
    return Table(heads, tuple(told), tuple(row["variant"] for row in rows))


def _share(row: Row, name: str) -> str:
    return f"{number(row[name], 0)} {interval(row[f'{name}_low'], row[f'{name}_high'], 0)}".rstrip()


def _reached(target: Row) -> str:
    """`12 (5 of 5)`: the median, and how many got there; `never (1 of 5)`."""
    if not target["finals"]:
        return NOTHING
    median = "never" if isinf(target["epochs"]) else f"{target['epochs']:g}"
    return f"{median} ({target['reached']} of {target['finals']})"
