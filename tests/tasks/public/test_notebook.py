"""docs/notebook.ipynb runs from its first cell to its last, and what it computes again is what the report says."""

import ast
import json
import math
from typing import Any

import altair as alt
import counterpoint
import pandas as pd
import pytest

from tests.documents import ROOT
from tests.tasks.public.conftest import MUSIC, WORDS

NOTEBOOK = json.loads((ROOT / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))
CELLS = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
STORE, FIRST = '"./artifacts"', 'corpus = report.scores["corpus"].iloc[0]'


def run(cell: str, names: dict[str, Any]) -> object:
    """Run a cell; what its last line comes to, which a notebook shows."""
    *lines, last = ast.parse(cell).body
    if not isinstance(last, ast.Expr):
        lines, last = [*lines, last], ast.Expr(ast.Constant(None))
    exec(compile(ast.Module(lines, []), "notebook", "exec"), names)  # noqa: S102
    return eval(compile(ast.Expression(last.value), "notebook", "eval"), names)  # noqa: S307


@pytest.mark.parametrize("corpus", [MUSIC, WORDS])
def test_every_cell_runs_and_the_comparison_is_that_of_the_report(
    corpus: str, published: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert CELLS[0].count(STORE) == CELLS[0].count(FIRST) == 1
    first = CELLS[0].replace(STORE, repr(published)).replace(FIRST, f"corpus = {corpus!r}")
    names: dict[str, Any] = {}
    shown = [run(cell, names) for cell in [first, *CELLS[1:]]]
    report = counterpoint.load_report(published)
    assert shown[0] == (report.version, corpus)
    tables = [each for each in shown if isinstance(each, pd.DataFrame)]
    assert [len(table) > 1 for table in tables] == [True, True]
    assert sum(isinstance(each, alt.LayerChart | alt.ConcatChart) for each in shown) == 5
    told = names["compared"].loc[names["variant"], "difference"]
    assert math.isclose(names["difference"], told, rel_tol=1e-9)
    *_, again, said = capsys.readouterr().out.splitlines()
    assert again.endswith(f"{told:+.4f} {names['unit']}")
    assert said.endswith(f"{told:+.4f}")


def test_it_is_small_and_keeps_no_output() -> None:
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    cells = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])
