"""Techniques and their like from other people's packages: found by entry points, held to the same promises."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from models.plugins import load_plugins
from models.techniques import Technique

ROOT = Path(__file__).parents[2]
MODULE = '''
from dataclasses import dataclass
from typing import ClassVar, Self

from models.optimizers import SGD
from models.techniques.base import Number, Technique


@dataclass(frozen=True)
class Halving(Technique):
    """Half of every gradient."""

    letter: ClassVar[str] = "H"
    title: ClassVar[str] = "halving"
    factor: Number = 0.5

    @classmethod
    def draw(cls, draws, kind) -> Self:
        return cls(draws.uniform("factor", 0.4, 0.6))

    def transform_(self, gradient_SP, norm_S1):
        gradient_SP.mul_(self.factor)


class Slow(SGD):
    name: ClassVar[str] = "Slow"
'''


def _install(folder: Path, points: str) -> None:
    """Put a package with these entry points into the folder, as an installer does."""
    (folder / "strange.py").write_text(MODULE)
    metadata = folder / "strange-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(textwrap.dedent(points))


SCRIPT = """
import pytest

from models.data.chunks import Pieces
from models.training.run import train
from models.trial import Trial
from models.variants import Variant
from strange import Halving
from tests.models import examples

print(Variant.parse("rnn/bernoulli/Slow+HC"))
pieces = Pieces.from_arrays(examples.music([9, 4, 6]))
trial = examples.trial("C", techniques=(Halving(0.5),), optimizer="Slow", learning_rate=0.02)
assert Trial.from_json(trial.to_json()) == trial
plain = train(examples.trial(learning_rate=0.01), pieces, pieces, 5)
halved = train(trial, pieces, pieces, 5)
print(abs(plain.best.valid - halved.best.valid) < 1e-6)
suites = ["tests/models/techniques/test_conformance.py", "tests/models/optimizers/test_conformance.py"]
raise SystemExit(pytest.main(["-v", "-p", "no:cacheprovider", *suites]))
"""


@pytest.mark.integration
def test_a_strangers_technique_and_optimizer_train_and_pass_the_suites(tmp_path):
    _install(
        tmp_path,
        """
        [counterpoint.techniques]
        halving = strange:Halving
        [counterpoint.optimizers]
        slow = strange:Slow
        """,
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.split()[:2] == ["rnn/bernoulli/Slow+CH", "True"]
    assert len(re.findall(r"\[H-\w+\] PASSED", ran.stdout)) == 18, "six promises, on three kinds of data"
    assert len(re.findall(r"\[Slow\] PASSED", ran.stdout)) == 5


@pytest.mark.parametrize(
    ("target", "said"),
    [("nowhere:Thing", "cannot load nowhere:Thing"), ("strange:Slow", "strange:Slow is no Technique")],
)
def test_an_entry_point_that_is_wrong_is_named(tmp_path, monkeypatch, target, said):
    _install(tmp_path, f"[counterpoint.techniques]\nhalving = {target}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "strange", raising=False)
    with pytest.raises(ImportError, match=f"^entry point halving of counterpoint.techniques: .*{said}"):
        load_plugins("techniques", Technique)
