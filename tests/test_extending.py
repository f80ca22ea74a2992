"""docs/extending.md, word for word: its corpus is trained on; all else of it, and README's technique, keep promises."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest

from infra.settings import CampaignRequest
from infra.store import Store
from tasks.campaign import resolve
from tasks.ingest import find_name, ingest_corpus, load_corpus
from tasks.ingest.building.recipe import Recipe, Source
from tasks.search.search import Search
from tests.tasks.here import train_here

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
"""A corpus, a technique, an output model, an optimizer, a core."""
MODULES = ("normalised", "rests", "heavy_ball", "mgu")
BOOK = {"train.txt": "cdefg gfedc cegec\nabagf", "valid.txt": "cdedc efgfe", "test.txt": "gfedc edcdx"}


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    code = CODE[0]
    module = types.ModuleType("melodies_of_the_document")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(code, module.__dict__)  # noqa: S102
    found: Recipe = module.MELODIES  # type: ignore[attr-defined]
    monkeypatch.setattr("tasks.ingest.corpora.CORPORA", (found,))
    return found


def test_the_corpus_of_the_document_is_ingested_and_trained_on(recipe: Recipe, tmp_path: Path) -> None:
    for name, text in BOOK.items():
        (tmp_path / name).write_text(text)
    store = Store(f"memory://{tmp_path.name}")
    digest = ingest_corpus(store, recipe, Source(str(tmp_path)))
    corpus = load_corpus(store, digest)
    pieces = {
        split: ["".join(corpus.vocabulary[s] for s in piece) for piece in corpus.splits[split]] for split in BOOK_SPLITS
    }
    assert pieces == {
        "train": ["cdefg", "gfedc", "cegec", "abagf"],
        "valid": ["cdedc", "efgfe"],
        "test": ["gfedc", "edcd<unk>"],
    }
    named = find_name(store, "melodies")
    assert named is not None
    assert named.digest == digest
    campaign = resolve(CampaignRequest(preset="smoke", corpora=("melodies",)), store)
    trial = Search(campaign, {"melodies": digest}).trials({})[0]
    assert train_here(store, trial).status == "completed"


TRAINED = """
import pytest

from infra.settings import CampaignRequest
from infra.store import Store
from models.techniques import Technique
from tasks.campaign import resolve
from tasks.report.numbers.variant_titles import TECHNIQUES
from tasks.search.search import Search
from tests.tasks.conftest import fill
from tests.tasks.here import train_here

store = Store("memory://extended")
digests = fill(store)
variants = ("SGD+MN", "SGD+CE", "rnn/rests/SGD+C", "mgu/rests/HeavyBall+CN")
campaign = resolve(CampaignRequest(preset="smoke", corpora=("bach-chorales",), variants=variants), store)
trained = {}
for trial in Search(campaign, {"bach-chorales": digests["bach-chorales"]}).trials({}):
    record = train_here(store, trial)
    assert record.diverged_at is None and record.trial == trial
    trained[trial.variant] = trained.get(trial.variant, 0) + 1
print(trained)
print(TECHNIQUES["N"], TECHNIQUES["E"], sep=", ")
# What is trained above has imported some of pytest's plugins, whose own assertions need no rewriting.
options = ["-v", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
folders = ("techniques", "outputs", "optimizers", "core")
suites = [f"tests/models/{folder}/test_conformance.py" for folder in folders]
raise SystemExit(pytest.main([*options, "-k", "N- or E- or rests or HeavyBall or mgu or names or letters", *suites]))
"""


@pytest.mark.integration
def test_what_the_documents_add_is_installed_trained_and_keeps_its_promises(tmp_path: Path) -> None:
    declared = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    groups = {
        group: points for block in declared for group, points in tomllib.loads(block)["project"]["entry-points"].items()
    }
    for name, code in zip(MODULES, CODE[1:], strict=True):
        (tmp_path / f"{name}.py").write_text(code)
    (example,) = re.findall(r"```python\n(from dataclasses.*?)```", README, re.DOTALL)
    (tmp_path / "elements.py").write_text(example)
    groups["counterpoint.techniques"]["elements"] = "elements:ElementClipping"
    metadata = tmp_path / "own-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    lines = [
        line
        for group, points in groups.items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in points.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", TRAINED]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    trained, titles = ran.stdout.splitlines()[:2]
    assert set(ast.literal_eval(trained)) == {
        *("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+MN", "rnn/bernoulli/SGD+CE"),
        *("rnn/rests/SGD", "rnn/rests/SGD+C", "mgu/rests/SGD", "mgu/rests/HeavyBall+CN"),
    }
    assert titles == "normalised gradient, clipping of elements"
    kept = {name: len(re.findall(rf"\[(?:.*-)?{name}[\]-].* PASSED", ran.stdout)) for name in KEPT}
    assert kept == KEPT


KEPT = {"N": 18, "E": 18, "rests": 10, "HeavyBall": 5, "mgu": 10}
"""How many promises each of the documents' members is held to."""
BOOK_SPLITS = ("train", "valid", "test")


def test_the_document_names_what_is_there() -> None:
    for path in re.findall(r"`((?:tasks|tests|docs)/[\w./]+)`", TEXT):
        assert (ROOT / path).exists(), path
