"""The interface of an optimizer: a rule that turns a gradient into new parameters, and its state between updates.

`Method` is the base of everything that a variant can name: these rules, and Hessian-free, which needs more than a
gradient.

Shape letters: S stacked trials, P parameters of one member in a row.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from models.core import Core
from models.outputs.base import Output
from models.randomness import Draws
from models.techniques.base import Technique


class Method:
    """A method that minimises a cost."""

    name: ClassVar[str]
    """In the names of variants."""
    own_momentum: ClassVar[bool] = False
    """Whether it has a momentum of its own, so that no technique may add one."""

    epochs_in_one: ClassVar[int] = 1
    """Roughly how many epochs of SGD one epoch of this method costs, at most. Used to estimate training time."""

    @classmethod
    def draw_learning_rate(cls, draws: Draws) -> float | None:
        """A learning rate for a search trial; None to draw it from the campaign's range, which is meant for SGD."""
        return None

    @classmethod
    def why_not(cls, core: type[Core], output: type[Output], techniques: tuple[type[Technique], ...]) -> str | None:
        """The part that this method cannot be combined with, and the reason, in one line; None if there is none."""
        return None


class Optimizer(Method, ABC):
    """A rule of row operations on (S, P). The object itself is stateless; `state` gives the tensors to keep."""

    @abstractmethod
    def state(self, theta_SP: Tensor) -> dict[str, Tensor]:
        """The initial state of each member, kept between updates: tensors with the S axis first."""

    @abstractmethod
    def step_(
        self, theta_SP: Tensor, gradient_SP: Tensor, state: Mapping[str, Tensor], learning_rate_S1: Tensor
    ) -> None:
        """One step, which changes parameters and state in place.

        Args:
            theta_SP: parameters, one row for each member.
            gradient_SP: their gradient.
            state: tensors of `state`, updated by the previous steps.
            learning_rate_S1: eps of each member.
        """
