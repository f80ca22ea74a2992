"""Training a trial into the store: once, with a record, a curve and weights that agree with each other."""

import json
import math
from dataclasses import asdict, replace

import pandas as pd
import pytest
import torch
from safetensors.torch import load

from infra.errors import NotFoundError
from models.evaluation.metrics import score
from models.network import Network
from models.training.run import train, train_stack
from models.trial import Trial
from tasks.campaign.drawing import draw_trial
from tasks.trials.data import data_of
from tasks.trials.records import load_record, load_table, trial_prefix
from tasks.trials.train import GivenUp
from tests.tasks.conftest import record_of
from tests.tasks.here import prepared, train_here, train_stack_here

CORPORA = {"bach-chorales": "rnn/bernoulli/SGD", "folk-tunes-characters": "rnn/softmax/SGD"}


@pytest.fixture
def trial(campaign, digests) -> Trial:
    return draw_trial(campaign, "bach-chorales", digests["bach-chorales"], "rnn/bernoulli/SGD+C", 0)


@pytest.fixture
def impatient(monkeypatch) -> None:
    """A checkpoint after every step, and the question whether to stop too."""
    monkeypatch.setattr("tasks.trials.train.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("tasks.trials.train.ASK_SECONDS", 0.0)


def _may_not_train(*arguments: object) -> None:
    raise AssertionError("trained again")


def test_a_stored_trial_is_not_trained_again(store, trial, monkeypatch):
    first = train_here(store, trial)
    nonce = store.manifest(trial_prefix(trial.key)).nonce
    monkeypatch.setattr("tasks.trials.train.train_stack", _may_not_train)
    assert train_here(store, trial) == first == load_record(store, trial.key)
    assert store.manifest(trial_prefix(trial.key)).nonce == nonce
    with pytest.raises(AssertionError, match="trained again"):
        train_here(store, replace(trial, seed=trial.seed + 1))


def test_a_trial_that_raises_leaves_nothing(store, trial, monkeypatch):
    monkeypatch.setattr("tasks.trials.train.train_stack", _may_not_train)
    with pytest.raises(AssertionError):
        train_here(store, trial)
    assert store.prefixes("trials") == []
    with pytest.raises(NotFoundError, match="0000"):
        train_here(store, replace(trial, corpus="0" * 64))


def test_who_commits_first_is_right(store, trial, monkeypatch):
    """Two workers may train one trial; the record of the first is everybody's."""
    others = record_of(trial, -123.0)

    def slow(*arguments):
        trained = train_stack(*arguments)
        files = {"record.json": json.dumps(others.to_json()).encode()}
        store.commit(trial_prefix(trial.key), files, kind="trial", provenance={})
        return trained

    monkeypatch.setattr("tasks.trials.train.train_stack", slow)
    assert train_here(store, trial) == others


@pytest.mark.parametrize("letters", ["", "CLRM"])
@pytest.mark.parametrize("corpus", CORPORA)
def test_the_stored_weights_give_the_validation_score_of_the_record(store, digests, campaign, corpus, letters):
    variant = CORPORA[corpus] + (f"+{letters}" if letters else "")
    trial = draw_trial(campaign, corpus, digests[corpus], variant, 1)
    trial = replace(trial, hidden_size=8, epochs=4, learning_rate=0.1 if corpus == "bach-chorales" else 0.01)
    record = train_here(store, trial)
    assert (record.trial, record.status, record.diverged_at) == (trial, "completed", None)
    its_corpus, pieces = prepared(store, trial.corpus)
    network = Network.for_data(trial, pieces["train"], its_corpus.width)
    weights = load(store.read(trial_prefix(trial.key), "weights.safetensors"))
    network.load(weights)
    assert score(network, pieces["valid"]).mean_log_likelihood == record.valid
    assert ("retention" in weights) == ("L" in letters)
    assert record.parameters == network.parameters.theta_SP.numel()
    assert record.best_epoch > 0, "else these are the weights that nothing was learned into"


def test_the_curve_is_stored_and_agrees_with_the_record(store, trial):
    trial = replace(trial, epochs=5, learning_rate=0.3, patience=5)
    record = train_here(store, trial)
    curve = load_table(store, trial_prefix(trial.key), "curves.parquet")
    corpus, pieces = prepared(store, trial.corpus)
    expected = train(trial, pieces["train"], pieces["valid"], corpus.width)
    pd.testing.assert_frame_equal(curve, pd.DataFrame([asdict(epoch) for epoch in expected.curve]))
    assert curve["epoch"].tolist() == list(range(record.epochs + 1))
    assert 0 < record.best_epoch < record.epochs == 5, "choose a rate at which the last is not the best"
    assert curve["update"].iloc[-1] == record.updates
    best = curve.set_index("epoch")["valid"]
    assert (best.max(), best.idxmax()) == (record.valid, record.best_epoch)


def test_divergence_is_a_stored_result_with_its_update(store, trial, monkeypatch):
    wild = replace(trial, learning_rate=1e30)
    record = train_here(store, wild)
    assert (record.status, record.diverged_at, record.updates) == ("diverged", 2, 2)
    assert (record.best_epoch, record.epochs) == (0, 0)
    assert math.isfinite(record.valid)
    monkeypatch.setattr("tasks.trials.train.train_stack", _may_not_train)
    assert train_here(store, wild) == record
    curve = load_table(store, trial_prefix(wild.key), "curves.parquet")
    assert curve["epoch"].tolist() == [0]


def test_the_commit_says_what_it_is_and_where_it_comes_from(store, trial):
    train_here(store, trial)
    manifest = store.manifest(trial_prefix(trial.key))
    assert manifest.kind == "trial"
    assert [item.name for item in manifest.objects] == [
        "record.json",
        "curves.parquet",
        "weights.safetensors",
        "diagnostics.parquet",
    ]
    assert manifest.provenance["versions"]["torch"] == str(torch.__version__)
    assert store.read(trial_prefix(trial.key), "record.json").decode().count("NaN") == 0


def test_a_corpus_is_read_when_it_is_asked_for_and_once_a_process(store, digests, monkeypatch):
    data = data_of(store.address, digests["bach-chorales"])
    corpus, pieces = data.corpus, data.pieces
    monkeypatch.setattr("tasks.trials.data.load_corpus", _may_not_train)
    again = data_of(store.address, digests["bach-chorales"])
    assert again.corpus is corpus
    assert again.pieces is pieces
    assert data_of(store.address, "0" * 64) is not data, "nothing is read for it yet"
    assert {split: len(some) for split, some in pieces.items()} == {"train": 6, "valid": 3, "test": 3}
    assert (corpus.digest, corpus.width) == (digests["bach-chorales"], 88)


def test_a_stack_is_committed_member_by_member_with_shares_of_its_seconds(store, trial, monkeypatch):
    trials = [replace(trial, seed=seed, epochs=epochs) for seed, epochs in ((1, 1), (2, 4), (3, 2))]
    stored = train_here(store, trials[2])
    committed = []
    monkeypatch.setattr("tasks.trials.train.time.perf_counter", iter(range(10_000)).__next__)
    monkeypatch.setattr("tasks.trials.train.Checkpoints.save", lambda *arguments: None)

    def watched(stack, *rest):
        *rest, between, checkpoints, device, keeping, ranks = rest

        def look(run):
            between(run)
            committed.append([load_record(store, each.key) is not None for each in trials])

        return train_stack(stack, *rest, look, checkpoints, device, keeping, ranks)

    monkeypatch.setattr("tasks.trials.train.train_stack", watched)
    records = train_stack_here(store, trials)
    assert [record.trial for record in records] == trials
    assert records[2] == stored, "it was there"
    assert list(map(list, dict.fromkeys(map(tuple, committed)))) == [[False, False, True], [True, False, True]]
    assert 0 < records[0].seconds < records[1].seconds
    # The ticks of the clock that lie between looks at it, together.
    assert (records[0].seconds + records[1].seconds) % 1 == 0
    for record in records[:2]:
        _, pieces = prepared(store, trial.corpus)
        expected = train(record.trial, pieces["train"], pieces["valid"], 88)
        assert record.valid == pytest.approx(expected.best.valid, rel=1e-4)


@pytest.mark.usefixtures("impatient")
def test_a_stack_that_is_given_up_goes_on_from_the_checkpoint_of_each(store, trial):
    trials = [replace(trial, seed=seed, epochs=epochs) for seed, epochs in ((1, 2), (2, 3))]
    undisturbed = train_stack(trials, *(prepared(store, trial.corpus)[1][s] for s in ("train", "valid")), 88)
    for steps in (2, 3):
        asked = iter(range(1, steps + 1))
        with pytest.raises(GivenUp):
            train_stack_here(store, trials, lambda asked=asked, steps=steps: next(asked) == steps)
        assert [len(store.prefixes(f"checkpoints/{each.key}")) for each in trials] == [1, 1]
    records = train_stack_here(store, trials)
    assert [record.valid for record in records] == [undisturbed[each.key].best.valid for each in trials]
    for each in trials:
        weights = load(store.read(trial_prefix(each.key), "weights.safetensors"))
        assert all(torch.equal(weights[name], value) for name, value in undisturbed[each.key].weights.items())
    assert [store.prefixes(f"checkpoints/{each.key}") for each in trials] == [[], []]
