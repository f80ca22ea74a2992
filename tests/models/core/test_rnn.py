"""The recurrent layer: inputs, weights and their initial values."""

import pytest
import torch

from models.core import RNN
from models.core.scan.activation import ACTIVATIONS
from models.parameters import Parameters
from tests.models import naive


def _layer(members: int = 1, width: int = 4, hidden: int = 6, activation: str = "tanh") -> tuple[RNN, Parameters]:
    layer = RNN(width, hidden, activation)
    parameters = Parameters(members, layer.shapes(), torch.float64)
    parameters.theta_SP.normal_(0, 0.6, generator=torch.Generator().manual_seed(0))
    return layer, parameters


def _start(parameters: Parameters, lanes: int) -> torch.Tensor:
    return parameters.by_name["initial_state"].unsqueeze(1).expand(-1, lanes, -1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_states_equal_a_loop_over_single_vectors(activation):
    layer, parameters = _layer(2, activation=activation)
    inputs = torch.rand(2, 5, 3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    states, _ = layer.states(parameters.by_name, inputs, _start(parameters, 3), None)
    for s in range(2):
        for b in range(3):
            path = naive.states(parameters.member(s), inputs[s, :, b], activation)
            torch.testing.assert_close(states[s, :, b].detach(), torch.stack(path[1:]), rtol=1e-12, atol=1e-12)


def test_symbols_equal_one_hot_inputs_in_values_and_gradients():
    symbols = torch.randint(0, 4, (2, 5, 3), generator=torch.Generator().manual_seed(2))
    results = []
    for inputs in (symbols, torch.nn.functional.one_hot(symbols, 4).double()):
        layer, parameters = _layer(2)
        states, _ = layer.states(parameters.by_name, inputs, _start(parameters, 3), None)
        parameters.differentiate(states.sin().sum())
        results.append((states.detach(), parameters.gradient_SP))
    torch.testing.assert_close(results[0], results[1], rtol=1e-12, atol=1e-12)
    assert (results[0][1] != 0).sum() > 100


def test_initial_values():
    width, hidden = 50, 64
    layer = RNN(width, hidden, "tanh")
    parameters = Parameters(1, layer.shapes())
    parameters.theta_SP.fill_(7.0)
    member = parameters.member(0)
    layer.initialise(member, torch.Generator().manual_seed(0), 16.0)
    W = member["recurrent_weight"].double()
    torch.testing.assert_close(W @ W.T, torch.eye(hidden, dtype=torch.float64), rtol=0, atol=1e-5)
    assert not torch.allclose(W, W.diag().diag(), atol=0.1)
    assert abs(member["input_weight"].std().item() - 0.25) < 0.02
    assert abs(member["input_weight"].mean().item()) < 0.02
    assert not member["bias"].any()
    assert not member["initial_state"].any()


def test_initial_values_come_from_the_generator_alone():
    first, second, third = (Parameters(1, RNN(3, 5, "tanh").shapes()) for _ in range(3))
    for parameters, seed in ((first, 4), (second, 4), (third, 5)):
        RNN(3, 5, "tanh").initialise(parameters.member(0), torch.Generator().manual_seed(seed), 1.0)
    assert torch.equal(first.theta_SP, second.theta_SP)
    assert not torch.equal(first.theta_SP, third.theta_SP)
