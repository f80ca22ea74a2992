"""Stochastic gradient descent: theta <- theta - eps g.

Shape letters: S stacked trials, P parameters in a row.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from models.optimizers.base import Optimizer


class SGD(Optimizer):
    """The plain rule, without any state."""

    name: ClassVar[str] = "SGD"

    def state(self, theta_SP: Tensor) -> dict[str, Tensor]:
        """An empty state."""
        return {}

    def step_(
        self, theta_SP: Tensor, gradient_SP: Tensor, state: Mapping[str, Tensor], learning_rate_S1: Tensor
    ) -> None:
        """Subtract eps times the gradient."""
        theta_SP.addcmul_(gradient_SP, learning_rate_S1, value=-1)
