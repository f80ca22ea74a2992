"""Where the real data are: they are not part of the repository, and tests that want them skip without."""

import os
from pathlib import Path

import pytest

VARIABLE = "COUNTERPOINT_DATA"


def data_folder() -> Path:
    """The folder with `music-midi`, `music-rolls` and `ptb`; skips the test where there is none."""
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get(VARIABLE) or beside)
    if not folder.is_dir():
        pytest.skip(f"the real data are not here: set {VARIABLE} to their folder")
    return folder
