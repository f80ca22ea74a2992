"""What a recurrent core is, and what all of them do alike: project the inputs, draw an orthogonal matrix.

Shape letters: S stacked trials, T time, B batch, D inputs, H hidden, G values that a step computes of each lane,
K values that are carried on, of which the first H are the state h.
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
    """Whether gates with non-linearities of their own decide what a unit keeps."""
    remembers: ClassVar[bool] = True
    """Whether a state follows from what came before; else all are zero, h_0 as well."""
    width: int
    hidden_size: int
    activation: Activation
    """Of the units; a gated core has tanh."""

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters of one member; `initial_state`, of shape (K,), is one of them."""

    @abstractmethod
    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, active: float) -> None:
        """Fill the parameters of one member in place.

        Args:
            parameters: tensors of the shapes above, without the S axis.
            generator: where the random numbers come from.
            active: mean number of inputs that are not zero in a step, 1 for symbols.
        """

    @abstractmethod
    def states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """States h_1 ... h_T, shape (S, T, B, H), and what to carry on, (S, B, K), outside the graph.

        Args:
            parameters: by name, each with the S axis first.
            inputs: values (S, T, B, D), or symbols, integer (S, T, B).
            start_SBK: what was carried on before the first step.
            retention_SH: retention of each unit, None where none leaks, as in every gated core.
        """

    def padded_states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
        unpadded: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """As `states`, of lanes that end before the last step: what comes behind its end changes nothing of a lane.

        A state that overflows there would, though nothing is paid for it: its gradient, 0, times infinity is NaN. A
        core whose states may grow without bound has to keep them from it.

        Args:
            parameters, inputs, start_SBK, retention_SH: as for `states`.
            unpadded: True for steps that are no padding, (T, B) or (S, T, B); None where all are.
        """
        return self.states(parameters, inputs, start_SBK, retention_SH)

    @abstractmethod
    def step(
        self, parameters: Mapping[str, Tensor], pre_SBG: Tensor, carried_SBK: Tensor, retention_SH: Tensor | None
    ) -> Tensor:
        """What is carried on after one step, in plain torch: every number of it has a gradient, as in no scan.

        Args:
            parameters: by name, each with the S axis first.
            pre_SBG: the projected inputs of the step, `project` with the parameters `input_weight` and `bias`.
            carried_SBK: what was carried on before it.
            retention_SH: as for `states`.
        """

    def unrolled(
        self, parameters: Mapping[str, Tensor], inputs: Tensor, start_SBK: Tensor, retention_SH: Tensor | None
    ) -> Unrolled:
        """All that is carried over these inputs, for gradients in it; arguments as for `states`."""
        pre_STBG = project(parameters["input_weight"], parameters["bias"], inputs)
        return StepByStep(lambda pre, carried: self.step(parameters, pre, carried, retention_SH), pre_STBG, start_SBK)


def project(weight_SDG: Tensor, bias_SG: Tensor, inputs: Tensor) -> Tensor:
    """W_in x_t + b of every step, shape (S, T, B, G): one product of matrices, or a gather for symbols.

    Where the native body serves, the product is of what is not zero alone (`sparse.py`): a frame has some four notes.

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
    # A one-hot input picks a row. One table for all members, each with its own rows.
    first_row = torch.arange(S, device=inputs.device).view(S, 1, 1) * D
    return embedding(inputs + first_row, weight_SDG.reshape(S * D, G)) + bias_SG[:, None, None, :]


def orthogonal(size: int, generator: torch.Generator) -> Tensor:
    """A random orthogonal matrix, each as likely (Saxe et al., arXiv:1312.6120)."""
    q, r = torch.linalg.qr(torch.empty(size, size).normal_(generator=generator))
    turned: Tensor = q * torch.sign(torch.diagonal(r))
    return turned


def weight_gradient(d_gates_STBG: Tensor, h0_SBH: Tensor, states_STBH: Tensor) -> Tensor:
    """dW = sum over t and b of d(gates_t) h_{t-1}^T, shape (S, G, H): one product, and one for the first step."""
    S, _, _, G = d_gates_STBG.shape
    later = d_gates_STBG[:, 1:].reshape(S, -1, G).transpose(1, 2)
    first = d_gates_STBG[:, 0].transpose(1, 2)
    return torch.baddbmm(first @ h0_SBH, later, states_STBH[:, :-1].reshape(S, -1, h0_SBH.shape[-1]))
