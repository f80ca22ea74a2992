"""What README says to type is what there is."""

import re
import subprocess
from pathlib import Path

import torch

from models.data.chunks import Pieces
from models.techniques.base import Technique
from models.training.run import train
from tests.models import examples
from tests.tasks.report.sentences import Reader

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
ANSWER = (ROOT / "docs" / "default.md").read_text()


def test_the_technique_of_the_readme_trains():
    (code,) = re.findall(r"```python\n(from dataclasses.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102
    made = names["ElementClipping"]
    assert isinstance(made, type)
    assert issubclass(made, Technique)
    for limit, expected in (
        (0.5, [[0.3, -0.5], [0.5, -0.2]]),
        (torch.tensor([[0.5], [0.1]]), [[0.3, -0.5], [0.1, -0.1]]),
    ):
        gradient = torch.tensor([[0.3, -4.0], [0.7, -0.2]])
        made(limit).transform_(gradient, gradient.norm(dim=1, keepdim=True))
        torch.testing.assert_close(gradient, torch.tensor(expected))
    pieces = Pieces.from_arrays(examples.music([9, 4, 6]))
    trial = examples.trial(learning_rate=0.2)
    object.__setattr__(trial, "techniques", (made(1.0),))
    clipped, plain = (train(each, pieces, pieces, 5) for each in (trial, examples.trial(learning_rate=0.2)))
    assert clipped.status == plain.status == "completed"
    assert clipped.curve[-1].valid != plain.curve[-1].valid


def _number(text: str) -> float:
    return float(text.strip(" []*≈").replace("−", "-").replace(",", ""))


def _table(text: str) -> tuple[str, list[dict[str, object]]]:
    """The corpus of a table of the result, and its rows as `results.json` has them."""
    head, _, *lines = text.strip().splitlines()
    rows: list[dict[str, object]] = []
    for line in lines:
        variant, score, *_, difference = (cell.strip() for cell in line.strip("|").split("|"))
        plain = re.sub(r"\w+(\+\w+)?$", "SGD", variant)
        mean, low, high = (_number(part) for part in re.findall(r"[+−]?[\d,.]+\d", score))
        gain = [_number(part) for part in re.findall(r"[+−]?[\d,.]+\d", difference)] or [None] * 3
        row = {"variant": variant, "reference": "" if variant == plain else plain, "mean": mean, "low": low}
        rows.append({**row, "high": high, **dict(zip(("difference", "diff_low", "diff_high"), gain, strict=True))})
    return head.strip("|").split("|")[0].strip(), rows


def test_the_sentences_of_the_result_are_true_of_its_tables():
    (result,) = re.findall(r"^## The result\n(.*)", ANSWER, re.MULTILINE | re.DOTALL)
    scores = [text for text in re.findall(r"(?:^\|.*\n)+", result, re.MULTILINE) if "better than plain SGD by" in text]
    tables = dict(map(_table, scores))
    sentences = re.findall(r"^- (On (\S+) .*?)(?=^- |^$)", result, re.MULTILINE | re.DOTALL)
    assert [corpus for _, corpus in sentences] == list(tables)
    for text, corpus in sentences:
        reader = Reader(tables[corpus], None)
        reader.read(text)
        assert reader.claims >= 2


def test_the_readme_shows_the_beginning_of_that_result():
    (shown,) = re.findall(r"^## A result\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    (table,) = re.findall(r"(?:^\|.*\n)+", shown, re.MULTILINE)
    assert len(table.splitlines()) == 2 + 8
    assert table in ANSWER
    words, answer = (" ".join(text.split()) for text in (shown.split(table)[1].split("[The whole")[0], ANSWER))
    sentences = [sentence.removesuffix(".") for sentence in words.split(". ")]
    assert len(sentences) == 2
    assert all(sentence.replace("With", "with") in answer for sentence in sentences)


def test_every_target_of_the_readme_is_in_the_makefile():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0] for line in listed.splitlines()}
    for target in re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", README, re.MULTILINE):
        assert "".join(target) in targets


def test_every_command_and_document_of_the_readme_exists():
    from flows.cli import run_app

    commands = {name for name in run_app if not name.startswith("-")}
    assert set(re.findall(r"^prefect run ([a-z]+)", COMMANDS, re.MULTILINE)) == commands
    for document in re.findall(r"docs/[a-z]+\.[a-z]+", README + COMMANDS + ANSWER):
        assert (ROOT / document).is_file(), document
