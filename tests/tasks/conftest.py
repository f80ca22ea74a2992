"""A store with a tiny music corpus and a tiny text in it, and a campaign of seconds over them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import fsspec
import numpy as np
import pytest
import torch
from fsspec.implementations.memory import MemoryFileSystem

from infra.settings import CampaignRequest
from infra.store import Store
from models.trial import Trial
from tasks.campaign import Campaign, resolve
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.corpora import find_recipe
from tasks.ingest.stored import store_corpus
from tasks.search.search import Search
from tasks.trials.records import TrialRecord
from tasks.trials.samples import ASKED
from tests.tasks.here import sample_here, score_here, train_here


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _short_samples() -> Iterator[None]:
    """Networks go on for few steps: each is a forward pass of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in ASKED:
            patch.setitem(ASKED, kind, 24)  # type: ignore[misc]
        yield


@pytest.fixture(autouse=True)
def _no_kept_times(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the test's own, of which there is not even the folder: few tests keep times."""
    path = tmp_path_factory.getbasetemp() / uuid4().hex / "timings.json"
    monkeypatch.setattr("tasks.search.timings.timings_path", lambda: path)


def tiny_music() -> Corpus:
    """Pieces of a walking chord, so that the next frame can be learned."""
    rng = np.random.default_rng(0)
    splits = {}
    for split, count in zip(SPLITS, (6, 3, 3), strict=True):
        rolls = []
        for _ in range(count):
            roll = np.zeros((int(rng.integers(5, 12)), 88), np.uint8)
            root = int(rng.integers(20, 40))
            for t in range(len(roll)):
                roll[t, [root + t % 4, root + 12 + t % 4]] = 1
            rolls.append(roll)
        splits[split] = tuple(rolls)
    titles = {split: tuple(f"{split} {number}" for number in range(len(splits[split]))) for split in SPLITS}
    return Corpus("bach-chorales", "music", splits, titles)


def tiny_text() -> Corpus:
    """Five symbols in a circle, one or two places on at every step, so that the next one can be learned."""
    rng = np.random.default_rng(1)
    splits = {
        split: tuple((rng.integers(1, 3, int(rng.integers(4, 30))).cumsum() % 5).astype(np.int32) for _ in range(count))
        for split, count in zip(SPLITS, (6, 3, 3), strict=True)
    }
    titles = {split: tuple(f"{split} {number}" for number in range(len(splits[split]))) for split in SPLITS}
    return Corpus("folk-tunes-characters", "characters", splits, titles, vocabulary=tuple("abcde"))


def fill(store: Store) -> dict[str, str]:
    """Put both corpora into a store; their digests by name."""
    corpora = (tiny_music(), tiny_text())
    for corpus in corpora:
        recipe = find_recipe(corpus.name)
        assert recipe is not None
        store_corpus(store, corpus, recipe, {})
    return {corpus.name: corpus.digest for corpus in corpora}


def tiny_campaign(*variants: str, **changes: Any) -> Campaign:
    """Two search trials and two seeds a variant, networks of a few units that learn in a few updates."""
    smoke = resolve(CampaignRequest(preset="smoke", variants=variants, seed=3))
    sizes = {"hidden_size": {"low": 5, "high": 9}, "batch": 3}
    spaces = {corpus: space.having(**sizes) for corpus, space in smoke.spaces.items()}
    rates = {"low": 0.1, "high": 0.3, "scale": "log"}
    spaces["bach-chorales"] = spaces["bach-chorales"].having(learning_rate=rates, epochs=4)
    return replace(smoke, **({"spaces": spaces} | changes))


def record_of(trial: Trial, valid: float = -1.0, **changes: Any) -> TrialRecord:
    """A record of a trial that nobody trained."""
    values: dict[str, Any] = {
        "trial": trial,
        "status": "completed",
        "diverged_at": None,
        "valid": valid,
        "best_epoch": 1,
        "epochs": 2,
        "updates": 4,
        "parameters": 100,
        "seconds": 0.5,
    }
    return TrialRecord(**(values | changes))


def train_all(store: Store, trials: Iterable[Trial]) -> list[TrialRecord]:
    """Train trials here, one after the other."""
    return [train_here(store, trial) for trial in trials]


def by_key(records: Iterable[TrialRecord]) -> dict[str, TrialRecord]:
    """Records as a ledger gives them."""
    return {record.trial.key: record for record in records}


@dataclass(frozen=True)
class Finished:
    """A campaign of which everything is stored: for reading only, for many tests share it."""

    store: Store
    digests: dict[str, str]
    campaign: Campaign
    search: list[TrialRecord]
    finals: list[TrialRecord]


@pytest.fixture(scope="session")
def finished() -> Finished:
    store, campaign = Store(f"memory://{uuid4().hex}"), tiny_campaign("SGD+C", "SGD+LM")
    digests = fill(store)
    search = train_all(store, Search(campaign, digests).trials({}))
    finals = train_all(store, Search(campaign, digests).finals(by_key(search)))
    for record in finals:
        score_here(store, record)
        sample_here(store, record)
    return Finished(store, digests, campaign, search, finals)


@pytest.fixture
def store() -> Store:
    return Store(f"memory://{uuid4().hex}")


@pytest.fixture(scope="session")
def _filled() -> tuple[dict[str, str], dict[str, bytes]]:
    """What `fill` gives, and the files that it makes, by path below the store."""
    name = uuid4().hex
    digests, files = fill(Store(f"memory://{name}")), MemoryFileSystem()
    return digests, {path.removeprefix(f"/{name}/"): files.cat_file(path) for path in files.find(name)}


@pytest.fixture
def digests(store: Store, _filled: tuple[dict[str, str], dict[str, bytes]]) -> dict[str, str]:
    """Both corpora in the store."""
    digests, content = _filled
    files, root = fsspec.core.url_to_fs(store.address)
    for path, data in content.items():
        files.pipe_file(f"{root}/{path}", data)
    return dict(digests)


@pytest.fixture
def campaign() -> Campaign:
    return tiny_campaign("SGD+C", "SGD+LM")
