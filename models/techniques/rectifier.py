"""R: rectifier units, with an L1 penalty on their activations.

Section 3.4 of arXiv:1212.0901: phi(z) = max(0, z), and

    lambda * sum_t sum_i |h_{t,i}|

is added to the cost. As in the cost itself (`Trial.cost`), the sum over t is either kept or divided by the number of
steps.

Shape letters: S stacked trials, N unpadded steps, H hidden.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from models.core.scan.activation import Activation
from models.data_kinds import Kind
from models.randomness import Draws
from models.techniques.base import Number, Technique


def l1_penalty(states_SNH: Tensor, weight: Number) -> Tensor:
    """Weight * sum_i |h_i| of every step, shape (S, N); one weight, or (S, 1)."""
    return weight * states_SNH.abs().sum(-1)


@dataclass(frozen=True)
class Rectifier(Technique):
    """Rectified units, and `l1` times the sum of their absolute states in the cost."""

    letter: ClassVar[str] = "R"
    title: ClassVar[str] = "rectifier and L1 penalty"
    goes_with_gates: ClassVar[bool] = False
    l1: Number

    def __post_init__(self) -> None:
        if not self.l1 >= 0:
            raise ValueError(f"L1 weight: wants a number from 0, got {self.l1}")

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """Lambda log-uniform in [1e-6, 1e-3]."""
        return cls(draws.log_uniform("l1", 1e-6, 1e-3))

    def activation(self, activation: Activation) -> Activation:
        """The rectifier, in place of the trial's activation."""
        return "relu"

    def penalty(self, states_SNH: Tensor) -> Tensor:
        """The L1 term of every step."""
        return l1_penalty(states_SNH, self.l1)
