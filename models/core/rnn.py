"""The simple recurrent layer: weights and inputs around the leaky scan.

    h_t = F(h_{t-1}, x_t) = phi(W_rec h_{t-1} + W_in x_t + b),   h_0 learned or zero

Section 2 of arXiv:1212.0901; the learned h_0 is ICML 2012's (arXiv:1206.6392).

Initialisation, which the paper leaves open: W_rec orthogonal, W_in normal with standard deviation
1/sqrt(active inputs), biases and h_0 zero. Orthogonal matrices keep the norm of a state and of a gradient
through many steps of a linear network (Saxe et al., arXiv:1312.6120), and serve all three activations alike.

Shape letters: S stacked trials, T time, B batch, D inputs, H hidden.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding

from models.core.scan import Activation, leaky_scan


@dataclass(frozen=True)
class RNN:
    """A layer of `hidden_size` units over inputs of `width` values, or symbols below `width`."""

    width: int
    hidden_size: int
    activation: Activation

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters of one member."""
        H = self.hidden_size
        return {
            "input_weight": (self.width, H),
            "recurrent_weight": (H, H),
            "bias": (H,),
            "initial_state": (H,),
        }

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, active: float) -> None:
        """Fill the parameters of one member in place.

        Args:
            parameters: tensors of the shapes above, without the S axis.
            generator: where the random numbers come from.
            active: mean number of inputs that are not zero in a step, 1 for symbols.
        """
        for name in ("bias", "initial_state"):
            parameters[name].zero_()
        parameters["input_weight"].normal_(0.0, max(active, 1.0) ** -0.5, generator=generator)
        normal = torch.empty(self.hidden_size, self.hidden_size).normal_(generator=generator)
        q, r = torch.linalg.qr(normal)
        parameters["recurrent_weight"].copy_(q * torch.sign(torch.diagonal(r)))

    def states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBH: Tensor,
        retention_SH: Tensor | None,
    ) -> Tensor:
        """States h_1 ... h_T, shape (S, T, B, H).

        Args:
            parameters: by name, each with the S axis first.
            inputs: values (S, T, B, D), or symbols, integer (S, T, B).
            start_SBH: the state before the first step.
            retention_SH: retention of each unit, None where none leaks.
        """
        pre_STBH = self._project(parameters["input_weight"], parameters["bias"], inputs)
        return leaky_scan(pre_STBH, start_SBH, parameters["recurrent_weight"], retention_SH, self.activation)

    def _project(self, weight_SDH: Tensor, bias_SH: Tensor, inputs: Tensor) -> Tensor:
        S, T, B = inputs.shape[:3]
        H = self.hidden_size
        if inputs.is_floating_point():
            flat = torch.baddbmm(bias_SH.unsqueeze(1), inputs.reshape(S, T * B, -1), weight_SDH)
            return flat.view(S, T, B, H)
        # A one-hot input picks a row. One table for all members, each with its own rows.
        first_row = torch.arange(S, device=inputs.device).view(S, 1, 1) * self.width
        rows_STBH = embedding(inputs + first_row, weight_SDH.reshape(S * self.width, H))
        return rows_STBH + bias_SH[:, None, None, :]
