"""docs/extending.md, word for word: its corpus is ingested, found again and trained on."""

import re
import sys
import types
from pathlib import Path

import pytest

from infra.settings import CampaignRequest
from infra.store import Store
from tasks.campaign import resolve
from tasks.ingest import find_name, ingest_corpus, load_corpus
from tasks.ingest.recipe import Recipe, Source
from tasks.search import search_trials
from tasks.train import ensure_trained

TEXT = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
BOOK = {"train.txt": "cdefg gfedc cegec\nabagf", "valid.txt": "cdedc efgfe", "test.txt": "gfedc edcdx"}


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
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
    trial = search_trials(campaign, {"melodies": digest})[0]
    assert ensure_trained(store, trial).status == "completed"


BOOK_SPLITS = ("train", "valid", "test")


def test_the_document_names_what_is_there() -> None:
    root = Path(__file__).parents[1]
    for path in re.findall(r"`((?:tasks|tests|docs)/[\w./]+)`", TEXT):
        assert (root / path).exists(), path
