"""Training a trial into the store: once, with a record, a curve and weights that agree with each other."""

import json
import math
from dataclasses import asdict, replace

import pandas as pd
import pytest
import torch
from safetensors.torch import load

from infra.errors import NotFoundError
from models.baselines import frequencies
from models.metrics import score
from models.network import Network
from models.trial import Trial
from tasks.ledger import Ledger
from tasks.records import load_record, trial_prefix
from tasks.search import draw_trial
from tasks.train import ensure_trained, prepared, train
from tests.tasks.conftest import record_of

CORPORA = {"bach-chorales": "rnn/bernoulli/SGD", "folk-tunes-characters": "rnn/softmax/SGD"}


@pytest.fixture
def trial(campaign, digests) -> Trial:
    return draw_trial(campaign, "bach-chorales", digests["bach-chorales"], "rnn/bernoulli/SGD+C", 0)


def _may_not_train(*arguments: object) -> None:
    raise AssertionError("trained again")


def test_a_stored_trial_is_not_trained_again(store, trial, monkeypatch):
    first = ensure_trained(store, trial)
    nonce = store.manifest(trial_prefix(trial.key)).nonce
    monkeypatch.setattr("tasks.train.train", _may_not_train)
    assert ensure_trained(store, trial) == first == load_record(store, trial.key)
    assert store.manifest(trial_prefix(trial.key)).nonce == nonce
    with pytest.raises(AssertionError, match="trained again"):
        ensure_trained(store, replace(trial, seed=trial.seed + 1))


def test_a_trial_that_raises_leaves_nothing(store, trial, monkeypatch):
    monkeypatch.setattr("tasks.train.train", _may_not_train)
    with pytest.raises(AssertionError):
        ensure_trained(store, trial)
    assert store.prefixes("trials") == []
    with pytest.raises(NotFoundError, match="0000"):
        ensure_trained(store, replace(trial, corpus="0" * 64))


def test_who_commits_first_is_right(store, trial, monkeypatch):
    """Two workers may train one trial; the record of the first is everybody's."""
    others = record_of(trial, -123.0)

    def slow(*arguments):
        trained = train(*arguments)
        files = {"record.json": json.dumps(others.to_json()).encode()}
        store.commit(trial_prefix(trial.key), files, kind="trial", provenance={})
        return trained

    monkeypatch.setattr("tasks.train.train", slow)
    assert ensure_trained(store, trial) == others


@pytest.mark.parametrize("letters", ["", "CLRM"])
@pytest.mark.parametrize("corpus", CORPORA)
def test_the_stored_weights_give_the_validation_score_of_the_record(store, digests, campaign, corpus, letters):
    variant = CORPORA[corpus] + (f"+{letters}" if letters else "")
    trial = draw_trial(campaign, corpus, digests[corpus], variant, 1)
    trial = replace(trial, hidden_size=8, epochs=4, learning_rate=0.01)
    record = ensure_trained(store, trial)
    assert (record.trial, record.status, record.diverged_at) == (trial, "completed", None)
    its_corpus, pieces = prepared(store.address, trial.corpus)
    network = Network(trial, frequencies(pieces["train"], its_corpus.width).float())
    weights = load(store.read(trial_prefix(trial.key), "weights.safetensors"))
    network.load(weights)
    assert score(network, pieces["valid"]).mean_log_likelihood == record.valid
    assert ("retention" in weights) == ("L" in letters)
    assert record.parameters == network.parameters.theta_SP.numel()
    assert record.best_epoch > 0, "else these are the weights that nothing was learned into"


def test_the_curve_is_stored_and_agrees_with_the_record(store, trial):
    trial = replace(trial, epochs=5, learning_rate=0.3, patience=5)
    record = ensure_trained(store, trial)
    (curve,) = Ledger(store).tables([trial_prefix(trial.key)], "curves.parquet")
    corpus, pieces = prepared(store.address, trial.corpus)
    expected = train(trial, pieces["train"], pieces["valid"], corpus.width)
    pd.testing.assert_frame_equal(curve, pd.DataFrame([asdict(epoch) for epoch in expected.curve]))
    assert curve["epoch"].tolist() == list(range(record.epochs + 1))
    assert 0 < record.best_epoch < record.epochs == 5, "choose a rate at which the last is not the best"
    assert curve["update"].iloc[-1] == record.updates
    best = curve.set_index("epoch")["valid"]
    assert (best.max(), best.idxmax()) == (record.valid, record.best_epoch)


def test_divergence_is_a_stored_result_with_its_update(store, trial, monkeypatch):
    wild = replace(trial, learning_rate=1e30)
    record = ensure_trained(store, wild)
    assert (record.status, record.diverged_at, record.updates) == ("diverged", 2, 2)
    assert (record.best_epoch, record.epochs) == (0, 0)
    assert math.isfinite(record.valid)
    monkeypatch.setattr("tasks.train.train", _may_not_train)
    assert ensure_trained(store, wild) == record
    (curve,) = Ledger(store).tables([trial_prefix(wild.key)], "curves.parquet")
    assert curve["epoch"].tolist() == [0]


def test_the_commit_says_what_it_is_and_where_it_comes_from(store, trial):
    ensure_trained(store, trial)
    manifest = store.manifest(trial_prefix(trial.key))
    assert manifest.kind == "trial"
    assert [item.name for item in manifest.objects] == ["record.json", "curves.parquet", "weights.safetensors"]
    assert manifest.provenance["versions"]["torch"] == str(torch.__version__)
    assert store.read(trial_prefix(trial.key), "record.json").decode().count("NaN") == 0


def test_a_corpus_is_prepared_once_a_process(store, digests, monkeypatch):
    first = prepared(store.address, digests["bach-chorales"])
    monkeypatch.setattr("tasks.train.load_corpus", _may_not_train)
    assert prepared(store.address, digests["bach-chorales"]) is first
    corpus, pieces = first
    assert {split: len(some) for split, some in pieces.items()} == {"train": 6, "valid": 3, "test": 3}
    assert (corpus.digest, corpus.width) == (digests["bach-chorales"], 88)
