"""docs/programs.md names every column of every DataFrame, with its unit, and no other."""

import re
from collections.abc import Callable
from dataclasses import fields

import counterpoint
import pandas as pd
import pytest

from models.variants import BY_LETTER, BY_OUTPUT
from tasks.report.numbers.estimates import SCORE_COLUMNS
from tasks.trials.tables import TRIAL_COLUMNS
from tests.documents import ROOT
from tests.tasks.conftest import Finished

SECTION = re.compile(r"^####? `(?P<frame>[^`]*)`: a row .*?\n(?P<text>.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = {
    found["frame"]: found["text"]
    for found in SECTION.finditer((ROOT / "docs" / "programs.md").read_text(encoding="utf-8"))
}
UNITS = {
    *("", "nats", "nats a step", "of the metric", "of the value", "share, 0 to 1", "factor", "ratio", "norm"),
    *("seconds", "epochs", "updates", "epochs, updates", "steps", "Gibbs steps", "semitones", "units", "steps, units"),
    *("per update", "pieces", "pairs", "draws", "frames", "answers", "norm, share, steps"),
}


def documented(frame: str) -> list[str]:
    """The columns of a section, in its order."""
    rows = [re.split(r"(?<!\\) ?\| ?", line)[1:-1] for line in SECTIONS[frame].splitlines() if line.startswith("| `")]
    assert all(len(row) == 3 and row[1] in UNITS and (row[1] or row[2]) for row in rows), rows
    return [column for row in rows for column in re.findall(r"`([^`]*)`", row[0])]


@pytest.fixture(scope="module")
def report(published: str) -> counterpoint.Report:
    return counterpoint.load_report(published)


@pytest.mark.parametrize("name", ["load_curves", "load_scores", "load_diagnostics"])
def test_the_columns_of_what_a_store_has(name: str, finished: Finished) -> None:
    load: Callable[[str], pd.DataFrame] = getattr(counterpoint, name)
    columns = documented(name)
    assert sorted(columns) == sorted(load(finished.store.address).columns)


def test_the_columns_of_trials_with_those_of_every_technique_and_output_model(finished: Finished) -> None:
    columns = documented("load_trials")
    owned = {f"{letter}_{each.name}" for letter, technique in BY_LETTER.items() for each in fields(technique)}
    owned |= {f"{name}_{each.name}" for name, output in BY_OUTPUT.items() for each in fields(output.settings_type)}
    assert sorted(columns) == sorted({*TRIAL_COLUMNS, *owned})
    there = set(counterpoint.load_trials(finished.store.address).columns)
    assert set(TRIAL_COLUMNS) <= there <= set(columns)
    assert {"C_threshold", "L_share", "M_momentum"} <= there


@pytest.mark.parametrize("name", ["effects", "tuning"])
def test_the_columns_of_what_a_report_says(name: str, report: counterpoint.Report) -> None:
    frame: pd.DataFrame = getattr(report, name)
    assert len(frame) > 3
    assert sorted(documented(f"Report.{name}")) == sorted(frame.columns)
    assert frame.notna().any().all(), "no column is a name alone"


@pytest.mark.parametrize("name", ["trials", "curves", "pieces", "diagnostics"])
def test_the_columns_of_what_a_report_was_made_from(name: str, report: counterpoint.Report) -> None:
    assert sorted(documented(f'Report.tables["{name}"]')) == sorted(report.tables[name].columns)


def test_the_columns_of_scores_are_in_the_document_of_the_report(report: counterpoint.Report) -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    table = text.partition("A row of `results.parquet`, and of `scores` in `results.json`:")[2].partition("Keys of")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    told = [column for row in rows for column in re.findall(r"`([^`]*)`", row)]
    assert sorted(told) == sorted(SCORE_COLUMNS) == sorted(report.scores.columns)


def test_every_frame_has_its_section() -> None:
    loads = {name for name in counterpoint.__all__ if name.startswith("load_")}
    tables = {f'Report.tables["{name}"]' for name in ("trials", "curves", "pieces", "diagnostics")}
    own = {"Report.scores", "Report.effects", "Report.tuning"}
    assert set(SECTIONS) == loads - {"load_corpus", "load_samples", "load_report"} | tables | own
