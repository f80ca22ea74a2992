"""No memory: the state is zero at every step, so that a frame is predicted by its output model's constants alone.

NADE and the RBM of the published tables, each without a recurrent net, are `frame/nade/SGD` and `frame/rbm/SGD`. With
Bernoulli notes or a softmax it learns how often each comes, which is the count baseline by another way.

The biases that follow the state, W_hv h and its like, are zero, and their matrices never move. A state of one unit is
what an output model wants at least; the weights of the inputs are there for who asks a core for them, and are not used.

Shape letters: S stacked trials, T time, B batch, H hidden, G = H.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.core.base import Core


@dataclass(frozen=True)
class Frame(Core):
    """States that are zero; K is H."""

    name: ClassVar[str] = "frame"
    gated: ClassVar[bool] = False
    remembers: ClassVar[bool] = False

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What every core has: input weights, bias and h_0; all stay zero."""
        H = self.hidden_size
        return {"input_weight": (self.width, H), "bias": (H,), "initial_state": (H,)}

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, active: float) -> None:
        """Zeros; no random number is taken."""
        for parameter in parameters.values():
            parameter.zero_()

    def states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Zeros."""
        S, B, K = start_SBK.shape
        return start_SBK.new_zeros(S, inputs.shape[1], B, K), start_SBK.new_zeros(S, B, K)

    def step(
        self, parameters: Mapping[str, Tensor], pre_SBG: Tensor, carried_SBK: Tensor, retention_SH: Tensor | None
    ) -> Tensor:
        """Zeros, whose gradients are zeros."""
        return 0.0 * (carried_SBK + pre_SBG)
