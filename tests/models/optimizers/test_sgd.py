"""Gradient descent: one step against its formula."""

import torch

from models.optimizers import SGD


def test_one_step_in_place():
    theta = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    gradient = torch.tensor([[0.5, -1.0], [0.0, 10.0]], dtype=torch.float64)
    rates, same = torch.tensor([[0.1], [0.2]], dtype=torch.float64), theta
    assert SGD().state(theta) == {}
    SGD().step_(theta, gradient, {}, rates)
    torch.testing.assert_close(same, torch.tensor([[0.95, 2.1], [3.0, 2.0]], dtype=torch.float64))
    assert gradient.tolist() == [[0.5, -1.0], [0.0, 10.0]]
