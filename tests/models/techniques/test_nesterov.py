"""M: the simplified form against Sutskever's two steps, on a quadratic, with mu and eps that vary."""

import pytest
import torch
from torch import Tensor

from models.randomness import Draws
from models.techniques import Nesterov
from models.techniques.nesterov import nesterov_step_

MU = [0.0, 0.5, 0.9, 0.3, 0.99, 0.7, 0.95, 0.1, 0.9, 0.6, 0.8]
EPS = [0.1, 0.02, 0.3, 0.05, 0.1, 0.001, 0.2, 0.15, 0.04, 0.3]


class _Quadratic:
    """f(x) = x'Ax/2 - b'x, whose gradient is Ax - b."""

    def __init__(self) -> None:
        random = torch.Generator().manual_seed(0)
        root = torch.randn(4, 4, generator=random, dtype=torch.float64)
        self.A, self.b = root @ root.T / 4, torch.randn(4, generator=random, dtype=torch.float64)
        self.start, self.velocity = torch.randn(2, 4, generator=random, dtype=torch.float64)

    def gradient(self, x: Tensor) -> Tensor:
        return self.A @ x - self.b


def _two_steps(f: _Quadratic, mu: list[float]) -> list[tuple[Tensor, Tensor]]:
    """Sutskever's theta and v; returned as (theta_t + mu_t v_t, v_t), where the next gradient is taken."""
    theta, v, path = f.start, f.velocity, []
    for t, eps in enumerate(EPS, start=1):
        v = mu[t - 1] * v - eps * f.gradient(theta + mu[t - 1] * v)
        theta = theta + v
        path.append((theta + mu[t] * v, v))
    return path


def _simplified(f: _Quadratic, mu: list[float]) -> list[tuple[Tensor, Tensor]]:
    looked_ahead, v, path = f.start + mu[0] * f.velocity, f.velocity.clone(), []
    for t, eps in enumerate(EPS, start=1):
        nesterov_step_(looked_ahead, v, f.gradient(looked_ahead), mu[t], mu[t - 1], eps)
        path.append((looked_ahead.clone(), v.clone()))
    return path


def _widely_copied(f: _Quadratic, mu: list[float]) -> list[tuple[Tensor, Tensor]]:
    """The wrong one: the new velocity where the old one belongs."""
    looked_ahead, v, path = f.start + mu[0] * f.velocity, f.velocity, []
    for t, eps in enumerate(EPS, start=1):
        gradient = f.gradient(looked_ahead)
        v = mu[t - 1] * v - eps * gradient
        looked_ahead = looked_ahead + mu[t] * mu[t - 1] * v - (1 + mu[t]) * eps * gradient
        path.append((looked_ahead, v))
    return path


@pytest.mark.parametrize("mu", [MU, [0.9] * len(MU), [0.0] * len(MU)], ids=["varying", "constant", "none"])
def test_it_equals_the_two_step_form(mu):
    f = _Quadratic()
    for ours, theirs in zip(_simplified(f, mu), _two_steps(f, mu), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-13)


def test_it_differs_from_the_widely_copied_form():
    f = _Quadratic()
    ours, wrong = _simplified(f, MU), _widely_copied(f, MU)
    assert (ours[-1][0] - wrong[-1][0]).abs().max() > 1e-2


def test_without_momentum_it_is_gradient_descent():
    f = _Quadratic()
    x = f.start
    for (ours, _), eps in zip(_simplified(f, [0.0] * len(MU)), EPS, strict=True):
        x = x - eps * f.gradient(x)
        torch.testing.assert_close(ours, x)


def test_the_technique_steps_with_its_momentum_and_says_so():
    f = _Quadratic()
    theta, velocity = f.start[None].clone(), f.velocity[None].clone()
    x, v = f.start - 0.8 * f.velocity, f.velocity
    for eps in EPS:
        assert Nesterov(0.8).step_(theta, f.gradient(theta[0])[None], velocity, eps) is True
        v = 0.8 * v - eps * f.gradient(x + 0.8 * v)
        x = x + v
        torch.testing.assert_close(theta[0], x + 0.8 * v, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(velocity[0], v, rtol=1e-12, atol=1e-13)


def test_the_gradient_is_left_as_it_is():
    gradient = torch.ones(1, 3)
    Nesterov(0.5).step_(torch.zeros(1, 3), gradient, torch.ones(1, 3), 0.1)
    assert torch.equal(gradient, torch.ones(1, 3))


def test_draws_lie_in_the_papers_interval_and_favour_neither_end():
    drawn = sorted(Nesterov.draw(Draws(i), "music").momentum for i in range(2000))
    assert 1e-3 - 1e-9 <= drawn[0] < 0.01
    assert 0.945 < drawn[-1] <= 0.95 + 1e-9
    # 1 - mu is log-uniform: half of the draws lie over 1 - sqrt(0.05 * 0.999).
    assert abs(drawn[1000] - (1 - (0.05 * 0.999) ** 0.5)) < 0.03


@pytest.mark.parametrize("bad", [-0.1, 1.0, float("nan")])
def test_a_bad_momentum_is_named(bad):
    with pytest.raises(ValueError, match="momentum"):
        Nesterov(bad)
