"""M: Nesterov momentum, simplified.

Section 3.5 of arXiv:1212.0901, with g the gradient at the current, already looked-ahead parameters Theta:

    Theta <- Theta + mu_t mu_{t-1} v_{t-1} - (1 + mu_t) eps_{t-1} g
    v_t    = mu_{t-1} v_{t-1} - eps_{t-1} g

The update of Theta uses the OLD velocity. In exact arithmetic this equals the two-step form of Sutskever et al. (ICML
2013), also for varying mu and eps: their parameters are theta_t = Theta_t - mu_t v_t, and Theta_t is the point at which
they take the gradient.

Shape letters: S stacked trials, P parameters in a row.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from models.data_kinds import Kind
from models.randomness import Draws
from models.techniques.base import Number, Technique


def nesterov_step_(
    theta: Tensor,
    velocity: Tensor,
    gradient: Tensor,
    mu: Number,
    mu_before: Number,
    learning_rate: Number,
) -> None:
    """One step of both lines above, in place.

    Args:
        theta: Theta, the looked-ahead parameters, any shape; for a stack (S, P), with numbers (S, 1) below.
        velocity: v_{t-1} coming in, v_t going out.
        gradient: g, at Theta.
        mu: mu_t, the momentum of the step that comes next.
        mu_before: mu_{t-1}, the momentum of this step.
        learning_rate: eps_{t-1}, the learning rate of this step.
    """
    _add_(theta, velocity, mu * mu_before)
    _add_(theta, gradient, -(1 + mu) * learning_rate)
    _add_(velocity.mul_(mu_before), gradient, -learning_rate)


def _add_(to: Tensor, what: Tensor, times: Number) -> None:
    """Add a multiple in one pass through memory."""
    if isinstance(times, Tensor):
        to.addcmul_(what, times)
    else:
        to.add_(what, alpha=times)


@dataclass(frozen=True)
class Nesterov(Technique):
    """Simplified Nesterov momentum at a constant `momentum`; the learning rate may vary."""

    letter: ClassVar[str] = "M"
    title: ClassVar[str] = "Nesterov momentum"
    momentum: Number

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum: wants a number in [0, 1), got {self.momentum}")

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """Mu in [1e-3, 0.95], log-uniform in 1 - mu, so that 0.9 to 0.95 is more than one draw in twenty."""
        return cls(draws.reverse_log_uniform("momentum", 1e-3, 0.95))

    def step_(self, theta_SP: Tensor, gradient_SP: Tensor, velocity_SP: Tensor, learning_rate_S1: Tensor) -> bool:
        """Update by the two lines of the paper."""
        nesterov_step_(theta_SP, velocity_SP, gradient_SP, self.momentum, self.momentum, learning_rate_S1)
        return True
