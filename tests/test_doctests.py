"""The examples in the docstrings of every module are true."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("flows", "infra", "models", "tasks")
WITH_EXAMPLES = sorted(
    path.relative_to(ROOT).with_suffix("")
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=str)
def test_examples(path: Path) -> None:
    result = doctest.testmod(importlib.import_module(".".join(path.parts).removesuffix(".__init__")))
    assert result.attempted > 0
    assert result.failed == 0


def test_there_are_examples() -> None:
    assert {path.parts[0] for path in WITH_EXAMPLES} >= {"infra", "models", "tasks"}
    assert len(WITH_EXAMPLES) > 20
