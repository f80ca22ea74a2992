"""Epochs of gradient descent: the pieces in a random order, cut into chunks, with one update for each chunk.

The order of an epoch follows from the trial's stream and the epoch's number. So do the shifts of its pieces, if the
trial has transposition (`transposing.py`). To continue in the middle of an epoch, only the number of finished chunks
and the state carried by each lane are needed.

In a stack every member has its own chunks. The next epoch begins for all members when the longest one has ended.

What this does not do: make an update (`chunk_updater.py`), or decide when training ends (`run.py`).

Shape letters: S stacked trials, P parameters in a row, Q pieces, B lanes, K carried numbers a lane, D width of the
data, M particles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor

from models.data.chunks import ChunkPlan, Pieces, make_chunk, plan_chunks, shuffled
from models.data.stacked import stack
from models.data.transposing import drawn_shifts, room
from models.network import Network
from models.randomness import generator_for
from models.training.updates.cuda_graph import chunk_updater_for
from models.training.updates.ranks import Ranks
from models.training.updates.streams import Streams
from models.training.updates.tallies import Tallies
from models.training.updates.updater import Place
from models.trial import Trial


class GradientDescent:
    """The `Updater` for optimizers that are rules on gradients.

    Args:
        network: of one trial or of a stack; changed in place.
        pieces: the training split.
        streams: random numbers for dropout and chains.
        diagnosing: whether to measure the size of the updates relative to the parameters.
        ranks: processes that share the lanes of every chunk; None for this process alone.

    Attributes:
        chunks: makes the update of a chunk.
    """

    def __init__(
        self, network: Network, pieces: Pieces, streams: Streams, diagnosing: bool = True, ranks: Ranks | None = None
    ):
        self._network, self._pieces = network, pieces
        self.chunks = chunk_updater_for(network, streams, diagnosing, ranks)
        self._room = room(pieces) if network.trial.transposition > 0 else None
        self._lanes = min(network.trial.batch, len(pieces))
        self._carried_SBK: Tensor | None = None

    @property
    def state(self) -> dict[str, Tensor]:
        """The velocity, the optimizer's state, and the moving average if the trials have one."""
        return self.chunks.state

    @property
    def waits(self) -> bool:
        """True for a single trial on a CPU."""
        return self.chunks.waits

    def begin_epoch(self, members: Sequence[Place]) -> None:
        """Plan the remaining chunks of each member's epoch."""
        theta_SP = self._network.parameters.theta_SP
        self._plans = [self._planned(trial, now) for trial, now in zip(self._network.trials, members, strict=True)]
        self._rates_S1 = theta_SP.new_tensor([now.learning_rate for now in members]).unsqueeze(1)
        self._carried_SBK = None

    def _planned(self, trial: Trial, now: Place) -> Iterator[ChunkPlan]:
        order = shuffled(self._pieces, trial.batch, generator_for(trial.stream, "order", now.epoch))
        plans = islice(plan_chunks(self._pieces, order, trial.batch, trial.chunk), now.chunk, None)
        if self._room is None:
            return plans
        shift_Q = drawn_shifts(trial.stream, now.epoch, trial.transposition, self._room)
        return (replace(plan, shift_B=shift_Q[plan.piece_B]) for plan in plans)

    def update(self, tallies: Tallies) -> tuple[bool, ...]:
        """Make one update of each member that has a chunk left; returns which members had one."""
        plans = [next(planned, None) for planned in self._plans]
        had_one = tuple(plan is not None for plan in plans)
        if any(had_one):
            alone = plans[0] if self.waits else None
            length = self._network.trial.chunk
            chunk = (
                stack(self._pieces, plans, self._lanes, length) if alone is None else make_chunk(self._pieces, alone)
            )
            self._carried_SBK = self.chunks.update(chunk, self._carried_SBK, self._rates_S1, tallies)
        return had_one

    def rate(self, s: int, scheduled: float) -> float:
        """The schedule's learning rate, unchanged."""
        return scheduled

    def stalled(self, s: int) -> bool:
        """Always False: these optimizers cannot stall."""
        return False

    def tensors(self, within_epoch: bool) -> dict[str, Tensor]:
        """The state, the output model's particles if any, and within an epoch the state carried by each lane."""
        found = dict(self.state)
        if within_epoch:
            if self._carried_SBK is None:
                initial_SK = self._network.parameters.by_name["initial_state"].detach()
                self._carried_SBK = torch.zeros_like(initial_SK).unsqueeze(1).repeat(1, self._lanes, 1)
            found["carried"] = self._carried_SBK
        if self.chunks.particles_SMD is not None:
            found["particles"] = self.chunks.particles_SMD
        return found

    def keep(self, rows: list[int]) -> None:
        """Keep only these members, in this order; called after the network's and the streams' `keep`."""
        self.chunks.keep(rows)
        self._plans, self._rates_S1 = [self._plans[s] for s in rows], self._rates_S1[rows]
        self._carried_SBK = None if self._carried_SBK is None else self._carried_SBK[rows]
