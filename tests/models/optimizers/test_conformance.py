"""What every optimizer promises, whoever wrote it: one suite over the tuple."""

import pytest
import torch

from models.optimizers import Optimizer
from models.randomness import Draws
from models.variants import BY_OPTIMIZER


def test_names_can_stand_in_the_name_of_a_variant():
    assert list(BY_OPTIMIZER)[:3] == ["SGD", "Adam", "HF"]
    assert all("+" not in name and "/" not in name for name in BY_OPTIMIZER)


def _descend(optimizer: Optimizer, theta: torch.Tensor, rates: torch.Tensor, steps: int) -> dict[str, torch.Tensor]:
    """Minimise |theta - target|^2 / 2 of each member."""
    state = optimizer.state(theta)
    for _ in range(steps):
        optimizer.step_(theta, theta - torch.arange(theta.shape[1]).to(theta), state, rates)
    return state


RULES = [method for method in BY_OPTIMIZER.values() if issubclass(method, Optimizer)]
"""All but Hessian-free, which takes steps of its own (test_hessian_free.py)."""


@pytest.mark.parametrize("optimizer", RULES, ids=lambda optimizer: optimizer.name)
class TestEveryOptimizer:
    def test_it_goes_downhill(self, optimizer):
        theta = torch.full((2, 5), 10.0, dtype=torch.float64)
        _descend(optimizer(), theta, torch.full((2, 1), 0.1, dtype=torch.float64), 500)
        torch.testing.assert_close(theta, torch.arange(5.0, dtype=torch.float64).expand(2, 5), rtol=0, atol=0.05)

    def test_members_never_meet(self, optimizer):
        rates = torch.tensor([[0.1], [0.01], [0.3]])
        start = torch.randn(3, 5, generator=torch.Generator().manual_seed(1))
        together = start.clone()
        state = _descend(optimizer(), together, rates, 7)
        for s in range(3):
            alone = start[s : s + 1].clone()
            its = _descend(optimizer(), alone, rates[s : s + 1], 7)
            assert torch.equal(alone, together[s : s + 1])
            assert all(torch.equal(value, state[name][s : s + 1]) for name, value in its.items())

    def test_its_state_is_all_it_remembers(self, optimizer):
        rates, start = torch.full((1, 1), 0.1), torch.ones(1, 5)
        whole, halves = start.clone(), start.clone()
        _descend(optimizer(), whole, rates, 6)
        state = _descend(optimizer(), halves, rates, 3)
        again, copied = optimizer(), {name: value.clone() for name, value in state.items()}
        for _ in range(3):
            again.step_(halves, halves - torch.arange(5.0), copied, rates)
        assert torch.equal(whole, halves)

    def test_the_gradient_is_left_as_it_is_and_a_rate_of_0_moves_nothing(self, optimizer):
        theta, gradient = torch.ones(1, 3), torch.ones(1, 3)
        one = optimizer()
        one.step_(theta, gradient, one.state(theta), torch.zeros(1, 1))
        assert torch.equal(gradient, torch.ones(1, 3))
        assert torch.equal(theta, torch.ones(1, 3))

    def test_draws_repeat(self, optimizer):
        rate = optimizer.draw_learning_rate(Draws(0, "a"))
        assert rate == optimizer.draw_learning_rate(Draws(0, "a"))
        assert rate is None or rate > 0
