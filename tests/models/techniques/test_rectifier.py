"""R: the rectifier, and the L1 term with its gradient."""

import math

import pytest
import torch

from models.randomness import Draws
from models.techniques import Rectifier
from models.techniques.rectifier import l1_penalty
from tests.models import examples


@pytest.mark.parametrize("drawn", ["tanh", "sigmoid", "relu"])
def test_it_replaces_any_activation(drawn):
    assert Rectifier(0.1).activation(drawn) == "relu"
    network = examples.network(examples.trial("R", activation=drawn), examples.pieces("bernoulli", [4]))
    assert network.core.activation == "relu"


def test_value_and_gradient_of_the_l1_term():
    values = [[[0.5, -2.0, 0.0], [1.0, 1.0, 1.0]], [[-0.1, -0.2, 0.3], [4.0, 0.0, -4.0]]]
    states = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    penalty = l1_penalty(states, 0.25)
    expected = [[0.25 * sum(abs(x) for x in unit) for unit in member] for member in values]
    torch.testing.assert_close(penalty, torch.tensor(expected, dtype=torch.float64))
    penalty.sum().backward()
    sign = [[[0.25 * ((x > 0) - (x < 0)) for x in unit] for unit in member] for member in values]
    torch.testing.assert_close(states.grad, torch.tensor(sign, dtype=torch.float64))


def test_the_weight_is_the_techniques():
    states = torch.full((2, 3, 5), -2.0)
    torch.testing.assert_close(Rectifier(0.1).penalty(states), torch.full((2, 3), 1.0))
    assert not Rectifier(0.0).penalty(states).any()


def test_draws_are_log_uniform_over_the_papers_interval():
    logs = [math.log10(Rectifier.draw(Draws(i), "music").l1) for i in range(2000)]
    assert -6 <= min(logs) < -5.98
    assert -3.02 < max(logs) <= -3
    for third in range(3):
        share = sum(-6 + third <= x < -5 + third for x in logs) / 2000
        assert abs(share - 1 / 3) < 0.05


@pytest.mark.parametrize("bad", [-1e-9, math.nan])
def test_a_bad_weight_is_named(bad):
    with pytest.raises(ValueError, match="L1 weight"):
        Rectifier(bad)
