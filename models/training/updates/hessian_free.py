"""Updates of a network by Hessian-free optimization, where `gradient_descent.py` has those of rules for gradients.

An update is a step of `optimizers/hessian_free.py`, and one of them makes an epoch: its gradient, and every cost that
it compares, is over the whole training split. Products are over the whole split too where it has at most
`CURVATURE_CHUNKS` chunks, otherwise over pieces that are drawn anew for each step until they make as many.

Where chunks are shorter than pieces a step need not find a better point, however short: gradients and products go back
to a chunk's start, costs are of whole pieces. What then comes are null steps, each damped more, from which a training
seldom comes back: after `MOST_NULL_STEPS` of them in a row it has stalled, and ends.

The members of a stack are stepped one after the other, each on its own: nothing of a step is the same for two of them.

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
"""Steps in a row that find no better point, after which a training has stalled: the damping has grown 57-fold."""


class HessianFreeUpdater:
    """The updates of a network, an epoch each: an `Updater`.

    Args:
        network: of one trial or of a stack, changed in place.
        pieces: the training split.
        diagnosing: whether to measure how large the updates are beside the parameters.

    Attributes:
        state: lambda of each member, the last solution of conjugate gradient, and null steps in a row, with the S axis
            first.
        waits: always, since the numbers of a step decide what it does next.
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
        """Take up the one update of each member's epoch, unless it is done."""
        self._epochs = [now.epoch if now.chunk == 0 else None for now in members]

    def keep(self, rows: list[int]) -> None:
        """Go on with these members alone, in this order; after the network did."""
        self.state = {name: value[rows] for name, value in self.state.items()}
        self._epochs = [self._epochs[s] for s in rows]

    def tensors(self, within_epoch: bool) -> dict[str, Tensor]:
        """The state: within an epoch there is no more to it."""
        return self.state

    def rate(self, s: int, scheduled: float) -> float:
        """The learning rate of a member's next epoch: 1 / lambda, which no schedule changes."""
        return 1 / self.state["damping"][s].item()

    def stalled(self, s: int) -> bool:
        """Whether so many of a member's last steps were null steps that its training is over."""
        return self.state["null_steps"][s].item() >= MOST_NULL_STEPS

    def update(self, tallies: Tallies) -> tuple[bool, ...]:
        """One step of each member whose epoch has none yet; whether each made one."""
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
        """Step one member; what it met, and whether it was sound."""
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
        """The whole split, longest pieces first: lanes then end together, and little is padded."""
        if self._whole is None:
            self._whole = self._of(np.arange(len(self._pieces)))
        return self._whole

    def _of(self, some: np.ndarray) -> list[Chunk]:
        order = some[np.argsort(-self._pieces.lengths[some], kind="stable")]
        return list(chunks(self._pieces, order.tolist(), LANES, self.network.trial.chunk))

    def _curved(self, trial: Trial, epoch: int) -> list[Chunk] | None:
        """What products are over in an epoch, None for the whole split."""
        count_of = -(-self._pieces.lengths // trial.chunk)
        if count_of.sum() <= CURVATURE_CHUNKS:
            return None
        order = torch.randperm(len(self._pieces), generator=generator_for(trial.stream, "curvature", epoch)).numpy()
        enough = int(np.searchsorted(np.cumsum(count_of[order]), CURVATURE_CHUNKS)) + 1
        return self._of(order[:enough])
