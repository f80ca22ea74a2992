"""The updates of a network by Hessian-free optimization; `gradient_descent.py` has those by gradients.

An update is one step of `optimizers/hessian_free.py`, and makes one epoch: its gradient and all its costs are over the
whole training split. Products are over the whole split too if it has at most `CURVATURE_CHUNKS` chunks. Otherwise they
are over about as many chunks, of pieces drawn anew for each step.

If chunks are shorter than pieces, even a short step may find no better point, since gradients and products only go back
to the start of a chunk, while costs are of whole pieces. Null steps follow, each with more damping, and training rarely
recovers. After `MOST_NULL_STEPS` null steps in a row the training has stalled, and ends.

The members of a stack make their steps one after the other, since their steps have nothing in common.

Shape letters: S stacked trials, P parameters in a row, H hidden.
"""

from collections.abc import Sequence
from math import nan

import numpy as np
import torch
from torch import Tensor

from models.data.chunks import Chunk, Pieces, chunks
from models.network import Network
from models.optimizers.hessian_free import Slope, hessian_free_step
from models.parameters import Parameters
from models.randomness import generator_for
from models.training.updates.chunk_updater import diverged_cost
from models.training.updates.objective import NetworkObjective
from models.training.updates.tallies import Tallies
from models.training.updates.updater import Place
from models.trial import Trial

CURVATURE_CHUNKS = 1000
LANES = 64
MOST_NULL_STEPS = 10
"""Number of null steps in a row after which a training has stalled; the damping has then grown 57-fold."""


class HessianFreeUpdater:
    """The `Updater` for Hessian-free optimization; an update is an epoch.

    Args:
        network: of one trial or of a stack; changed in place.
        pieces: the training split.
        diagnosing: whether to measure the size of the updates relative to the parameters.

    Attributes:
        state: lambda, the last solution of conjugate gradient, and the number of null steps in a row, of each member;
            with the S axis first.
        waits: always True, since a step depends on its own intermediate numbers.
    """

    def __init__(self, network: Network, pieces: Pieces, diagnosing: bool = True):
        self.network, self._pieces, self._diagnosing = network, pieces, diagnosing
        theta_SP = network.parameters.theta_SP
        damping = [[1 / trial.learning_rate] for trial in network.trials]
        self.state = {
            "damping": torch.tensor(damping, dtype=torch.float64, device=theta_SP.device),
            "solution": torch.zeros_like(theta_SP),
            "null_steps": torch.zeros(len(theta_SP), 1, dtype=torch.float64, device=theta_SP.device),
        }
        self.waits = True
        self._limit = diverged_cost(network)
        self._whole: list[Chunk] | None = None
        self._epochs: list[int | None] = []

    def begin_epoch(self, members: Sequence[Place]) -> None:
        """Plan the single update of each member's epoch, unless it is done already."""
        self._epochs = [now.epoch if now.chunk == 0 else None for now in members]

    def keep(self, rows: list[int]) -> None:
        """Keep only these members, in this order; called after the network's `keep`."""
        self.state = {name: value[rows] for name, value in self.state.items()}
        self._epochs = [self._epochs[s] for s in rows]

    def tensors(self, within_epoch: bool) -> dict[str, Tensor]:
        """The state; within an epoch there is nothing more."""
        return self.state

    def rate(self, s: int, scheduled: float) -> float:
        """The learning rate of a member's next epoch, which is 1 / lambda; the schedule has no effect."""
        return 1 / self.state["damping"][s].item()

    def stalled(self, s: int) -> bool:
        """Whether a member has made so many null steps in a row that its training is over."""
        return self.state["null_steps"][s].item() >= MOST_NULL_STEPS

    def update(self, tallies: Tallies) -> tuple[bool, ...]:
        """Make one step of each member whose epoch has none yet; returns which members made one."""
        epochs, self._epochs = self._epochs, [None] * len(self._epochs)
        if all(epoch is None for epoch in epochs):
            return (False,) * len(epochs)
        like, S = self.state["damping"], len(epochs)
        before_SP = self.network.parameters.theta_SP.clone()
        nll_S, norm_S, moving_S, tried_S = (like.new_zeros(S) for _ in range(4))
        for s, epoch in enumerate(epochs):
            if epoch is not None:
                slope, sound = self._step(s, epoch)
                nll_S[s], norm_S[s] = slope.cost * self._steps, slope.gradient_P.norm()
                moving_S[s], tried_S[s] = sound, True
        moves_S = moving_S.bool() & ~tallies.diverged
        ratio_S = torch.full_like(nll_S, nan)
        if self._diagnosing:
            ratio_S = (self.network.parameters.theta_SP - before_SP).norm(dim=1) / before_SP.norm(dim=1)
        steps_S = torch.full_like(nll_S, self._steps)
        tallies.add(moves_S, nll_S, steps_S, norm_S, torch.zeros_like(nll_S), ratio_S)
        tallies.diverged |= tried_S.bool() & ~moves_S
        return tuple(epoch is not None for epoch in epochs)

    @property
    def _steps(self) -> int:
        return len(self._pieces.scored_data)

    def _step(self, s: int, epoch: int) -> tuple[Slope, bool]:
        """Make the step of one member; returns the slope at its start, and whether the step was sound."""
        network, trial = self.network, self.network.trials[s]
        parameters = Parameters(1, network.parameters.shapes, network.parameters.theta_SP.dtype)
        parameters.to(network.parameters.theta_SP.device)
        theta_P = network.parameters.theta_SP[s]
        parameters.theta_SP.copy_(theta_P.unsqueeze(0))
        retention_SH = None if network.retention_SH is None else network.retention_SH[s : s + 1]
        objective = NetworkObjective(
            core=network.core,
            output=network.output,
            parameters=parameters,
            retention_SH=retention_SH,
            learned=trial.initial_state == "learned",
            techniques=trial.techniques,
            chunks=self._all_chunks(),
            curved=self._curved(trial, epoch),
        )
        slope = objective.slope()
        if not (slope.cost < self._limit and bool(slope.gradient_P.isfinite().all())):
            return slope, False
        damping, solution_P = self.state["damping"][s], self.state["solution"][s]
        step = hessian_free_step(objective, parameters.theta_SP[0].clone(), slope, damping.item(), solution_P)
        if step.sound:
            theta_P += step.moved_P
            damping.fill_(step.damping)
            solution_P.copy_(step.solution_P)
            null_steps = self.state["null_steps"][s]
            null_steps.copy_(null_steps + 1 if step.rate == 0 else torch.zeros_like(null_steps))
        return slope, step.sound

    def _all_chunks(self) -> list[Chunk]:
        """The chunks of the whole split."""
        if self._whole is None:
            self._whole = self._of(np.arange(len(self._pieces)))
        return self._whole

    def _of(self, which: np.ndarray) -> list[Chunk]:
        """The chunks of some pieces, longest first, so that lanes end at about the same time, with little padding."""
        order = which[np.argsort(-self._pieces.lengths[which], kind="stable")]
        return list(chunks(self._pieces, order.tolist(), LANES, self.network.trial.chunk))

    def _curved(self, trial: Trial, epoch: int) -> list[Chunk] | None:
        """The chunks for the products of an epoch; None for the whole split."""
        count_of = -(-self._pieces.lengths // trial.chunk)
        if count_of.sum() <= CURVATURE_CHUNKS:
            return None
        order = torch.randperm(len(self._pieces), generator=generator_for(trial.stream, "curvature", epoch)).numpy()
        enough = int(np.searchsorted(np.cumsum(count_of[order]), CURVATURE_CHUNKS)) + 1
        return self._of(order[:enough])
