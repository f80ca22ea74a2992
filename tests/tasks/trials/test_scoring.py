"""Test scores: of the stored weights, once, a row a piece; and those of the count baselines."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from infra.errors import NotFoundError
from models.evaluation.baselines import baselines, score_baseline
from models.evaluation.metrics import Scores, score
from models.network import Network
from models.outputs.effort import Effort
from models.outputs.rbm.rbm import RBMSettings
from models.randomness import generator_for
from models.trial import Trial
from tasks.campaign.drawing import draw_trial
from tasks.trials.data import data_of
from tasks.trials.records import TrialRecord, load_table, score_prefix, trial_prefix
from tasks.trials.scoring import baseline_table, counting_on_validation, piece_rows
from tests.tasks.conftest import tiny_music, tiny_text
from tests.tasks.here import prepared, score_here, train_here

COLUMNS = ["piece", "steps", "log_likelihood", "accuracy", "union_accuracy", "success"]


def _trained(store, digests, campaign, corpus: str, letters: str) -> TrialRecord:
    output = "bernoulli" if corpus == "bach-chorales" else "softmax"
    variant = f"rnn/{output}/SGD" + (f"+{letters}" if letters else "")
    return train_here(store, draw_trial(campaign, corpus, digests[corpus], variant, 0))


def _direct(store, trial: Trial, weights: dict[str, torch.Tensor]) -> Scores:
    """The test scores of some weights, without `ensure_scored`."""
    corpus, pieces = prepared(store, trial.corpus)
    network = Network.for_data(trial, pieces["train"], corpus.width)
    network.load(weights)
    return score(network, pieces["test"], generator_for(trial.seed, "accuracy"))


@pytest.mark.parametrize("letters", ["", "LR"])
@pytest.mark.parametrize("corpus", ["bach-chorales", "folk-tunes-characters"])
def test_the_scores_are_those_of_the_stored_weights_on_the_test_split(store, digests, campaign, corpus, letters):
    record = _trained(store, digests, campaign, corpus, letters)
    score_here(store, record)
    table = load_table(store, score_prefix(record.trial.key), "pieces.parquet")
    weights = load(store.read(trial_prefix(record.trial.key), "weights.safetensors"))
    expected = _direct(store, record.trial, weights)
    test = (tiny_music() if corpus == "bach-chorales" else tiny_text()).splits["test"]
    assert list(table) == COLUMNS
    assert table["piece"].tolist() == ["test 0", "test 1", "test 2"]
    assert table["steps"].tolist() == [len(piece) for piece in test]
    np.testing.assert_array_equal(table["log_likelihood"], expected.log_likelihood)
    if corpus == "bach-chorales":
        np.testing.assert_array_equal(table["accuracy"], expected.accuracy)
        np.testing.assert_array_equal(table["union_accuracy"], expected.union_accuracy)
    else:
        assert table[["accuracy", "union_accuracy", "success"]].isna().all(axis=None)


def test_leaky_units_are_scored_with_their_stored_retention(store, digests, campaign):
    """Not with one drawn anew: what was trained is what is scored, whatever draws a later version makes."""
    record = _trained(store, digests, campaign, "bach-chorales", "L")
    trial = record.trial
    weights = load(store.read(trial_prefix(trial.key), "weights.safetensors"))
    other = weights | {"retention": torch.full_like(weights["retention"], 0.9)}
    elsewhere = type(store)(f"{store.address}-other")
    files = {name: store.read(f"data/{trial.corpus}", name) for name in ("corpus.json", "arrays.safetensors")}
    elsewhere.commit(f"data/{trial.corpus}", files, kind="corpus", provenance={})
    elsewhere.commit(trial_prefix(trial.key), {"weights.safetensors": save(other)}, kind="trial", provenance={})
    score_here(elsewhere, record)
    table = load_table(elsewhere, score_prefix(trial.key), "pieces.parquet")
    np.testing.assert_array_equal(table["log_likelihood"], _direct(store, trial, other).log_likelihood)
    assert not np.allclose(table["log_likelihood"], _direct(store, trial, weights).log_likelihood, atol=1e-4)


def test_an_estimated_log_likelihood_is_stored_with_its_error(store, digests, campaign, monkeypatch):
    monkeypatch.setattr("models.evaluation.estimation.FULL", Effort(20, 30))
    trial = draw_trial(campaign, "bach-chorales", digests["bach-chorales"], "rnn/rbm/SGD", 0)
    record = train_here(store, replace(trial, output_settings=RBMSettings(units=4, cd_steps=2)))
    score_here(store, record)
    table = load_table(store, score_prefix(record.trial.key), "pieces.parquet")
    weights = load(store.read(trial_prefix(record.trial.key), "weights.safetensors"))
    corpus, pieces = prepared(store, record.trial.corpus)
    network = Network.for_data(record.trial, pieces["train"], corpus.width)
    network.load(weights)
    expected = score(network, pieces["test"], generator_for(record.trial.seed, "accuracy"), reported=True)
    assert list(table) == [*COLUMNS, "log_likelihood_error"]
    assert table["steps"].tolist() == [len(piece) for piece in tiny_music().splits["test"]]
    np.testing.assert_array_equal(table["log_likelihood"], expected.log_likelihood)
    np.testing.assert_array_equal(table["log_likelihood_error"], expected.log_likelihood_error)
    assert (table["log_likelihood_error"] > 0).all()


def test_a_trial_is_scored_once(store, digests, campaign, monkeypatch):
    record = _trained(store, digests, campaign, "folk-tunes-characters", "C")
    score_here(store, record)
    manifest = store.manifest(score_prefix(record.trial.key))
    assert manifest.kind == "score"
    assert manifest.provenance["versions"]

    def score_again(*arguments: object) -> None:
        raise AssertionError("the test split was looked at again")

    monkeypatch.setattr("tasks.trials.scoring.score", score_again)
    score_here(store, record)
    assert store.manifest(score_prefix(record.trial.key)) == manifest


def test_what_was_not_trained_cannot_be_scored(store, digests, campaign):
    record = _trained(store, digests, campaign, "bach-chorales", "")
    empty = type(store)(f"{store.address}-empty")
    with pytest.raises(NotFoundError):
        score_here(empty, record)
    assert empty.prefixes("scores") == []


def test_a_row_a_piece_and_never_fewer():
    corpus = tiny_music()
    scores = Scores(np.array([3, 2]), np.array([-1.0, -2.0]))
    with pytest.raises(ValueError, match="zip"):
        piece_rows(corpus, scores)


@pytest.mark.parametrize("name", ["bach-chorales", "folk-tunes-characters"])
def test_counting_on_validation_is_the_best_baseline_there(store, digests, name):
    corpus, pieces = prepared(store, digests[name])
    data = pieces["valid"].scored_data
    told = []
    for probability_D in baselines(pieces["train"], corpus.width).values():
        if name == "bach-chorales":
            on = data.double()
            told.append((on * probability_D.log() + (1 - on) * (1 - probability_D).log()).sum(1).mean().item())
        else:
            told.append(probability_D.log()[data].mean().item())
    assert counting_on_validation(data_of(store.address, digests[name])) == pytest.approx(max(told), rel=1e-12)


@pytest.mark.parametrize("name", ["bach-chorales", "folk-tunes-characters"])
def test_the_baselines_are_scored_on_the_test_split(store, digests, name):
    table = baseline_table(data_of(store.address, digests[name]))
    corpus, pieces = prepared(store, digests[name])
    expected = baselines(pieces["train"], corpus.width)
    assert table["variant"].unique().tolist() == [f"baseline/{baseline}" for baseline in expected]
    assert len(expected) == (3 if name == "bach-chorales" else 2)
    for baseline, probability_D in expected.items():
        rows = table[table["variant"] == f"baseline/{baseline}"]
        scores = score_baseline(probability_D, pieces["test"], generator_for("baseline", baseline))
        assert rows["piece"].tolist() == list(corpus.titles["test"])
        assert rows["steps"].tolist() == scores.steps.tolist()
        np.testing.assert_array_equal(rows["log_likelihood"], scores.log_likelihood)
        nothing = np.full(3, np.nan)
        np.testing.assert_array_equal(rows["accuracy"], nothing if scores.accuracy is None else scores.accuracy)
    uniform = table[table["variant"] == "baseline/uniform"]
    one = 88 * np.log(2) if name == "bach-chorales" else np.log(5)
    np.testing.assert_allclose(uniform["log_likelihood"], -one * uniform["steps"])
