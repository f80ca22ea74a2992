"""Adam: many steps against torch's, for members with rates of their own, and against its formula by hand."""

import math

import pytest
import torch

from models.optimizers import Adam
from models.randomness import Draws


def test_it_equals_the_optimizer_of_torch():
    random = torch.Generator().manual_seed(0)
    rates = [0.1, 0.003, 0.02]
    theta = torch.randn(3, 7, generator=random, dtype=torch.float64)
    theirs = [row.clone().requires_grad_() for row in theta]
    others = [torch.optim.Adam([row], lr=rate) for row, rate in zip(theirs, rates, strict=True)]
    state = Adam().state(theta)
    for step in range(30):
        gradient = torch.randn(3, 7, generator=random, dtype=torch.float64) * 10 ** (step % 5 - 2)
        Adam().step_(theta, gradient, state, torch.tensor(rates, dtype=torch.float64).unsqueeze(1))
        for row, part, other in zip(theirs, gradient, others, strict=True):
            row.grad = part.clone()
            other.step()
        torch.testing.assert_close(theta, torch.stack([row.detach() for row in theirs]), rtol=1e-12, atol=1e-14)


def test_the_first_two_steps_by_hand():
    theta = torch.zeros(1, 1, dtype=torch.float64)
    state, rate = Adam().state(theta), torch.tensor([[0.5]], dtype=torch.float64)
    Adam().step_(theta, torch.tensor([[4.0]], dtype=torch.float64), state, rate)
    assert theta.item() == pytest.approx(-0.5 * 4 / (4 + 1e-8), rel=1e-12)
    Adam().step_(theta, torch.tensor([[-2.0]], dtype=torch.float64), state, rate)
    mean = (0.9 * 0.1 * 4 - 0.1 * 2) / (1 - 0.9**2)
    root = math.sqrt((0.999 * 0.001 * 16 + 0.001 * 4) / (1 - 0.999**2))
    assert theta.item() == pytest.approx(-0.5 * 4 / (4 + 1e-8) - 0.5 * mean / (root + 1e-8), rel=1e-12)
    assert state["steps"].item() == 2


def test_a_step_is_no_longer_than_the_learning_rate_whatever_the_gradient():
    for size in (1e-6, 1.0, 1e6):
        theta = torch.zeros(1, 1)
        Adam().step_(theta, torch.full((1, 1), size), Adam().state(theta), torch.full((1, 1), 0.01))
        assert theta.item() == pytest.approx(-0.01, rel=0.02)


def test_draws_are_log_uniform_around_what_its_authors_recommend():
    logs = sorted(math.log10(Adam.draw_learning_rate(Draws(i))) for i in range(2000))
    assert -4 <= logs[0] < -3.98
    assert -2.02 < logs[-1] <= -2
    assert abs(logs[1000] + 3) < 0.06
