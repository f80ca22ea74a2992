"""Times are kept per machine and for what was timed, for a week, in a file that is ours alone."""

import json
import logging
import time
from pathlib import Path

import pytest

from tasks.search import timings
from tasks.search.timings import KEPT_SECONDS, kept, machine


def _never() -> float:
    raise AssertionError("measured again")


def test_what_was_measured_is_not_measured_again() -> None:
    assert kept({"units": 10}, lambda: 1.0) == 1.0
    assert kept({"units": 10}, _never) == 1.0
    assert kept({"units": 20}, lambda: 3.0) == 3.0
    assert kept({"units": 10}, _never) == 1.0
    assert timings.timings_path().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fact", ["processor", "cores", "versions", "numerics", "body"])
def test_another_machine_measures_for_itself(monkeypatch: pytest.MonkeyPatch, fact: str) -> None:
    kept({"units": 10}, lambda: 1.0)
    here = machine()
    assert fact in here
    monkeypatch.setattr(timings, "machine", lambda: here | {fact: "another"})
    assert kept({"units": 10}, lambda: 2.0) == 2.0


def test_after_a_week_it_is_measured_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    kept({"units": 10}, lambda: 1.0)
    later = time.time() + KEPT_SECONDS
    monkeypatch.setattr(timings.time, "time", lambda: later)
    assert kept({"units": 10}, lambda: 2.0) == 2.0


@pytest.mark.parametrize("garbage", ["", "[]", '{"a": 1}', "{", '{"a": ["b", 0]}'])
def test_what_is_not_ours_or_damaged_is_not_used_and_said(garbage: str, caplog: pytest.LogCaptureFixture) -> None:
    kept({"units": 10}, lambda: 1.0)
    timings.timings_path().write_text(garbage)
    with caplog.at_level(logging.WARNING):
        assert kept({"units": 10}, lambda: 2.0) == 2.0
    assert "times are measured anew" in caplog.text
    assert kept({"units": 10}, _never) == 2.0


@pytest.mark.parametrize("mode", [0o020, 0o002])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_others_may_write_to_is_not_used(what: str, mode: int) -> None:
    kept({"units": 10}, lambda: 1.0)
    path = timings.timings_path() if what == "file" else timings.timings_path().parent
    path.chmod(path.stat().st_mode | mode)
    assert kept({"units": 10}, lambda: 2.0) == 2.0


def test_where_nothing_can_be_kept_it_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(timings, "timings_path", lambda: tmp_path / "file" / "timings.json")
    assert kept({"units": 10}, lambda: 1.0) == 1.0
    assert kept({"units": 10}, lambda: 2.0) == 2.0


def test_times_that_cannot_be_are_measured() -> None:
    kept({"units": 10}, lambda: 1.0)
    rows = {key: (-1.0, when) for key, (_, when) in json.loads(timings.timings_path().read_text()).items()}
    timings.timings_path().write_text(json.dumps(rows))
    assert kept({"units": 10}, lambda: 2.0) == 2.0
