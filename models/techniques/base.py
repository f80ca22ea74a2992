"""The interface of a technique: its hyper-parameters, and the hooks by which it acts on training.

A technique is a frozen dataclass of hyper-parameters with a letter. It overrides the hooks it needs; the others do
nothing. Training calls every hook of every technique of a trial, in the order C, L, R, M, P, Z.

The hooks of every update, `penalty`, `transform_` and `step_`, act on all members of a stack in one call. Inside them,
a floating-point hyper-parameter is a column (S, 1); for a single trial it is (1, 1). Its type is `Number`. These hooks
compute on tensors with a row for each member. They must never read a tensor's value, since that would wait for the GPU.

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
"""Phases of pre-training, in their order: the output model on single frames; the recurrent net."""

Number = float | Tensor
"""A hyper-parameter used in every update: a float in a trial; inside the hooks a column with a row for each member."""


@dataclass(frozen=True)
class Technique:
    """Base of every technique: one letter, one title, hooks that do nothing."""

    letter: ClassVar[str]
    title: ClassVar[str]
    goes_with_gates: ClassVar[bool] = True
    """Whether it can be combined with a gated core, which has non-linearities of its own (`Core.gated`)."""

    def __init_subclass__(cls) -> None:
        if "gated" in vars(cls):  # otherwise it would silently do nothing there
            raise TypeError(f"{cls.__name__}: what was `gated` of a technique is `goes_with_gates` now")

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """Hyper-parameters drawn from the paper's intervals for that kind of data."""
        raise TypeError(f"{cls.__name__} says no interval to draw from")

    @classmethod
    def why_not(cls, core: type[Core], output: type[Output]) -> str | None:
        """The part that it cannot be combined with, and the reason, in one line; None if there is none."""
        return None

    def pretraining(self) -> dict[Phase, int]:
        """Most epochs of each pre-training phase; by default there is no phase."""
        return {}

    def stream(self, seed: int) -> int:
        """The seed for the trial's random streams; by default the given seed."""
        return seed

    def activation(self, activation: Activation) -> Activation:
        """The non-linearity of the network; by default the given one."""
        return activation

    def retention(self, hidden_size: int, generator: torch.Generator) -> Tensor | None:
        """Retention of each unit, shape (H,), in [0, 1); None if this technique does not set it."""
        return None

    def penalty(self, states_SNH: Tensor) -> Tensor | None:
        """An additional cost of each unpadded step, shape (S, N), computed from its state; None for no cost."""
        return None

    def transform_(self, gradient_SP: Tensor, norm_S1: Tensor) -> None:
        """Change the gradient in place; `norm_S1` is its Euclidean norm."""

    def step_(self, theta_SP: Tensor, gradient_SP: Tensor, velocity_SP: Tensor, learning_rate_S1: Tensor) -> bool:
        """Update parameters and velocity in place and return True; or return False to leave it to the optimizer."""
        return False
