"""The cost of a chunk and its gradient.

    nll: sum over the scored steps of each member
    gradient: of (nll + penalties of the techniques) / divisor, written into the parameters' gradient row

There are two implementations, which pass the same tests. `ComposedGradient`, here, runs the parts of the network under
autograd; it works for every core, output model, stack and device. `NativeGradient` is one call of compiled code in each
direction, for the networks that `models/native_chunk.py` supports. They agree up to rounding.

Shape letters: S stacked trials, T time, B batch, H hidden, K carried numbers a lane, N steps, M particles, D width of
the data, P parameters in a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.linalg import vector_norm

from models.data.chunks import Chunk
from models.data.stacked import StackedChunk
from models.network import Network
from models.training.updates.stacked_techniques import StackedTechniques


class Gradient(Protocol):
    """The forward and the backward pass through one chunk after the other."""

    def forward(self, chunk: Chunk | StackedChunk, carried_SBK: Tensor | None) -> tuple[Tensor, Tensor]:
        """The nll of a chunk, (S,), and the state to carry on, (S, B, K), both detached from the graph.

        Args:
            chunk: the data.
            carried_SBK: result for the previous chunk; None for the first chunk of an epoch.
        """

    def backward(self, divisor: Tensor) -> Tensor:
        """Write the gradient of the chunk into the parameters' gradient row, and return its norm, (S,)."""


def price(techniques: StackedTechniques, chunk: Chunk | StackedChunk, states_STBH: Tensor) -> Tensor | None:
    """The penalties of the techniques on the states after the steps of a chunk, (S,); None if there are none."""
    if not techniques.penalise:
        return None
    penalty_SN = techniques.penalty(chunk.unpadded(states_STBH).squeeze(1))
    return None if penalty_SN is None else chunk.total_unpadded(penalty_SN)


@dataclass
class ComposedGradient:
    """The gradient by autograd through the parts of the network.

    Attributes:
        network: of one trial or of a stack.
        techniques: give the penalties on states.
        dropout, chains: random numbers, one generator for each member.
        particles_SMD: of the output model, or None; changed in place.
    """

    network: Network
    techniques: StackedTechniques
    dropout: Sequence[torch.Generator]
    chains: Sequence[torch.Generator]
    particles_SMD: Tensor | None

    def forward(self, chunk: Chunk | StackedChunk, carried_SBK: Tensor | None) -> tuple[Tensor, Tensor]:
        """The forward pass, which builds a graph."""
        network = self.network
        start_SBK = network.start(carried_SBK, chunk.fresh)
        states_STBH, last_SBK = network.states(chunk.inputs, start_SBK, self.dropout, chunk.unpadded_mask)
        # A lane that has run out reads padding for the rest of the epoch; its state there has no meaning.
        onward_SBK = torch.where(chunk.going_B.unsqueeze(-1), last_SBK, 0.0)
        if isinstance(chunk, Chunk) and not chunk.scored_steps:
            return onward_SBK.new_zeros(1), onward_SBK
        before, came = chunk.scored(states_STBH[:, :-1]), chunk.scored(chunk.inputs)
        nll_S = chunk.total_scored(network.cost(before, came, self.dropout, self.chains, self.particles_SMD))
        price_S = price(self.techniques, chunk, states_STBH[:, 1:])
        self._cost_S = nll_S if price_S is None else nll_S + price_S
        return nll_S.detach(), onward_SBK

    def backward(self, divisor: Tensor) -> Tensor:
        """The backward pass through the graph, which is then freed."""
        parameters, cost_S = self.network.parameters, self._cost_S
        del self._cost_S
        parameters.differentiate((cost_S / divisor).sum())
        norm_S: Tensor = vector_norm(parameters.gradient_SP, dim=1)
        return norm_S
