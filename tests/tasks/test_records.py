"""Records of trials: JSON and back, what is stored and what still waits."""

import json

import numpy as np
import pandas as pd
import pytest

from infra.store import Store
from models.trial import Trial
from tasks.records import (
    TrialRecord,
    load_record,
    load_records,
    load_tables,
    score_prefix,
    to_parquet,
    trial_prefix,
    unfinished,
)
from tests.models import examples
from tests.tasks.conftest import record_of


def _put(store: Store, record: TrialRecord) -> None:
    files = {"record.json": json.dumps(record.to_json()).encode()}
    store.commit(trial_prefix(record.trial.key), files, kind="trial", provenance={})


def _score(store: Store, trial: Trial) -> None:
    store.commit(score_prefix(trial.key), {"pieces.parquet": b""}, kind="score", provenance={})


@pytest.mark.parametrize(
    "record",
    [
        record_of(examples.trial(), -1.2345678901234567),
        record_of(examples.trial("CLRM"), status="diverged", diverged_at=7, best_epoch=0),
    ],
    ids=["completed", "diverged"],
)
def test_a_record_comes_back_from_json_as_it_was(record):
    values = json.loads(json.dumps(record.to_json(), allow_nan=False))
    assert TrialRecord.from_json(values) == record
    assert TrialRecord.from_json(values).trial.key == record.trial.key
    assert (values["key"], values["variant"]) == (record.trial.key, record.trial.variant)


def test_a_trial_and_its_scores_are_stored_under_its_key():
    assert (trial_prefix("12ab"), score_prefix("12ab")) == ("trials/12ab", "scores/12ab")


def test_only_what_is_stored_is_loaded_in_the_order_that_was_asked(store):
    trials = [examples.trial(seed=seed) for seed in range(40)]
    records = {trial.key: record_of(trial, -trial.seed) for trial in trials if trial.seed % 3}
    for record in reversed(records.values()):
        _put(store, record)
    loaded = load_records(store, (trial.key for trial in trials))
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
    assert unfinished(store, trials, scored=False) == [absent]
    assert unfinished(store, trials, scored=True) == [absent, trained]
    assert unfinished(store, [], scored=True) == []


def test_a_trial_that_is_asked_twice_waits_once(store):
    trial, other = examples.trial(), examples.trial(seed=2)
    assert unfinished(store, [trial, other, examples.trial()], scored=False) == [trial, other]
    _put(store, record_of(trial))
    assert unfinished(store, [trial, other, trial], scored=True) == [trial, other]


def test_a_score_without_its_trial_is_not_enough(store):
    trial = examples.trial()
    _score(store, trial)
    assert unfinished(store, [trial], scored=True) == [trial]


def test_tables_come_back_in_their_order(store):
    names = [f"trials/{number}" for number in range(20)]
    for number, prefix in enumerate(names):
        rows = [{"update": number, "train": float("nan")}, {"update": -number, "train": 0.1}]
        store.commit(prefix, {"curves.parquet": to_parquet(rows)}, kind="trial", provenance={})
    tables = load_tables(store, names[::-1], "curves.parquet")
    assert [table["update"].tolist() for table in tables] == [[n, -n] for n in range(19, -1, -1)]
    assert all(np.isnan(table["train"][0]) and table["train"][1] == 0.1 for table in tables)
    assert load_tables(store, [], "curves.parquet") == []


def test_rows_are_a_parquet_file_without_an_index(tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(to_parquet([{"a": 1, "b": "x"}]))
    pd.testing.assert_frame_equal(pd.read_parquet(path), pd.DataFrame({"a": [1], "b": ["x"]}))
