"""The ledger: what is stored and what still waits, and that nothing is read twice."""

import hashlib
import json

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from infra.store import Store
from models.trial import Trial
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.corpora import find_recipe
from tasks.ingest.stored import store_corpus
from tasks.trials.ledger import Ledger
from tasks.trials.records import TrialRecord, load_record, sample_prefix, score_prefix, trial_prefix
from tests.models import examples
from tests.tasks.conftest import fill, record_of


def _put(store: Store, record: TrialRecord) -> None:
    files = {"record.json": json.dumps(record.to_json()).encode()}
    store.commit(trial_prefix(record.trial.key), files, kind="trial", provenance={})


def _score(store: Store, trial: Trial) -> None:
    store.commit(score_prefix(trial.key), {"pieces.parquet": b""}, kind="score", provenance={})


def _sample(store: Store, trial: Trial) -> None:
    store.commit(sample_prefix(trial.key), {"sample.json": b"{}"}, kind="sample", provenance={})


def test_only_what_is_stored_is_loaded_in_the_order_that_was_asked(store):
    trials = [examples.trial(seed=seed) for seed in range(40)]
    records = {trial.key: record_of(trial, -trial.seed) for trial in trials if trial.seed % 3}
    for record in reversed(records.values()):
        _put(store, record)
    loaded = Ledger(store).records(trials)
    assert loaded == records
    assert list(loaded) == list(records), "the choice takes the first of equal scores"
    assert load_record(store, trials[0].key) is None
    assert load_record(store, trials[1].key) == records[trials[1].key]


@pytest.fixture
def finals(store: Store) -> list[Trial]:
    """Configurations on a corpus that is stored; nobody trained them."""
    digest = fill(store)["bach-chorales"]
    return [examples.trial(corpus=digest, seed=seed) for seed in range(5)]


def test_unfinished_is_what_is_not_stored_and_on_request_what_owes_its_score_or_its_sample(store, finals):
    absent, diverged, trained, scored, sampled = finals
    _put(store, record_of(diverged, status="diverged", diverged_at=1))
    for trial in (trained, scored, sampled):
        _put(store, record_of(trial))
    for trial in (scored, sampled):
        _score(store, trial)
    _sample(store, sampled)
    ledger = Ledger(store)
    assert ledger.unfinished(finals, scored=False) == [absent]
    assert ledger.unfinished(finals, scored=True) == [absent, trained, scored]
    assert ledger.owed(finals) == {trained.key: ["score", "sample"], scored.key: ["sample"]}
    assert ledger.unfinished([], scored=True) == []


def test_of_a_kind_that_has_no_samples_none_is_owed(store):
    splits = {split: (np.array([0, 1, 2], np.int32),) for split in SPLITS}
    corpus = Corpus("temporal-order-3", "temporal-order", splits, dict.fromkeys(SPLITS, ("one",)), tuple("abc"))
    recipe = find_recipe("bach-chorales")
    assert recipe is not None
    store_corpus(store, corpus, recipe, {})
    trial = examples.trial(corpus=corpus.digest, output="softmax")
    _put(store, record_of(trial))
    assert Ledger(store).owed([trial]) == {trial.key: ["score"]}
    _score(store, trial)
    assert Ledger(store).unfinished([trial], scored=True) == []


def test_a_trial_that_is_asked_twice_waits_once(store, finals):
    trial, other = finals[:2]
    assert Ledger(store).unfinished([trial, other, trial], scored=False) == [trial, other]
    _put(store, record_of(trial))
    assert Ledger(store).unfinished([trial, other, trial], scored=True) == [trial, other]


def test_a_score_without_its_trial_is_not_enough(store):
    trial = examples.trial()
    _score(store, trial)
    assert Ledger(store).unfinished([trial], scored=True) == [trial]


def test_what_cannot_be_read_is_missing_and_said_once_with_its_reason(store, finals, capsys):
    broken, foreign, unscored, whole = finals[:4]
    store.commit(trial_prefix(broken.key), {"record.json": b"[" * 100_000}, kind="trial", provenance={})
    values = record_of(foreign).to_json()
    values["trial"]["techniques"] = {"Q": {}}
    store.commit(trial_prefix(foreign.key), {"record.json": json.dumps(values).encode()}, kind="trial", provenance={})
    for trial in (unscored, whole):
        _put(store, record_of(trial))
        _score(store, trial)
        _sample(store, trial)
    files, root = MemoryFileSystem(), store.address.removeprefix("memory://")
    files.pipe_file(f"{root}/{score_prefix(unscored.key)}/manifest.json", b"x")
    ledger = Ledger(store)
    for _ in range(2):
        assert ledger.unfinished(finals[:4], scored=True) == [broken, foreign, unscored]
    assert set(ledger.unreadable) == {broken.key, foreign.key, unscored.key}
    assert "nested too deeply" in ledger.unreadable[broken.key]
    assert "'Q'; install what made it" in ledger.unreadable[foreign.key]
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert all(trial.key in "".join(said) for trial in finals[:3])


def test_what_was_made_is_of_every_byte_of_scores_and_samples(store, finals):
    trial = finals[0]
    _put(store, record_of(trial))
    assert Ledger(store).finals([trial]).made == {}
    _score(store, trial)
    only_scored = Ledger(store).finals([trial]).made
    _sample(store, trial)
    whole = Ledger(store).finals([trial]).made
    assert list(only_scored) == [score_prefix(trial.key)]
    assert list(whole) == [score_prefix(trial.key), sample_prefix(trial.key)]
    assert whole[sample_prefix(trial.key)] == [hashlib.sha256(b"{}").hexdigest()]


def test_what_was_read_is_not_read_again_and_what_was_missing_is(store, finals, monkeypatch):
    trials = finals[:3]
    ledger = Ledger(store)
    _put(store, record_of(trials[0]))
    _score(store, trials[0])
    _sample(store, trials[0])
    assert ledger.unfinished(trials, scored=True) == trials[1:]
    _put(store, record_of(trials[1]))
    asked = []
    read = store._backend.read
    monkeypatch.setattr(store._backend, "read", lambda path: asked.append(path) or read(path))
    assert ledger.unfinished(trials, scored=True) == trials[1:]
    assert list(ledger.records(trials)) == [trial.key for trial in trials[:2]]
    assert not [path for path in asked if trials[0].key in path]
    _score(store, trials[1])
    assert ledger.unfinished(trials, scored=True) == trials[1:]
    _sample(store, trials[1])
    assert ledger.unfinished(trials, scored=True) == trials[2:]


def test_where_the_store_has_no_other_trials_no_older_key_is_made(store, finals, monkeypatch):
    ledger = Ledger(store)
    _put(store, record_of(finals[0]))
    ledger.records(finals)
    made = []
    monkeypatch.setattr(Trial, "older_keys", property(lambda trial: made.append(trial) or ("0" * 64,)))
    assert ledger.outdated(finals[1:]) == 0
    assert made == []
    _put(store, record_of(examples.trial(seed=99)))
    assert (ledger.outdated(finals[1:]), len(made)) == (0, 4)
    assert ledger.outdated([]) == 0
