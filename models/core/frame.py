"""A core without memory: the state is zero at every step, so that only the output model's constants predict a frame.

The published tables' NADE and RBM without a recurrent net are `frame/nade/SGD` and `frame/rbm/SGD`. With Bernoulli
notes or a softmax, this core learns the frequency of each note or symbol, which equals the count baseline.

State-dependent biases, such as W_hv h, are zero, and their matrices never change. The state has one unit, the least
that an output model takes. Input weights exist only because every core has them; they are not used.

Shape letters: S stacked trials, T time, B batch, H hidden, G = H, K carried numbers a lane.
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
        """The parameters that every core has: input weights, bias and h_0; all stay zero."""
        H = self.hidden_size
        return {"input_weight": (self.width, H), "bias": (H,), "initial_state": (H,)}

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, active: float) -> None:
        """Zeros; no random number is drawn."""
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
        """Zeros, with zero gradients."""
        return 0.0 * (carried_SBK + pre_SBG)
