"""What a technique is: a few numbers and the places of training where they act.

A technique is a frozen dataclass of hyper-parameters with a letter. It overrides the hooks it needs and inherits
the others, which do nothing. Training calls every hook of every technique of a trial, in the order C, L, R, M, P, Z.

The hooks that act in every update, `penalty`, `transform_` and `step_`, serve all members of a stack in one call: a
floating-point hyper-parameter of theirs is a `Number`, in these hooks a column (S, 1), of a trial alone (1, 1). So they
compute with tensors, a row a member, and never ask one for its value, for which a GPU would have to be waited for.

Shape letters: S stacked trials, N unpadded steps of a chunk, H hidden, P parameters of one member in a row.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from models.core.base import Core
from models.core.scan.activation import Activation
from models.data_kinds import Kind
from models.outputs.base import Output
from models.randomness import Draws

Phase = Literal["frame", "recurrent"]
PHASES: tuple[Phase, ...] = ("frame", "recurrent")
"""What may be trained before the whole, in that order: the output model on single frames; the recurrent net."""

Number = float | Tensor
"""What a hook that acts in every update computes with: of a trial a float, and in the hook a column, a row a member."""


@dataclass(frozen=True)
class Technique:
    """Base of every technique: one letter, one title, hooks that do nothing."""

    letter: ClassVar[str]
    title: ClassVar[str]
    goes_with_gates: ClassVar[bool] = True
    """Whether it applies to a core with gates, whose non-linearities are its own (`Core.gated`)."""

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """Hyper-parameters drawn from the paper's intervals for that kind of data."""
        raise TypeError(f"{cls.__name__} says no interval to draw from")

    @classmethod
    def why_not(cls, core: type[Core], output: type[Output]) -> str | None:
        """Which of these it does not go with, and the reason, in one line; None where it goes with both."""
        return None

    def pretraining(self) -> dict[Phase, int]:
        """Epochs of each phase that comes before the training of the whole; none."""
        return {}

    def stream(self, seed: int) -> int:
        """The seed that the trial's random streams come from, in place of the one given."""
        return seed

    def activation(self, activation: Activation) -> Activation:
        """The non-linearity to use in place of the one given."""
        return activation

    def retention(self, hidden_size: int, generator: torch.Generator) -> Tensor | None:
        """Retention a of each unit, shape (H,) in [0, 1), or None for no say in it."""
        return None

    def penalty(self, states_SNH: Tensor) -> Tensor | None:
        """A cost of each unpadded step, shape (S, N), from its state, or None."""
        return None

    def transform_(self, gradient_SP: Tensor, norm_S1: Tensor) -> None:
        """Change the gradient in place; `norm_S1` is its Euclidean norm."""

    def step_(self, theta_SP: Tensor, gradient_SP: Tensor, velocity_SP: Tensor, learning_rate_S1: Tensor) -> bool:
        """Update parameters and velocity in place and say True, or leave the update to the optimizer."""
        return False
