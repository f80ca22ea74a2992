"""Ctrl-C before a command hears it."""

import subprocess
import sys

import pytest

from infra.machine.stopped import STOPPED, hear_early


def test_it_is_one_line_and_other_errors_are_told_as_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, where: others.append(str(error)))
    hear_early()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    sys.excepthook(ValueError, ValueError("a defect"), None)
    assert capsys.readouterr().err == f"{STOPPED}\n"
    assert others == ["a defect"]


def test_the_process_ends_as_one_that_ctrl_c_ended() -> None:
    script = "from infra.machine.stopped import hear_early; hear_early(); raise KeyboardInterrupt"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (-2, f"{STOPPED}\n")
