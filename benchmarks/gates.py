"""All gates in one table, from what the benchmarks wrote last: what was asked, aimed at, measured.

Run it as `python -m benchmarks.gates`, or `make bench`, which measures first. A benchmark with gates writes a list
`gates` into its JSON in benchmarks/results: each has a `name`, a `gate`, an `aim`, what was `measured`, whether it was
`met`, and what else tells the case (`H`, `case`). Where the aim is below the gate, less is better. The table goes to
the screen and, as Markdown, between two marks in docs/performance.md. Nothing is measured here.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS, PAGE = ROOT / "benchmarks" / "results", ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- gates: begin -->", "<!-- gates: end -->"
HEAD = ("what", "case", "gate", "aim", "measured", "")
TITLES = {
    "scan": "leaky scan",
    "hessian_free": "Hessian-free",
    "nade": "NADE",
    "cross_entropy": "cross-entropy",
    "training_step": "",
    "validation": "",
    "stacks": "",
    "pipeline": "",
    "page": "",
}
"""The benchmarks with gates, in the order of the table, and what their rows' names begin with."""
_TOLD = ("name", "gate", "aim", "measured", "met")


@dataclass(frozen=True)
class Row:
    """One gate as it is shown."""

    what: str
    case: str
    gate: str
    aim: str
    measured: str
    word: str

    def cells(self) -> tuple[str, ...]:
        return self.what, self.case, self.gate, self.aim, self.measured, self.word


def word_of(gate: float, aim: float | None, measured: float | None) -> str:
    """Missed, met or aim met; not measured where there is no number."""
    if measured is None:
        return "not measured"
    sign = -1 if aim is not None and aim < gate else 1
    if sign * measured < sign * gate:
        return "missed"
    return "aim met" if aim is not None and sign * measured >= sign * aim else "met"


def row_of(title: str, told: dict[str, Any]) -> Row:
    case = told.get("case") or ", ".join(f"{key} {value}" for key, value in told.items() if key not in _TOLD)
    measured, aim = told["measured"], told["aim"]
    word = word_of(told["gate"], aim, measured)
    if measured is None and "GPU" in told["name"]:
        word = "not measured: no GPU here"
    numbers = ("-" if number is None else f"{number:g}" for number in (told["gate"], aim, measured))
    least, aimed, found = numbers
    return Row(f"{title}, {told['name']}" if title else told["name"], str(case), least, aimed, found, word)


def rows_of(name: str) -> list[Row]:
    """The rows of one benchmark; one that says so where it left nothing."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        return [Row(TITLES[name] or name.replace("_", " "), "", "-", "-", "-", f"not measured: no {path.name}")]
    return [row_of(TITLES[name], told) for told in json.loads(path.read_text())["gates"]]


def text(rows: list[Row]) -> str:
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 2 <= column <= 4 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown(rows: list[Row]) -> str:
    lines = [HEAD, ("---", "---", "---:", "---:", "---:", "---"), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    rows = [row for name in TITLES for row in rows_of(name)]
    print(text(rows))
    counts = {word: sum(row.word.startswith(word) for row in rows) for word in ("aim met", "met", "missed", "not")}
    print(", ".join(f"{count} {word if word != 'not' else 'not measured'}" for word, count in counts.items()))
    page = PAGE.read_text()
    before, mark, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise SystemExit(f"{PAGE}: the marks {BEGIN} and {END} are gone; put them where the table is to be")
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(rows)}\n{END}{after}")


if __name__ == "__main__":
    main()
