"""A process as a supervisor has it."""

import os
import time
from pathlib import Path

import psutil
import pytest

from tests.chaos import parts
from tests.chaos.parts import Part


def test_one_that_does_not_hear_a_sigterm_is_late_and_one_that_is_paused_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "STOP_SECONDS", 0.05)
    deaf = Part("deaf", ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], os.environ, tmp_path)
    paused = Part("paused", ["sleep", "60"], os.environ, tmp_path)
    try:
        for part in (deaf, paused):
            part.start()
        while not deaf.log.read_text():
            time.sleep(0.01)
        paused.pause(1.0)
        assert paused.process is not None
        while psutil.Process(paused.process.pid).status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)  # of two signals at once the SIGTERM would come first
        for part in (deaf, paused):
            part.stop()
        time.sleep(0.1)
        assert (deaf.is_late(), paused.is_late()) == (True, False)
        assert not deaf.is_late(), "it is told once"
        while paused.runs:
            paused.resume_if_due()
            time.sleep(0.02)
        assert paused.process.returncode == -15
        assert deaf.runs
    finally:
        for part in (deaf, paused):
            part.end()
    assert not deaf.runs
