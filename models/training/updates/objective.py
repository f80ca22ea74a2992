"""The objective of Hessian-free optimization: the cost of a network over whole pieces, its slope, and products.

Pieces are cut into chunks as in training. The state is carried from chunk to chunk, detached from the graph. So
gradients and products go back through one chunk at most, while costs are of whole pieces. The cost is the sum of the
nats of all scored steps and of the techniques' penalties on the states of all unpadded steps, divided by the number n
of scored steps. Let J be the Jacobian of the logits of scored steps, and K that of the states of unpadded steps. Then

    G v = J' H_L J v / n,    S v = K' K v / n

are computed by a forward and a backward linear scan, over a forward pass that is run once and kept. A piecewise linear
penalty, such as the rectifier's, counts in the cost and the gradient, and has no curvature.

Shape letters: T time, B lanes, N scored steps, H hidden, P parameters, S stacked trials. Every tensor of values has
the stacked axis first, here of one member.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

import torch
from torch import Tensor

from models.core import RNN, Core
from models.core.linearised import LinearisedRNN
from models.data.chunks import Chunk
from models.optimizers.hessian_free import Slope
from models.outputs.base import Output
from models.outputs.logits import LinearisedLogits, LogitOutput, Product
from models.parameters import Parameters
from models.techniques import Technique


@dataclass(frozen=True)
class _Kept:
    """The forward pass of a chunk."""

    chunk: Chunk
    layer: LinearisedRNN
    logits: LinearisedLogits
    curvature: Product


class NetworkObjective:
    """The cost of one network over some chunks; an `Objective` of `models/optimizers/hessian_free.py`.

    Args:
        core, output: the network.
        parameters: of one member; changed only temporarily, and restored.
        retention_SH: of the member, or None.
        learned: whether h_0 is learned, or fixed.
        techniques: give the penalties on states.
        chunks: for slope and cost, in the order in which states are carried.
        curved: chunks for the products; None for the same chunks.
    """

    def __init__(
        self,
        core: Core,
        output: Output,
        parameters: Parameters,
        retention_SH: Tensor | None,
        learned: bool,
        techniques: Sequence[Technique],
        chunks: Sequence[Chunk],
        curved: Sequence[Chunk] | None = None,
    ):
        if not (isinstance(core, RNN) and isinstance(output, LogitOutput)):
            raise TypeError(
                f"objective: {core.name} and {output.name} cannot be linearised; take rnn, and bernoulli or nade"
            )
        self._core, self._output, self._parameters = core, output, parameters
        self._retention_SH, self._learned, self._techniques = retention_SH, learned, techniques
        self._chunks = chunks
        self._curved = chunks if curved is None else curved
        self._values = {name: value.detach() for name, value in parameters.by_name.items()}

    @cached_property
    def steps(self) -> int:
        """Number of scored steps for slope and cost."""
        return sum(chunk.scored_steps for chunk in self._chunks)

    @cached_property
    def _curved_steps(self) -> int:
        return sum(chunk.scored_steps for chunk in self._curved)

    @torch.no_grad()
    def cost(self, theta_P: Tensor) -> float:
        """The mean cost per scored step at other parameters; infinite if a state or the cost overflows."""
        theta_SP = self._parameters.theta_SP
        kept_SP = theta_SP.clone()
        theta_SP.copy_(theta_P.unsqueeze(0))
        total = torch.zeros((), dtype=torch.float64, device=theta_SP.device)
        carried = None
        for chunk in self._chunks:
            start = self._start(self._values, chunk, carried)
            states, last = self._core.padded_states(
                self._values, chunk.inputs, start, self._retention_SH, chunk.unpadded_mask
            )
            carried = _carry(chunk, last)
            before = torch.cat([start.unsqueeze(1), states[:, :-1]], dim=1)
            came = chunk.scored(chunk.targets)
            total -= self._output.log_likelihood(self._values, chunk.scored(before), came).double().sum()
            for penalty_SN in self._penalties(states.flatten(1, 2)):
                total += torch.where(chunk.unpadded_TB.flatten(), penalty_SN, 0).double().sum()
        theta_SP.copy_(kept_SP)
        mean = total.item() / self.steps
        return mean if mean < inf else inf

    def slope(self) -> Slope:
        """Cost and gradient, and D = (sum of the squared gradients of every lane of every chunk) / steps.

        The lanes of a chunk are run as the members of a stack, which do not affect each other. So each lane gives its
        own gradient, for any output model. The cost is computed by `cost`, since products round differently here, and
        costs can only be compared if they are rounded alike.
        """
        theta_SP = self._parameters.theta_SP
        gradient_P, squares_P = torch.zeros_like(theta_SP[0]), torch.zeros_like(theta_SP[0])
        carried = None
        for chunk in self._chunks:
            B = len(chunk.fresh)
            # Contiguous copies: each lane is a member with a copy of the parameters.
            lanes = {name: value.expand(B, *value.shape[1:]).contiguous() for name, value in self._values.items()}
            leaves = {name: value.requires_grad_() for name, value in lanes.items()}
            cost, carried = self._lane_costs(leaves, chunk, carried)
            gradients = torch.autograd.grad(cost.sum(), list(leaves.values()), materialize_grads=True)
            rows_BP = torch.cat([gradient.flatten(1) for gradient in gradients], dim=1)
            gradient_P += rows_BP.sum(0)
            squares_P += rows_BP.square().sum(0)
        return Slope(self.cost(theta_SP[0].clone()), gradient_P.div_(self.steps), squares_P.div_(self.steps))

    def _lane_costs(self, leaves: Mapping[str, Tensor], chunk: Chunk, carried: Tensor | None) -> tuple[Tensor, Tensor]:
        """Nats and penalties of each lane of a chunk, (B,), and the state carried on, (1, B, H)."""
        B = len(chunk.fresh)
        start = self._start(leaves, chunk, carried).transpose(0, 1)
        retention = None if self._retention_SH is None else self._retention_SH.expand(B, -1).contiguous()
        inputs, targets = (_as_members(values) for values in (chunk.inputs, chunk.targets))
        unpadded = None if chunk.unpadded_mask is None else chunk.unpadded_TB.T.unsqueeze(-1)
        states, last = self._core.padded_states(leaves, inputs, start.contiguous(), retention, unpadded)
        before = torch.cat([start.unsqueeze(1), states[:, :-1]], dim=1)
        scored_BT = chunk.scored_TB.T
        nats = -self._output.log_likelihood(leaves, before, targets).squeeze(-1)
        cost = torch.where(scored_BT, nats, 0).sum(1)
        for penalty_BT in self._penalties(states.squeeze(2)):
            cost = cost + torch.where(chunk.unpadded_TB.T, penalty_BT, 0).sum(1)
        return cost, _carry(chunk, last.transpose(0, 1))

    @cached_property
    def _forward(self) -> list[_Kept]:
        """The forward pass at the present parameters, which every product uses."""
        kept, carried = [], None
        for chunk in self._curved:
            start = self._start(self._values, chunk, carried)
            layer = self._core.linearised(self._values, chunk.inputs, start, self._retention_SH, chunk.unpadded_mask)
            carried = _carry(chunk, layer.last_SBH)
            named = {name: self._values[name] for name in self._output.shapes()}
            came = chunk.scored(chunk.targets)
            logits = self._output.linearised(named, chunk.scored(layer.before_STBH), came)
            kept.append(_Kept(chunk, layer, logits, self._output.curvature(logits.logits)))
        return kept

    @torch.no_grad()
    def product(self, direction_P: Tensor, structural: float) -> Tensor:
        """(G + structural S) v."""
        moved = self._parameters.split(direction_P.unsqueeze(0))
        result_SP = torch.zeros_like(direction_P).unsqueeze(0)
        sums = self._parameters.split(result_SP)
        for kept in self._forward:
            for name, gradient in self._part(kept, moved, structural):
                sums[name] += gradient
        return result_SP[0].div_(self._curved_steps)

    def _part(self, kept: _Kept, moved: Mapping[str, Tensor], structural: float) -> Iterable[tuple[str, Tensor]]:
        chunk, layer = kept.chunk, kept.layer
        begins = chunk.fresh.unsqueeze(-1)
        moved_start = moved["initial_state"].unsqueeze(1).expand(-1, len(chunk.fresh), -1)
        moved_start = torch.where(begins, moved_start, 0.0) if self._learned else torch.zeros_like(moved_start)
        moved_states = layer.tangent(moved, moved_start)
        moved_before = torch.cat([moved_start.unsqueeze(1), moved_states[:, :-1]], dim=1)
        moved_logits = kept.logits.tangent(moved, chunk.scored(moved_before))
        of_output, d_scored = kept.logits.gradient(kept.curvature(moved_logits))
        d_before = chunk.spread(d_scored)
        d_states = torch.cat([d_before[:, 1:], torch.zeros_like(d_before[:, :1])], dim=1)
        if structural:
            padded, unpadded_TB1 = chunk.unpadded_mask is not None, chunk.unpadded_TB.unsqueeze(-1)
            d_states.add_(torch.where(unpadded_TB1, moved_states, 0) if padded else moved_states, alpha=structural)
        of_core, d_start = layer.gradient(d_states)
        yield from of_output.items()
        yield from of_core.items()
        if self._learned:
            yield "initial_state", torch.where(begins, d_start + d_before[:, 0], 0.0).sum(1)

    def _start(self, values: Mapping[str, Tensor], chunk: Chunk, carried: Tensor | None) -> Tensor:
        """The state before a chunk, (1, B, H); if lanes are run as members, each lane has its own initial state."""
        initial = values["initial_state"] if self._learned else values["initial_state"].detach()
        initial = initial.unsqueeze(0) if len(initial) > 1 else initial.unsqueeze(1)
        initial = initial.expand(1, len(chunk.fresh), -1)
        if carried is None:
            return initial.contiguous()
        return torch.where(chunk.fresh.unsqueeze(-1), initial, carried)

    def _penalties(self, states_SNH: Tensor) -> Iterable[Tensor]:
        for technique in self._techniques:
            if (penalty_SN := technique.penalty(states_SNH)) is not None:
                yield penalty_SN


def _as_members(values: Tensor) -> Tensor:
    """Values (1, T, B, ...), laid out for B members with one lane each: (B, T, 1, ...)."""
    return values.squeeze(0).transpose(0, 1).unsqueeze(2).contiguous()


def _carry(chunk: Chunk, last: Tensor) -> Tensor:
    """The state carried to the next chunk; zero for a lane that has run out, whose states may have overflowed."""
    return torch.where(chunk.unpadded_TB[-1].unsqueeze(-1), last.detach(), 0.0)
