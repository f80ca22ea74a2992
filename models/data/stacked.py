"""The chunks of several trials, stacked on the S axis; each trial has its pieces in its own order.

All chunks of a stack have the same shape, with T the largest possible length. Padding is masked, not left out. So no
shape depends on the data, and nothing waits for the device. A trial without a chunk left, because its epoch has fewer,
is masked as a whole.

This is for GPUs: on a CPU a stack is slower than its members one after the other (benchmarks/stacks.py).

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
    """One chunk of each member, with the interface of `models.data.chunks.Chunk`.

    Attributes:
        inputs: (S, T, B, D) or (S, T, B); zero in padding.
        unpadded_STB: True for steps that are not padding.
        scored_STB: True for scored steps; the same tensor as `unpadded_STB` if all unpadded steps are scored.
        fresh: (S, B), True for lanes in which a piece begins with this chunk.
        scored_steps: (S,), number of scored steps; 0 for a member without a chunk.
        lanes: (S,), number of lanes that have not run out; 1 for a member without a chunk.
        taking: whether each member has a chunk.
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
        """`unpadded_STB`, even if nothing is padded."""
        return self.unpadded_STB

    @property
    def going_B(self) -> Tensor:
        """(S, B): whether each lane's last step is unpadded."""
        return self.unpadded_STB[:, -1]

    def scored(self, values: Tensor) -> Tensor:
        """All steps of values (S, T, B, ...), laid out as one step of T * B lanes: (S, 1, T * B, ...)."""
        return values.flatten(1, 2).unsqueeze(1)

    def unpadded(self, values: Tensor) -> Tensor:
        """The same as `scored`; the totals select the steps that count."""
        return self.scored(values)

    def total_scored(self, values: Tensor) -> Tensor:
        """Sum over the scored steps, (S,), of values (S, ...) in the layout of `scored`."""
        return torch.where(self.scored_STB.flatten(1), values.flatten(1), 0).sum(1)

    def total_unpadded(self, values: Tensor) -> Tensor:
        """Sum over the unpadded steps, (S,), of values (S, ...) in the layout of `unpadded`."""
        return torch.where(self.unpadded_STB.flatten(1), values.flatten(1), 0).sum(1)


def stack(pieces: Pieces, members: Sequence[ChunkPlan | None], lanes: int, length: int) -> StackedChunk:
    """The next chunk of every member, on the device of the pieces.

    Args:
        pieces: the data, common to all members.
        members: the plan of each member's chunk; None for a member without a chunk left.
        lanes: B.
        length: T, at least the length of every chunk.
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
