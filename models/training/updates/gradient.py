"""The cost of a chunk and its gradient: what an update asks of a network, and how it is answered.

    nll: of the scored steps of each member, summed
    gradient: of (nll + penalties of the techniques) / divisor, in the parameters' row

Two answers pass the same tests. `ComposedGradient`, here, is the network's parts one after the other under autograd:
any core, any output model, a stack, any device. `NativeGradient` is one call of compiled code each way, for what
`models/native_chunk.py` names; it equals the other to rounding.

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
    """Forward and back through one chunk after the other."""

    def forward(self, chunk: Chunk | StackedChunk, carried_SBK: Tensor | None) -> tuple[Tensor, Tensor]:
        """The nll of a chunk, (S,), and the state to carry on, (S, B, K), both outside the graph.

        Args:
            chunk: the data.
            carried_SBK: what the chunk before gave back, None for the first of an epoch.
        """

    def backward(self, divisor: Tensor) -> Tensor:
        """Leave the gradient of the chunk in the parameters' row, and return its norm, (S,)."""


def price(techniques: StackedTechniques, chunk: Chunk | StackedChunk, states_STBH: Tensor) -> Tensor | None:
    """What the techniques charge for the states after the steps of a chunk, (S,); None where they charge nothing."""
    if not techniques.penalise:
        return None
    penalty_SN = techniques.penalty(chunk.unpadded(states_STBH).squeeze(1))
    return None if penalty_SN is None else chunk.total_unpadded(penalty_SN)


@dataclass
class ComposedGradient:
    """The parts of the network under autograd.

    Attributes:
        network: of one trial or of a stack.
        techniques: of which the costs on states are asked.
        dropout, chains: random numbers, a generator a member.
        particles_SMD: of the output model, None for none; changed in place.
    """

    network: Network
    techniques: StackedTechniques
    dropout: Sequence[torch.Generator]
    chains: Sequence[torch.Generator]
    particles_SMD: Tensor | None

    def forward(self, chunk: Chunk | StackedChunk, carried_SBK: Tensor | None) -> tuple[Tensor, Tensor]:
        """By the parts, with a graph."""
        network = self.network
        start_SBK = network.start(carried_SBK, chunk.fresh)
        states_STBH, last_SBK = network.states(chunk.inputs, start_SBK, self.dropout, chunk.unpadded_mask)
        # A lane that has run out goes on through padding for the rest of the epoch: what it carries there is nobody's.
        onward_SBK = torch.where(chunk.going_B.unsqueeze(-1), last_SBK, 0.0)
        if isinstance(chunk, Chunk) and not chunk.scored_steps:
            return onward_SBK.new_zeros(1), onward_SBK
        before, came = chunk.scored(states_STBH[:, :-1]), chunk.scored(chunk.inputs)
        nll_S = chunk.total_scored(network.cost(before, came, self.dropout, self.chains, self.particles_SMD))
        price_S = price(self.techniques, chunk, states_STBH[:, 1:])
        self._cost_S = nll_S if price_S is None else nll_S + price_S
        return nll_S.detach(), onward_SBK

    def backward(self, divisor: Tensor) -> Tensor:
        """By the graph, which is then gone."""
        parameters, cost_S = self.network.parameters, self._cost_S
        del self._cost_S
        parameters.differentiate((cost_S / divisor).sum())
        norm_S: Tensor = vector_norm(parameters.gradient_SP, dim=1)
        return norm_S
