"""The chunks of several trials side by side on the S axis, each with pieces in an order of its own.

Every chunk of a stack has the same shape, with T the longest that there may be: padding is masked, not left
out, so that nothing depends on the data but the numbers, and nothing waits for the device. A trial that has no chunk
left, because its epoch had fewer, is masked as a whole.

On a processor a stack is slower than its members one after the other (benchmarks/stacks.py): this is for GPUs.

Shape letters: S stacked trials, T time, B lanes, D width of the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.data.chunks import ChunkPlan, Pieces, shifted


@dataclass(frozen=True)
class StackedChunk:
    """One chunk of each member; what `models.data.chunks.Chunk` is for one.

    Attributes:
        inputs: (S, T, B, D) or (S, T, B); zero in padding.
        unpadded_STB: True for steps that are no padding.
        scored_STB: True for those of them that are scored; the same tensor where all are.
        fresh: (S, B), True where a piece begins with this chunk.
        scored_steps: (S,), how many steps are scored, 0 for a member without a chunk.
        lanes: (S,), lanes that have not run out, 1 for a member without a chunk.
        taking: which members have a chunk.
    """

    inputs: Tensor
    unpadded_STB: Tensor
    scored_STB: Tensor
    fresh: Tensor
    scored_steps: Tensor
    lanes: Tensor
    taking: tuple[bool, ...]

    @property
    def unpadded_mask(self) -> Tensor:
        """`unpadded_STB`, whether something is padded or not."""
        return self.unpadded_STB

    @property
    def going_B(self) -> Tensor:
        """(S, B): whether a lane's last step is unpadded."""
        return self.unpadded_STB[:, -1]

    def scored(self, values: Tensor) -> Tensor:
        """Values (S, T, B, ...) as one step of T * B lanes, (S, 1, T * B, ...), what is not scored among them."""
        return values.flatten(1, 2).unsqueeze(1)

    def unpadded(self, values: Tensor) -> Tensor:
        """The same as `scored`: what is not to be counted is left to the totals."""
        return self.scored(values)

    def total_scored(self, values: Tensor) -> Tensor:
        """Sum over the scored steps of values that were made of what `scored` gave, (S, ...): (S,)."""
        return torch.where(self.scored_STB.flatten(1), values.flatten(1), 0).sum(1)

    def total_unpadded(self, values: Tensor) -> Tensor:
        """As `total_scored`, over all unpadded steps."""
        return torch.where(self.unpadded_STB.flatten(1), values.flatten(1), 0).sum(1)


def stack(pieces: Pieces, members: Sequence[ChunkPlan | None], lanes: int, length: int) -> StackedChunk:
    """The next chunk of every member, on the device of the pieces.

    Args:
        pieces: the data, the same for all.
        members: what comes of each, None for one that has no chunk left.
        lanes: B.
        length: T, at least as long as every chunk.
    """
    S = len(members)
    places_STB, are_unpadded_STB = np.zeros((S, length, lanes), np.int64), np.zeros((S, length, lanes), bool)
    fresh_SB, shift_SB = np.ones((S, lanes), bool), np.zeros((S, lanes), np.int64)
    for s, plan in enumerate(members):
        if plan is not None:
            (places_STB[s], are_unpadded_STB[s]), fresh_SB[s] = plan.cells(length), plan.fresh_B
            shift_SB[s] = 0 if plan.shift_B is None else plan.shift_B
    device = pieces.data.device
    unpadded_STB = torch.from_numpy(are_unpadded_STB).to(device, non_blocking=True)
    places = torch.from_numpy(places_STB).to(device, non_blocking=True)
    data = pieces.data[places]
    if any(plan is not None and plan.shift_B is not None for plan in members):
        data = shifted(data, torch.from_numpy(shift_SB).to(device, non_blocking=True))
    scored_STB = unpadded_STB if pieces.scored is None else pieces.scored[places] & unpadded_STB
    mask = unpadded_STB if data.dim() == 3 else unpadded_STB.unsqueeze(-1)
    return StackedChunk(
        inputs=torch.where(mask, data, 0),
        unpadded_STB=unpadded_STB,
        scored_STB=scored_STB,
        fresh=torch.from_numpy(fresh_SB).to(device, non_blocking=True),
        scored_steps=scored_STB.sum((1, 2)),
        lanes=unpadded_STB[:, 0].sum(1).clamp(min=1),
        taking=tuple(plan is not None for plan in members),
    )
