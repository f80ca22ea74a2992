"""Divergence is a result: its status, the number of its update, and what was best before it."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.evaluation.metrics import score
from models.network import Network
from models.techniques import Technique
from models.training.run import Training, train
from models.trial import Trial
from models.variants import all_subsets
from tests.models import examples

TRAIN = Pieces.from_arrays(examples.music([8, 8, 8, 8, 8, 8], seed=1))
VALID = Pieces.from_arrays(examples.music([8, 5], seed=2))
TEXT = Pieces.from_arrays(examples.text([8, 8, 8, 8], seed=1))
UPDATES = 4
"""An epoch of TRAIN: six pieces on three lanes, each in two chunks of four."""


def _sound(trial: Trial, result: Training, training: Pieces = TRAIN, valid: Pieces = VALID) -> None:
    """What must hold of any training that diverged."""
    assert result.status == "diverged"
    assert result.updates == result.diverged_at
    assert all(value.isfinite().all() for value in result.weights.values())
    assert all(math.isfinite(row.valid) for row in result.curve)
    assert all(math.isfinite(row.train) for row in result.curve[1:] if not trial.output_type.estimated)
    assert result.best.valid == max(row.valid for row in result.curve)
    network = Network(trial, frequencies(training, 5).float())
    network.load(result.weights)
    assert score(network, valid).mean_log_likelihood == result.best.valid


@pytest.mark.parametrize("letters", all_subsets("CLRM"))
@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_a_huge_learning_rate_diverges_at_the_second_update(output, letters):
    splits = (TRAIN, VALID) if output == "bernoulli" else (TEXT, TEXT)
    trial = examples.trial(letters, output=output, learning_rate=1e8)
    result = train(trial, *splits, 5)
    _sound(trial, result, *splits)
    assert result.diverged_at == 2, "the first update still saw the weights of the start"
    assert len(result.curve) == 1
    assert result.best is result.curve[0]
    start = Network(trial, frequencies(splits[0], 5).float()).parameters.member(0)
    assert all(torch.equal(start[name], result.weights[name]) for name in start)


@pytest.mark.parametrize("chain", ["data", "persistent"])
def test_a_cost_that_is_no_likelihood_diverges_as_well(chain):
    # Free energies differ by little while all is well, and by as much as the weights are large when it is not.
    settings = examples.RBM_SETTINGS[chain]
    trial = examples.trial(output="rbm", output_settings=settings, learning_rate=1e8)
    result = train(trial, TRAIN, VALID, 5)
    _sound(trial, result)
    assert result.diverged_at == 2


@dataclass(frozen=True)
class _Bomb(Technique):
    """Lets training be, until update `at`: then the gradient or the parameters are spoilt."""

    letter: ClassVar[str] = "C"
    title: ClassVar[str] = "bomb"
    calls: ClassVar[list[str]] = []
    at: int
    what: str

    def penalty(self, states_SNH):
        self.calls.append("penalty")
        due = self.what == "gradient" and len(self.calls) == self.at
        return states_SNH.sum(-1) * math.nan if due else None

    def step_(self, theta_SP, gradient_SP, velocity_SP, learning_rate_S1):
        if self.what != "gradient" and len(self.calls) == self.at:
            theta_SP[:, -1] = {"nan": math.nan, "infinite": math.inf, "huge": 1e4}[self.what]
        return False


@pytest.mark.parametrize("what", ["gradient", "nan", "infinite", "huge"])
@pytest.mark.parametrize("at", [1, 2, UPDATES, UPDATES + 1, 2 * UPDATES, 2 * UPDATES + 1])
def test_the_update_is_named(what, at):
    _Bomb.calls.clear()
    trial = examples.trial(techniques=(_Bomb(at, what),), learning_rate=0.01)
    result = train(trial, TRAIN, VALID, 5)
    _sound(trial, result)
    # A bad gradient shows at once. Bad parameters show in the next cost, or in the validation before it,
    # which a cost that is only huge passes: it is a bad score then, and not the best.
    ends_epoch = at % UPDATES == 0
    expected = at if what == "gradient" or (ends_epoch and what != "huge") else at + 1
    assert result.diverged_at == expected
    full_epochs = (at - (what == "gradient")) // UPDATES if what in ("gradient", "huge") else (at - 1) // UPDATES
    assert len(result.curve) == 1 + full_epochs
    assert result.best.epoch == (at - 1) // UPDATES


@dataclass(frozen=True)
class _Bias(Technique):
    """After the first update every weight is 0 and every output bias `bias`: the cost of silence is then known."""

    letter: ClassVar[str] = "C"
    title: ClassVar[str] = "bias"
    bias: float

    def step_(self, theta_SP, gradient_SP, velocity_SP, learning_rate_S1):
        theta_SP.zero_()
        theta_SP[:, -5:] = self.bias
        return True


@pytest.mark.parametrize(("factor", "diverges"), [(9.9, False), (10.1, True)])
def test_the_limit_is_ten_times_the_cost_of_uniform_guessing(factor, diverges):
    silence = Pieces.from_arrays([np.zeros((8, 5), np.uint8)])
    bias = math.log(math.exp(factor * math.log(2)) - 1)
    trial = examples.trial(techniques=(_Bias(bias),), epochs=2)
    result = train(trial, silence, silence, 5)
    assert result.status == ("diverged" if diverges else "untrained"), "it knew of silence as it started"
    assert result.diverged_at == (2 if diverges else None)


def test_the_limit_of_text_is_in_its_own_uniform_guessing():
    text = Pieces.from_arrays([np.zeros(8, np.int32)])
    for factor, diverges in ((9.0, False), (11.0, True)):
        trial = examples.trial(output="softmax", techniques=(_FirstSymbol(factor * math.log(5)),), epochs=2)
        assert (train(trial, text, text, 5).status == "diverged") == diverges


@pytest.mark.parametrize(("bias", "diverges"), [(6.5, False), (7.5, True)])
def test_the_limit_of_a_cost_that_is_no_likelihood_is_the_same(bias, diverges):
    """Every note wants to sound and none does: F(v) - F(v_k) is 5 times the bias, and the limit 5 times 6.93."""
    silence = Pieces.from_arrays([np.zeros((8, 5), np.uint8)])
    settings = examples.RBM_SETTINGS["data"]
    trial = examples.trial(output="rbm", output_settings=settings, techniques=(_NotesBias(bias),), epochs=2)
    result = train(trial, silence, silence, 5)
    assert (result.status, result.diverged_at) == (("diverged", 2) if diverges else ("untrained", None))


@dataclass(frozen=True)
class _NotesBias(Technique):
    """After the first update every weight is 0 and every note's bias `bias`; units and couplings come behind them."""

    letter: ClassVar[str] = "C"
    title: ClassVar[str] = "notes' bias"
    bias: float

    def step_(self, theta_SP, gradient_SP, velocity_SP, learning_rate):
        theta_SP.zero_()
        behind = 7 * 6 + 6 + 6 * 5
        theta_SP[:, -5 - behind : -behind] = self.bias
        return True


@dataclass(frozen=True)
class _FirstSymbol(Technique):
    """After the first update the first symbol costs about `cost` nats."""

    letter: ClassVar[str] = "C"
    title: ClassVar[str] = "first symbol"
    cost: float

    def step_(self, theta_SP, gradient_SP, velocity_SP, learning_rate_S1):
        theta_SP.zero_()
        theta_SP[:, -4:] = self.cost - math.log(4)
        return True
