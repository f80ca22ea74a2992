"""Shapes are what names say, in every function that training, scoring and diagnosing pass through."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.core import use_kernel
from models.data.chunks import Pieces
from models.training.run import train_stack
from tests.documents import ROOT
from tests.models import examples
from tests.models.shapes import MODELS, axes, shapes_checked

FILES = sorted(Path(MODELS).rglob("*.py"))
MEANINGS = {
    "B": {"batch", "lanes"},
    "H": {"hidden"},
    "P": {"parameters"},
    "Q": {"pieces"},
    "S": {"stacked"},
}
"""The first word of a letter's meaning, whichever file has it."""
CASES = (
    examples.trial("CLRM"),
    examples.trial("CM", core="lstm"),
    examples.trial("CM", core="gru"),
    examples.trial("C", core="frame", output="nade"),
    examples.trial("CP", output="nade"),
    examples.trial("C", output="rbm", output_settings=examples.RBM_SETTINGS["persistent"]),
    examples.trial("CLRM", output="softmax"),
    examples.trial("C", output="classes"),
    examples.trial("L", optimizer="HF", learning_rate=0.5),
    examples.trial(optimizer="HF", output="nade", learning_rate=0.5),
    examples.trial("C", optimizer="Adam", averaging=0.9, transposition=2, input_dropout=0.2, output_dropout=0.3),
)


PIECES = {
    output: [Pieces.from_arrays(make(lengths, seed=1)) for lengths in ([9, 4, 6, 7, 3], [8, 5])]
    for make, outputs in ((examples.music, ("bernoulli", "nade", "rbm")), (examples.text, ("softmax", "classes")))
    for output in outputs
}


@pytest.mark.parametrize(("kernel", "members"), [("native", 1), ("reference", 2)])
def test_every_function_has_the_shapes_that_its_names_say(kernel: str, members: int) -> None:
    with shapes_checked() as found, use_kernel(kernel):
        for trial in CASES:
            stack = [replace(trial, seed=seed, epochs=1) for seed in range(members)]
            train_stack(stack, *PIECES[trial.output], 5)
    assert not found


def test_a_wrong_shape_is_found() -> None:
    made_up = compile(
        "def work(rows_SP):\n    sums_P = rows_SP.sum(1)\n    return sums_P", f"{MODELS}/made_up.py", "exec"
    )
    names: dict[str, Any] = {}
    exec(made_up, names)  # noqa: S102
    with shapes_checked() as found:
        names["work"](torch.zeros(2, 3))
    assert found == {"made_up.py:work": ["sums_P has 2 of P where rows_SP has 3"]}


def test_every_letter_is_in_the_legend_of_its_file() -> None:
    lacking = {str(path.relative_to(MODELS)): letters for path in FILES if (letters := _unexplained(path))}
    assert not lacking, "add their meaning to `Shape letters:` in the first docstring"


def test_a_letter_that_many_files_share_has_one_meaning() -> None:
    found = {
        (str(path.relative_to(ROOT)), letter, meaning)
        for path in [*FILES, *(ROOT / "tasks").rglob("*.py")]
        for letter, meaning in re.findall(r"(?:^|[,.;] )([A-Z]) ([a-z]+)", _legend(_parsed(path)))
        if letter in MEANINGS
    }
    assert {letter for _, letter, _ in found} == set(MEANINGS)
    assert {each for each in found if each[2] not in MEANINGS[each[1]]} == set()


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _legend(tree: ast.Module) -> str:
    found = re.search(r"Shape letters?: (.*?)(?=\n\n|\Z)", ast.get_docstring(tree) or "", re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def _unexplained(path: Path) -> set[str]:
    tree = _parsed(path)
    explained = set(re.findall(r"(?<![A-Za-z])[A-Z](?![A-Za-z])", _legend(tree)))
    return {letter for name in _names(tree) for letter in axes(name) or "" if letter.isalpha()} - explained


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name):
                yield name
            case ast.Attribute(attr=name, value=ast.Name(id="self")):
                yield name
