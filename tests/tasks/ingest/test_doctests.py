"""The examples in the docstrings are true."""

import doctest
import importlib
from pathlib import Path

import pytest

import tasks.ingest

FOLDER = Path(tasks.ingest.__file__).parent
WITH_EXAMPLES = sorted(path for path in FOLDER.rglob("*.py") if ">>>" in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    parts = path.relative_to(FOLDER.parents[1]).with_suffix("").parts
    result = doctest.testmod(importlib.import_module(".".join(parts)))
    assert result.attempted > 0
    assert result.failed == 0
