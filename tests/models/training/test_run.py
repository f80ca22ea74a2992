"""Training from its first epoch to its end: schedule, early stopping, divergence, repetition, hooks."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.evaluation.metrics import Scores, score
from models.network import Network
from models.techniques import Clipping, Technique
from models.training.run import Run, Training, train
from models.trial import Trial
from models.variants import all_subsets
from tests.models import examples

TRAIN = Pieces.from_arrays(examples.music([9, 4, 6, 1, 7], seed=1))
VALID = Pieces.from_arrays(examples.music([8, 5], seed=2))
EVEN = Pieces.from_arrays(examples.music([8] * 6, seed=1))
"""On three lanes in chunks of four every epoch makes four updates, whatever the order."""
STILL = 1e-30
"""A learning rate too small to move any float32 weight."""


def _train(trial: Trial, **changes: Any) -> Training:
    return train(trial, **({"train_pieces": TRAIN, "valid_pieces": VALID, "width": 5} | changes))


def _network(trial: Trial, weights: dict[str, Tensor] | None = None) -> Network:
    made = Network(trial, frequencies(TRAIN, 5).float())
    if weights is not None:
        made.load(weights)
    return made


def _same(left: Training, right: Training) -> bool:
    """Equal to the bit, NaN for NaN."""
    weights = left.weights.keys() == right.weights.keys() and all(
        torch.equal(left.weights[name], right.weights[name]) for name in left.weights
    )
    return weights and repr(left.curve) == repr(right.curve)


def test_the_curve_obeys_the_schedule_and_the_best_weights_are_kept():
    trial = examples.trial(learning_rate=0.03, epochs=60, decay=0.9, patience=3, seed=3)
    result = _train(trial)
    rate, best, waited, lowered = trial.learning_rate, result.curve[0], 0, 0
    for number, row in enumerate(result.curve[1:], start=1):
        assert row.epoch == number
        assert waited < 3, "it goes on after its patience"
        assert row.learning_rate == pytest.approx(rate)
        if row.valid > best.valid:
            best, waited = row, 0
        else:
            waited += row.valid <= result.curve[number - 1].valid
            rate, lowered = rate * 0.9, lowered + 1
    assert waited == 3
    assert lowered > 3, "choose a rate that lowers and recovers"
    assert 0 < best.epoch < len(result.curve) - 1 < 60
    assert result.best is best
    assert result.diverged_at is None
    assert result.updates == result.curve[-1].update
    assert score(_network(trial, result.weights), VALID).mean_log_likelihood == best.valid


@pytest.mark.parametrize(
    ("scores", "epochs", "best"),
    [
        ([-11, -12, -13], 3, 0),
        ([-10, -10, -10], 3, 0),
        ([-25.9, -18.6, -14.7, -12, -9, -9.5, -9.5, -9.6], 8, 5),
        ([-25.9, -18.6, -14.7, -12, -12, -13], 6, 0),
        ([-12, -11, -12, -11, -12], 5, 0),
        ([-12, -13, -9, -10, -11, -10.5, -12], 7, 3),
    ],
    ids=["falls", "stands", "comes back", "comes back and falls", "up and down", "counts from the best"],
)
def test_patience_does_not_count_an_epoch_that_is_better_than_the_one_before(scores, epochs, best, monkeypatch):
    told = iter([-10, *scores])
    monkeypatch.setattr(
        "models.training.run.score_members", lambda *_: [Scores(np.ones(1), np.array([float(next(told))]))]
    )
    trial = examples.trial(learning_rate=0.01, decay=0.5, epochs=20, patience=3)
    result = _train(trial)
    assert (result.curve[-1].epoch, result.best.epoch) == (epochs, best)
    bests = np.maximum.accumulate([-10, *scores])
    rates = 0.01 * 0.5 ** np.cumsum(np.concatenate([[0], bests[1:] == bests[:-1]]))
    assert [row.learning_rate for row in result.curve[1:]] == pytest.approx(rates[:-1]), "the schedule waits for nobody"


def test_the_first_epoch_is_the_network_as_it_starts():
    trial = examples.trial("CL")
    result = _train(trial)
    start = result.curve[0]
    assert (start.epoch, start.update) == (0, 0)
    assert start.valid == score(_network(trial), VALID).mean_log_likelihood
    assert all(math.isnan(x) for x in (start.train, start.gradient_norm, start.clipped_share))


def test_epochs_bound_the_training_and_between_sees_every_step_but_the_last():
    seen: list[tuple[int, int]] = []
    result = _train(
        examples.trial(epochs=2),
        between=lambda run: seen.append((run.progress()[0].updates, len(run.progress()[0].curve))),
    )
    assert [row.epoch for row in result.curve] == [0, 1, 2]
    half = result.curve[1].update
    assert seen == [
        *((update, 1) for update in range(half + 1)),
        *((update, 2) for update in range(half, 2 * half + 1)),
    ]

    def stop(run: Run) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _train(examples.trial(), between=stop)


@pytest.mark.parametrize("letters", ["", "L", "R"])
@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_what_training_meets_is_what_scoring_finds(output, letters):
    make = examples.music if output == "bernoulli" else examples.text
    pieces = Pieces.from_arrays(make([9, 4, 6, 1, 7], seed=1))
    trial = examples.trial(letters, output=output, learning_rate=STILL, epochs=2)
    result = _train(trial, train_pieces=pieces, valid_pieces=pieces)
    for row in result.curve[1:]:
        assert row.train == pytest.approx(row.valid, rel=1e-6)
        assert row.valid == result.curve[0].valid


def test_training_learns():
    pattern = np.tile(np.eye(5, dtype=np.uint8), (6, 1))
    pieces = Pieces.from_arrays([pattern, pattern[2:], pattern[:20]])
    for letters in ("", "CLRM"):
        trial = examples.trial(letters, hidden_size=16, learning_rate=0.05, epochs=25, patience=25)
        result = _train(trial, train_pieces=pieces, valid_pieces=pieces)
        assert result.curve[0].valid < -2
        assert result.best.valid > -0.5


def test_equal_trials_train_to_equal_bits_and_seeds_differ():
    trial = examples.trial("CLRM", input_dropout=0.2, output_dropout=0.2)
    torch.manual_seed(1)
    first = _train(trial)
    torch.manual_seed(2)
    assert _same(first, _train(trial))
    other = _train(examples.trial("CLRM", input_dropout=0.2, output_dropout=0.2, seed=2))
    assert not torch.equal(first.weights["bias"], other.weights["bias"])


def test_dropout_is_for_training_alone():
    plain = _train(examples.trial(learning_rate=STILL))
    for name in ("input_dropout", "output_dropout"):
        dropped = _train(examples.trial(learning_rate=STILL, **{name: 0.4}))
        assert [row.valid for row in dropped.curve] == [row.valid for row in plain.curve]
        assert all(a.train != b.train for a, b in zip(dropped.curve[1:], plain.curve[1:], strict=True))
        assert dropped.curve[1].train != dropped.curve[2].train


def test_a_zero_initial_state_stays_zero_and_a_learned_one_does_not():
    for initial, learned in (("zero", False), ("learned", True)):
        result = _train(examples.trial(initial_state=initial, learning_rate=0.03, seed=3))
        assert result.best.epoch > 0
        assert result.weights["initial_state"].any() == learned


def test_every_subset_trains_to_weights_of_its_own():
    results = {letters: _train(examples.trial(letters)) for letters in all_subsets("CLRM")}
    assert all(result.status != "diverged" for result in results.values())
    rows = {letters: result.curve[-1].train for letters, result in results.items()}
    assert len(set(rows.values())) == 16, rows
    for letters, result in results.items():
        assert ("retention" in result.weights) == ("L" in letters)
        assert (result.curve[-1].clipped_share > 0) == ("C" in letters)


@dataclass(frozen=True)
class _Stranger(Technique):
    """Somebody else's technique, which writes down what it is asked; it takes the place of C."""

    letter: ClassVar[str] = "C"
    title: ClassVar[str] = "stranger"
    calls: ClassVar[list[tuple[str, Any]]] = []

    def activation(self, activation):
        self.calls.append(("activation", activation))
        return "sigmoid"

    def retention(self, hidden_size, generator):
        self.calls.append(("retention", hidden_size))
        return torch.full((hidden_size,), 0.25)

    def penalty(self, states_SNH):
        self.calls.append(("penalty", tuple(states_SNH.shape)))

    def transform_(self, gradient_SP, norm_S1):
        self.calls.append(("transform_", (norm_S1.item(), gradient_SP.norm().item())))

    def step_(self, theta_SP, gradient_SP, velocity_SP, learning_rate_S1):
        self.calls.append(("step_", learning_rate_S1.item()))
        return True

    def of(self, name: str) -> list[Any]:
        return [value for called, value in self.calls if called == name]


def test_every_hook_of_a_strangers_technique_is_called_and_heeded():
    stranger = _Stranger()
    stranger.calls.clear()
    trial = examples.trial(techniques=(stranger,), learning_rate=0.3, decay=0.5, patience=5)
    result = _train(trial, train_pieces=EVEN)
    made = result.updates
    assert made == 12
    assert set(stranger.of("activation")) == {"tanh"}
    assert stranger.of("retention") == [7]
    assert len(stranger.of("penalty")) == len(stranger.of("transform_")) == len(stranger.of("step_")) == made
    # The real steps in a row: three lanes of at most four steps.
    assert all(shape[0] == 1 and 1 <= shape[1] <= 12 and shape[2] == 7 for shape in stranger.of("penalty"))
    assert all(told == pytest.approx(met, rel=1e-5) for told, met in stranger.of("transform_"))
    assert {name for name, _ in stranger.calls[-3:]} == {"penalty", "transform_", "step_"}
    # It said that it had stepped, and moved nothing: no epoch was a new best, and the rate fell.
    assert stranger.of("step_") == pytest.approx([0.3] * 4 + [0.15] * 4 + [0.075] * 4)
    start = Network(trial, frequencies(EVEN, 5).float()).parameters.member(0)
    assert all(torch.equal(start[name], result.weights[name]) for name in start)
    assert result.weights["retention"].tolist() == [0.25] * 7


@dataclass(frozen=True)
class _Watcher(Technique):
    """Writes down the norm of every gradient, and changes nothing."""

    letter: ClassVar[str] = "C"
    title: ClassVar[str] = "watcher"
    norms: ClassVar[list[float]] = []

    def transform_(self, gradient_SP, norm_S1):
        self.norms.append(norm_S1.item())


def _norms(pieces: Pieces, **changes: Any) -> np.ndarray:
    """Norms of three epochs, a row each, of a network that stands still."""
    _Watcher.norms.clear()
    _train(examples.trial(techniques=(_Watcher(),), learning_rate=STILL, **changes), train_pieces=pieces)
    return np.reshape(_Watcher.norms, (3, -1))


def test_norms_and_clipped_share_of_an_epoch():
    per_epoch = _norms(EVEN)
    threshold = float(np.median(per_epoch)) * 1.0001
    trial = examples.trial(techniques=(Clipping(threshold),), learning_rate=STILL)
    clipped = _train(trial, train_pieces=EVEN)
    for row, norms in zip(clipped.curve[1:], per_epoch, strict=True):
        assert row.gradient_norm == pytest.approx(norms.mean(), rel=1e-6), "norms are those before clipping"
        assert row.clipped_share == pytest.approx((norms > threshold).mean())
    assert 0 < np.mean([row.clipped_share for row in clipped.curve[1:]]) < 1


def test_pieces_come_once_an_epoch_in_an_order_of_its_own():
    per_epoch = _norms(TRAIN, batch=1)
    np.testing.assert_allclose(np.sort(per_epoch, axis=1), np.sort(per_epoch[:1], axis=1).repeat(3, 0), rtol=1e-5)
    assert len({tuple(np.argsort(norms)) for norms in per_epoch}) == 3
