"""Adam: steps of about eps in every parameter, along the mean gradient divided by its root mean square.

    m <- b1 m + (1 - b1) g,    v <- b2 v + (1 - b2) g^2
    theta <- theta - eps (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + 1e-8),    b1 = 0.9, b2 = 0.999

Kingma & Ba 2015 (arXiv:1412.6980), with the constants given there. Adam is not one of the paper's techniques. It is
here as a modern baseline to compare them with. A test compares it with `torch.optim.Adam`.

Shape letters: S stacked trials, P parameters in a row.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from models.optimizers.base import Optimizer
from models.randomness import Draws

_FIRST, _SECOND, _SMALL = 0.9, 0.999, 1e-8


class Adam(Optimizer):
    """Adaptive moments, with a momentum of its own."""

    name: ClassVar[str] = "Adam"
    own_momentum: ClassVar[bool] = True

    @classmethod
    def draw_learning_rate(cls, draws: Draws) -> float:
        """Log-uniform in [1e-4, 1e-2], around the authors' 1e-3: eps is the size of a step in each parameter."""
        return draws.log_uniform("learning_rate", 1e-4, 1e-2)

    def state(self, theta_SP: Tensor) -> dict[str, Tensor]:
        """Both moments, and the number of steps t of each member."""
        first, second = torch.zeros_like(theta_SP), torch.zeros_like(theta_SP)
        return {"first": first, "second": second, "steps": torch.zeros_like(theta_SP[:, :1])}

    def step_(
        self, theta_SP: Tensor, gradient_SP: Tensor, state: Mapping[str, Tensor], learning_rate_S1: Tensor
    ) -> None:
        """The formula above."""
        first_SP, second_SP, steps_S1 = state["first"], state["second"], state["steps"]
        steps_S1 += 1
        first_SP.lerp_(gradient_SP, 1 - _FIRST)
        second_SP.mul_(_SECOND).addcmul_(gradient_SP, gradient_SP, value=1 - _SECOND)
        root_SP = (second_SP / (1 - _SECOND**steps_S1)).sqrt_().add_(_SMALL)
        theta_SP.sub_(first_SP * (learning_rate_S1 / (1 - _FIRST**steps_S1)) / root_SP)
