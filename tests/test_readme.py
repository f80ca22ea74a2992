"""What README says to type is what there is."""

import re
import subprocess
from pathlib import Path

import torch

from models.chunks import Pieces
from models.techniques.base import Technique
from models.training import train
from tests.models import examples

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_technique_of_the_readme_trains():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102
    made = names["GradientNoise"]
    assert isinstance(made, type)
    assert issubclass(made, Technique)
    gradient = torch.zeros(2, 1000)
    made(0.5).transform_(gradient, gradient.norm(dim=1))
    assert abs(gradient.std().item() - 0.5) < 0.05
    pieces = Pieces.from_arrays(examples.music([9, 4, 6]))
    trial = examples.trial(learning_rate=0.01)
    object.__setattr__(trial, "techniques", (made(0.1),))
    noisy, quiet = (train(each, pieces, pieces, 5) for each in (trial, examples.trial(learning_rate=0.01)))
    assert noisy.status == quiet.status == "completed"
    assert noisy.curve[-1].valid != quiet.curve[-1].valid


def test_every_target_of_the_readme_is_in_the_makefile():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0] for line in listed.splitlines()}
    for target in re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", README, re.MULTILINE):
        assert "".join(target) in targets


def test_every_command_and_document_of_the_readme_exists():
    from infra.cli import run_app

    assert set(re.findall(r"^prefect run ([a-z]+)", README, re.MULTILINE)) <= set(run_app)
    for document in re.findall(r"docs/[a-z]+\.[a-z]+", README):
        assert (ROOT / document).is_file(), document
