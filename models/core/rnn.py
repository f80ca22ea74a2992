"""The simple recurrent layer: input and recurrent weights around the leaky scan.

    h_t = F(h_{t-1}, x_t) = phi(W_rec h_{t-1} + W_in x_t + b),   h_0 learned or zero

Section 2 of arXiv:1212.0901; the learned h_0 is ICML 2012's (arXiv:1206.6392).

Initialisation, which the paper leaves open: W_rec orthogonal, W_in normal with standard deviation 1/sqrt(active
inputs), biases and h_0 zero. In a linear network, an orthogonal matrix preserves the norms of states and gradients over
many steps (Saxe et al., arXiv:1312.6120). The same initialisation is used for all three activations.

Shape letters: S stacked trials, T time, B batch, D inputs, H hidden, G values that a step computes of each lane, K
carried numbers a lane.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.core.base import Core, orthogonal, project
from models.core.linearised import LinearisedRNN, silenced
from models.core.scan.operation import leaky_scan
from models.core.unrolled import Unrolled


@dataclass(frozen=True)
class RNN(Core):
    """A layer of simple units, which may be leaky; K is H."""

    name: ClassVar[str] = "rnn"
    gated: ClassVar[bool] = False

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Input weights, recurrent matrix, bias and h_0."""
        H = self.hidden_size
        return {
            "input_weight": (self.width, H),
            "recurrent_weight": (H, H),
            "bias": (H,),
            "initial_state": (H,),
        }

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, active: float) -> None:
        """Fill the parameters of one member in place, see above."""
        for name in ("bias", "initial_state"):
            parameters[name].zero_()
        parameters["input_weight"].normal_(0.0, max(active, 1.0) ** -0.5, generator=generator)
        parameters["recurrent_weight"].copy_(orthogonal(self.hidden_size, generator))

    def states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """States of every step by the leaky scan, and the last one."""
        return self.padded_states(parameters, inputs, start_SBK, retention_SH, None)

    def padded_states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
        unpadded: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """As `states`; rectified units, the only unbounded ones, get no input in padding."""
        pre_STBH = project(parameters["input_weight"], parameters["bias"], inputs)
        pre_STBH = silenced(pre_STBH, self.activation, unpadded)
        states_STBH = leaky_scan(pre_STBH, start_SBK, parameters["recurrent_weight"], retention_SH, self.activation)
        return states_STBH, states_STBH[:, -1].detach()

    def linearised(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
        unpadded: Tensor | None = None,
    ) -> LinearisedRNN:
        """The layer linearised here, for Jacobian products; arguments as for `padded_states`."""
        return LinearisedRNN(parameters, inputs, start_SBK, retention_SH, self.activation, unpadded)

    def unrolled(
        self, parameters: Mapping[str, Tensor], inputs: Tensor, start_SBK: Tensor, retention_SH: Tensor | None
    ) -> Unrolled:
        """By the scan, which is faster; without any step, by the general method."""
        if not inputs.shape[1]:
            return super().unrolled(parameters, inputs, start_SBK, retention_SH)
        return self.linearised(parameters, inputs, start_SBK, retention_SH)

    def step(
        self, parameters: Mapping[str, Tensor], pre_SBG: Tensor, carried_SBK: Tensor, retention_SH: Tensor | None
    ) -> Tensor:
        """a h + (1 - a) phi(pre + W h)."""
        apply = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}[self.activation]
        phi_SBH = apply(torch.baddbmm(pre_SBG, carried_SBK, parameters["recurrent_weight"].transpose(1, 2)))
        return phi_SBH if retention_SH is None else torch.lerp(phi_SBH, carried_SBK, retention_SH.unsqueeze(1))
