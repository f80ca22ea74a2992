"""The gradient of a chunk, computed by several processes: each has a share of the lanes (data parallelism).

Let lanes be in shares, and c the divisor of the whole chunk. The cost is a sum over lanes, so

    nll = sum over ranks of nll_r,    g = sum over ranks of d(nll_r + penalties_r) / c

are those of one process, up to rounding. All that acts on the gradient comes after the sum, on every rank alike: its
norm, the techniques, the optimizer's step. So every rank has the same parameters, tallies and schedule, and the state
that is carried on is that of all lanes: a checkpoint is like one of a single process.

What does not split in this way is refused (`why_not_split`), since its results would be others: random numbers are
drawn in the order of the lanes (dropout, Gibbs chains), and Hessian-free steps and pre-training have loops of their
own.

Shape letters: S stacked trials, here 1, T time, B lanes of the whole chunk, K carried numbers a lane, P parameters in a
row.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.linalg import vector_norm

from models.data.chunks import Chunk, Pieces
from models.data.stacked import StackedChunk
from models.network import Network
from models.optimizers import HessianFree
from models.training.pretraining import preparations
from models.training.updates.gradient import Gradient
from models.training.updates.ranks import Ranks
from models.trial import Trial


class SplitGradient:
    """A `Gradient` of this rank's share, summed over the ranks.

    Args:
        own: computes the gradient of the share.
        network: of one trial; its gradient row gets the sum.
        ranks: that share the lanes.
    """

    def __init__(self, own: Gradient, network: Network, ranks: Ranks):
        self._own, self._parameters, self._ranks = own, network.parameters, ranks

    def forward(self, chunk: Chunk | StackedChunk, carried_SBK: Tensor | None) -> tuple[Tensor, Tensor]:
        """The forward pass of the share; the nll of the whole chunk, and the state of all its lanes."""
        share = self._ranks.lanes(chunk.fresh.shape[-1])
        part = lanes_of(chunk, share)
        carried = None if carried_SBK is None else carried_SBK[:, share].contiguous()
        nll_S, own_onward = self._own.forward(part, carried)
        # All its lanes have run out. In a chunk of a stack masks see to it, and nobody waits for the device to know.
        self._idle = isinstance(part, Chunk) and not part.scored_steps
        if self._idle:
            nll_S = torch.zeros_like(nll_S)
        # In one sum: the nll, and the state, which is zero except in the lanes of the rank that has computed it.
        onward_SBK = own_onward.new_zeros(len(own_onward), chunk.fresh.shape[-1], own_onward.shape[-1])
        onward_SBK[:, share] = own_onward
        both = torch.cat([nll_S, onward_SBK.flatten()])
        self._ranks.sum_(both)
        return both[: len(nll_S)], both[len(nll_S) :].view_as(onward_SBK)

    def backward(self, divisor: Tensor) -> Tensor:
        """The backward pass of the share; the norm of the summed gradient."""
        gradient_SP = self._parameters.gradient_SP
        if self._idle:
            gradient_SP.zero_()
        else:
            self._own.backward(divisor)
        self._ranks.sum_(gradient_SP)
        norm_S: Tensor = vector_norm(gradient_SP, dim=1)
        return norm_S


def lanes_of(chunk: Chunk | StackedChunk, share: slice) -> Chunk | StackedChunk:
    """Some lanes of a chunk, as a chunk of as many steps."""
    if isinstance(chunk, Chunk):
        unpadded_TB = chunk.unpadded_TB[:, share].contiguous()
        alike = chunk.scored_TB is chunk.unpadded_TB
        return Chunk(
            data=chunk.data[:, share].contiguous(),
            unpadded_TB=unpadded_TB,
            scored_TB=unpadded_TB if alike else chunk.scored_TB[:, share].contiguous(),
            fresh=chunk.fresh[share],
            piece_B=chunk.piece_B[share],
        )
    unpadded_STB, scored_STB = chunk.unpadded_STB[:, :, share], chunk.scored_STB[:, :, share]
    return replace(
        chunk,
        inputs=chunk.inputs[:, :, share].contiguous(),
        unpadded_STB=unpadded_STB,
        scored_STB=scored_STB,
        fresh=chunk.fresh[:, share],
        scored_steps=scored_STB.sum((1, 2)),
        lanes=unpadded_STB[:, 0].sum(1).clamp(min=1),
    )


def why_not_split(trial: Trial, count: int) -> str | None:
    """Why a trial cannot be trained by so many processes; None if it can."""
    if trial.optimizer_type is HessianFree:
        return "Hessian-free optimization is not split"
    if preparations(trial):
        return "pre-training is not split"
    if trial.output_type.estimated:
        return f"{trial.output_type.name} draws its chains in the order of the lanes"
    if trial.input_dropout > 0 or trial.output_dropout > 0:
        return "dropout draws in the order of the lanes"
    if trial.batch < count:
        return f"its batch has {trial.batch} lanes, fewer than {count} processes"
    return None


def check_split(trials: tuple[Trial, ...], pieces: Pieces, count: int) -> None:
    """Refuse what cannot be trained by so many processes.

    Raises:
        ValueError: there are several trials, the trial cannot be split, or its data cannot.
    """
    if len(trials) != 1:
        raise ValueError(f"split: wants one trial, got a stack of {len(trials)}")
    why = why_not_split(trials[0], count)
    if why is None and len(pieces) < count:
        why = f"its data have {len(pieces)} pieces, fewer than {count} processes"
    if why is None and pieces.scored is not None:
        why = "of its sequences the last step alone is scored, and shares of the lanes would lack penalties"
    if why is not None:
        raise ValueError(f"{trials[0].variant}: cannot be trained by {count} processes: {why}")
