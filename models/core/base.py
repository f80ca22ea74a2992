"""The interface of a recurrent core, and functions that all cores share: input projection, orthogonal matrices.

Shape letters: S stacked trials, T time, B batch, D inputs, H hidden, G values that a step computes for each lane (the
pre-activations of all gates), K values that are carried from step to step, of which the first H are the state h.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import embedding

from models.core.scan.activation import Activation
from models.core.sparse import serves, sparse_affine
from models.core.unrolled import StepByStep, Unrolled


@dataclass(frozen=True)
class Core(ABC):
    """A layer of `hidden_size` units over inputs of `width` values, or symbols below `width`."""

    name: ClassVar[str]
    gated: ClassVar[bool]
    """Whether the core has gates, with non-linearities of their own."""
    remembers: ClassVar[bool] = True
    """Whether the state depends on earlier steps; otherwise all states are zero, h_0 too."""
    width: int
    hidden_size: int
    activation: Activation
    """Non-linearity of the units; tanh for a gated core."""

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters of one member; `initial_state`, of shape (K,), is one of them."""

    @abstractmethod
    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, active: float) -> None:
        """Fill the parameters of one member in place.

        Args:
            parameters: tensors of the shapes above, without the S axis.
            generator: source of the random numbers.
            active: mean number of non-zero inputs in a step; 1 for symbols.
        """

    @abstractmethod
    def states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """States h_1 ... h_T, shape (S, T, B, H), and the final carried values, (S, B, K), detached from the graph.

        Args:
            parameters: by name, each with the S axis first.
            inputs: values (S, T, B, D), or symbols, integer (S, T, B).
            start_SBK: the values carried into the first step.
            retention_SH: retention of each unit; None if no unit leaks, as in every gated core.
        """

    def padded_states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
        unpadded: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """As `states`, for lanes that may end in padding; the padding must not affect the gradients of a lane.

        If a state overflowed in padding, its zero gradient times infinity would be NaN. A core whose states are
        unbounded must therefore override this method.

        Args:
            parameters, inputs, start_SBK, retention_SH: as for `states`.
            unpadded: True for steps that are not padding, (T, B) or (S, T, B); None if there is no padding.
        """
        return self.states(parameters, inputs, start_SBK, retention_SH)

    @abstractmethod
    def step(
        self, parameters: Mapping[str, Tensor], pre_SBG: Tensor, carried_SBK: Tensor, retention_SH: Tensor | None
    ) -> Tensor:
        """One step in plain torch; returns the carried values after it.

        Unlike `states`, it lets autograd reach every intermediate value, which the diagnostics need.

        Args:
            parameters: by name, each with the S axis first.
            pre_SBG: the projected inputs of the step: `project` with the parameters `input_weight` and `bias`.
            carried_SBK: the carried values before the step.
            retention_SH: as for `states`.
        """

    def unrolled(
        self, parameters: Mapping[str, Tensor], inputs: Tensor, start_SBK: Tensor, retention_SH: Tensor | None
    ) -> Unrolled:
        """The core run over these inputs, with gradients in all carried values; arguments as for `states`."""
        pre_STBG = project(parameters["input_weight"], parameters["bias"], inputs)
        return StepByStep(lambda pre, carried: self.step(parameters, pre, carried, retention_SH), pre_STBG, start_SBK)


def project(weight_SDG: Tensor, bias_SG: Tensor, inputs: Tensor) -> Tensor:
    """W_in x_t + b of every step, shape (S, T, B, G): one matrix product, or a gather for symbols.

    With the native kernel, zero inputs cost nothing (`sparse.py`): a frame has some four notes of 88.

    Args:
        weight_SDG: the input weights of each member.
        bias_SG: added to every step.
        inputs: values (S, T, B, D), or symbols below D, integer (S, T, B).
    """
    S, T, B = inputs.shape[:3]
    D, G = weight_SDG.shape[1:]
    if inputs.is_floating_point():
        if serves(weight_SDG, bias_SG, inputs):
            return sparse_affine(weight_SDG, bias_SG, inputs.reshape(S, T * B, D)).view(S, T, B, G)
        return torch.baddbmm(bias_SG.unsqueeze(1), inputs.reshape(S, T * B, D), weight_SDG).view(S, T, B, G)
    # A one-hot input selects a row. All members share one table, in which each has its own rows.
    first_row = torch.arange(S, device=inputs.device).view(S, 1, 1) * D
    return embedding(inputs + first_row, weight_SDG.reshape(S * D, G)) + bias_SG[:, None, None, :]


def orthogonal(size: int, generator: torch.Generator) -> Tensor:
    """A random orthogonal matrix, uniform in the Haar measure (Saxe et al., arXiv:1312.6120)."""
    q, r = torch.linalg.qr(torch.empty(size, size).normal_(generator=generator))
    uniform: Tensor = q * torch.sign(torch.diagonal(r))
    return uniform


def weight_gradient(d_gates_STBG: Tensor, h0_SBH: Tensor, states_STBH: Tensor) -> Tensor:
    """dW = sum over t and b of d(gates_t) h_{t-1}^T, shape (S, G, H): one product for t > 1, and one for t = 1."""
    S, _, _, G = d_gates_STBG.shape
    later = d_gates_STBG[:, 1:].reshape(S, -1, G).transpose(1, 2)
    first = d_gates_STBG[:, 0].transpose(1, 2)
    return torch.baddbmm(first @ h0_SBH, later, states_STBH[:, :-1].reshape(S, -1, h0_SBH.shape[-1]))
