"""The ledger: what is stored and what still waits, and that nothing is read twice."""

import json

import numpy as np

from infra.store import Store
from models.trial import Trial
from tasks.ledger import Ledger
from tasks.records import TrialRecord, load_record, score_prefix, to_parquet, trial_prefix
from tests.models import examples
from tests.tasks.conftest import record_of


def _put(store: Store, record: TrialRecord) -> None:
    files = {"record.json": json.dumps(record.to_json()).encode()}
    store.commit(trial_prefix(record.trial.key), files, kind="trial", provenance={})


def _score(store: Store, trial: Trial) -> None:
    store.commit(score_prefix(trial.key), {"pieces.parquet": b""}, kind="score", provenance={})


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


def test_unfinished_is_what_is_not_stored_and_on_request_what_is_not_scored(store):
    trials = [examples.trial(seed=seed) for seed in range(4)]
    absent, diverged, trained, scored = trials
    _put(store, record_of(diverged, status="diverged", diverged_at=1))
    _put(store, record_of(trained))
    _put(store, record_of(scored))
    _score(store, scored)
    assert Ledger(store).unfinished(trials, scored=False) == [absent]
    assert Ledger(store).unfinished(trials, scored=True) == [absent, trained]
    assert Ledger(store).unfinished([], scored=True) == []


def test_a_trial_that_is_asked_twice_waits_once(store):
    trial, other = examples.trial(), examples.trial(seed=2)
    assert Ledger(store).unfinished([trial, other, examples.trial()], scored=False) == [trial, other]
    _put(store, record_of(trial))
    assert Ledger(store).unfinished([trial, other, trial], scored=True) == [trial, other]


def test_a_score_without_its_trial_is_not_enough(store):
    trial = examples.trial()
    _score(store, trial)
    assert Ledger(store).unfinished([trial], scored=True) == [trial]


def test_tables_come_back_in_their_order(store):
    names = [f"trials/{number}" for number in range(20)]
    for number, prefix in enumerate(names):
        rows = [{"update": number, "train": float("nan")}, {"update": -number, "train": 0.1}]
        store.commit(prefix, {"curves.parquet": to_parquet(rows)}, kind="trial", provenance={})
    tables = Ledger(store).tables(names[::-1], "curves.parquet")
    assert [table["update"].tolist() for table in tables] == [[n, -n] for n in range(19, -1, -1)]
    assert all(np.isnan(table["train"][0]) and table["train"][1] == 0.1 for table in tables)
    assert Ledger(store).tables([], "curves.parquet") == []


def test_what_was_read_is_not_read_again_and_what_was_missing_is(store, monkeypatch):
    trials = [examples.trial(seed=seed) for seed in range(3)]
    ledger = Ledger(store)
    _put(store, record_of(trials[0]))
    _score(store, trials[0])
    assert ledger.unfinished(trials, scored=True) == trials[1:]
    _put(store, record_of(trials[1]))
    asked = []
    read = store._backend.read
    monkeypatch.setattr(store._backend, "read", lambda path: asked.append(path) or read(path))
    assert ledger.unfinished(trials, scored=True) == trials[1:]
    assert list(ledger.records(trials)) == [trial.key for trial in trials[:2]]
    assert not [path for path in asked if trials[0].key in path]
    _score(store, trials[1])
    assert ledger.unfinished(trials, scored=True) == trials[2:]
