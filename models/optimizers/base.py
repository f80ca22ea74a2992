"""What an optimizer is: a rule that turns a gradient into new parameters, and what it has to remember for it.

`Method` is what a variant names: one of these rules, or Hessian-free, which wants more than a gradient.

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
    """A way to make a cost small."""

    name: ClassVar[str]
    """As variants write it."""
    own_momentum: ClassVar[bool] = False
    """Whether it has a momentum of its own, so that no technique may bring one."""

    epochs_in_one: ClassVar[int] = 1
    """As many epochs of gradient descent as one of its own takes at most, about: for estimates of time."""

    @classmethod
    def draw_learning_rate(cls, draws: Draws) -> float | None:
        """A learning rate for a search trial; None for one from the interval of the data, that of gradient descent."""
        return None

    @classmethod
    def why_not(cls, core: type[Core], output: type[Output], techniques: tuple[type[Technique], ...]) -> str | None:
        """What it does not go with, and the reason, in one line; None where it goes with all of these."""
        return None


class Optimizer(Method, ABC):
    """Row operations on (S, P): the members of a stack never meet. It keeps nothing; what is to be kept is `state`."""

    @abstractmethod
    def state(self, theta_SP: Tensor) -> dict[str, Tensor]:
        """What it remembers of each member between updates, as before the first; tensors with the S axis first."""

    @abstractmethod
    def step_(
        self, theta_SP: Tensor, gradient_SP: Tensor, state: Mapping[str, Tensor], learning_rate_S1: Tensor
    ) -> None:
        """One step: parameters and state changed in place.

        Args:
            theta_SP: parameters, one member a row.
            gradient_SP: their gradient.
            state: what `state` gave, and the steps before this one have changed.
            learning_rate_S1: eps of each member.
        """
