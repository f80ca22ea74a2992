"""The types hold: mypy over everything, here so that it runs beside the other tests. `make lint` has it too."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.integration
def test_mypy_finds_nothing() -> None:
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
