"""What comes behind the end of a lane changes nothing: a rectified state that would overflow there least of all."""

import numpy as np
import pytest
import torch
from torch import Tensor

from models.data.chunks import Pieces, chunks
from models.data.frequencies import frequencies
from models.network import Network
from models.techniques import Leaky, Rectifier
from models.training.run import train, train_stack
from models.training.updates.objective import NetworkObjective
from models.trial import Trial
from tests.models import examples

LENGTH = 100
SHORT = np.array([[1, 0, 0, 0, 0]] * 2, np.uint8)
LONG = np.zeros((LENGTH, 5), np.uint8)
PIECES = Pieces.from_arrays([SHORT, LONG])
"""Side by side the short one goes on for 98 steps of silence, in which its states grow 3-fold a step: 3^98 is over the
largest float32."""


def _growing(network: Network) -> Network:
    """A rectified network whose states grow 3-fold a step once a note has sounded, and are 0 before."""
    values = network.parameters.by_name
    for name in ("bias", "initial_state"):
        values[name].detach().zero_()
    values["recurrent_weight"].detach().copy_(3 * torch.eye(network.trial.hidden_size))
    values["input_weight"].detach().abs_()
    return network


def _networks(**changes: object) -> tuple[Network, Network]:
    """One in float32, and the same in float64."""
    single, double = (_network(dtype, **changes) for dtype in (torch.float32, torch.float64))
    double.parameters.theta_SP.copy_(single.parameters.theta_SP)
    return single, double


def _network(dtype: torch.dtype, leaky: bool = False, **changes: object) -> Network:
    techniques = (*([Leaky(0.5, "update-rate")] if leaky else []), Rectifier(0.01))
    trial = examples.trial(techniques=techniques, hidden_size=4, chunk=LENGTH, batch=2, **changes)
    return _growing(Network(trial, frequencies(PIECES, 5).to(dtype), dtype))


def _objective(network: Network, lanes: int) -> NetworkObjective:
    pieces = Pieces(PIECES.data.to(network.parameters.theta_SP.dtype), PIECES.starts)
    return examples.objective(network, chunks(pieces, [0, 1], lanes, LENGTH))


def _gradient(network: Network, lanes: int) -> Tensor:
    """Of the costs of all chunks, as training takes it."""
    total = torch.zeros(network.parameters.theta_SP.shape[1], dtype=network.parameters.theta_SP.dtype)
    for chunk in chunks(PIECES, [0, 1], lanes, LENGTH):
        inputs = chunk.inputs.to(total.dtype)
        states, _ = network.states(inputs, network.start(None, chunk.fresh), unpadded=chunk.unpadded_mask)
        cost = -network.log_likelihood(chunk.scored(states[:, :-1]), chunk.scored(inputs)).sum()
        network.parameters.differentiate(cost + 0.01 * chunk.unpadded(states[:, 1:]).abs().sum())
        total += network.parameters.gradient_SP[0]
    return total


@pytest.mark.parametrize("leaky", [False, True])
def test_the_gradient_is_that_of_the_pieces_one_after_the_other(leaky):
    single, double = _networks(leaky=leaky)
    apart, side_by_side = _gradient(double, 1), _gradient(single, 2)
    assert apart.norm() > 1
    torch.testing.assert_close(side_by_side.double(), apart, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("output", ["bernoulli", "nade"])
@pytest.mark.parametrize("leaky", [False, True])
def test_slope_cost_and_products_are_those_of_the_pieces_one_after_the_other(output, leaky):
    single, double = _networks(leaky=leaky, output=output)
    apart, side_by_side = _objective(double, 1), _objective(single, 2)
    expected, slope = apart.slope(), side_by_side.slope()
    assert slope.cost == pytest.approx(expected.cost, rel=1e-5)
    for ours, theirs in zip(slope[1:], expected[1:], strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-3, atol=1e-4)
    direction = torch.linspace(-1, 1, len(slope.gradient_P), dtype=torch.float64)
    product = apart.product(direction, 0.1)
    assert product.norm() > 0.01
    torch.testing.assert_close(side_by_side.product(direction.float(), 0.1).double(), product, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("optimizer", ["SGD", "HF"])
def test_it_is_no_divergence(optimizer, monkeypatch):
    """Of a trial alone, and of two side by side, whose padding is masked and not left out."""
    made = Network.__init__

    def growing(network: Network, *given: object, **named: object) -> None:
        made(network, *given, **named)
        for s in range(len(network.trials)):
            member = network.parameters.member(s)
            member["recurrent_weight"].copy_(3 * torch.eye(4))
            member["input_weight"].abs_()

    monkeypatch.setattr("models.network.Network.__init__", growing)
    rate = {"SGD": 1e-60, "HF": 1e-3}[optimizer]  # the first moves nothing: a bias over 0 would grow in the long piece
    trials = [_trial(optimizer, rate * factor) for factor in (1, 2)]
    alone = train(trials[0], PIECES, PIECES, 5)
    together = train_stack(trials, PIECES, PIECES, 5)
    for result in (alone, *together.values()):
        assert result.status != "diverged"
        assert result.curve[-1].epoch == 2
        assert np.isfinite(result.curve[-1].gradient_norm)


def _trial(optimizer: str, rate: float) -> Trial:
    settings = {"optimizer": optimizer, "learning_rate": rate, "chunk": LENGTH, "batch": 2, "epochs": 2}
    return examples.trial("R", hidden_size=4, **settings)
