"""One update: the cost of a chunk, its gradient, the techniques, and the step; of all members of a stack at once.

The gradient goes back to the start of the chunk (truncated back-propagation through time); the state is carried on
from the chunk before it, as a constant. The cost of a chunk is, with nll over its scored steps, which are all real ones
unless the data says otherwise, and penalties over all real steps,

    sum:   (1 / lanes in use)  * sum_{t,b} (nll_{t,b} + penalty_{t,b})
    mean:  (1 / scored steps)  * sum_{t,b} (nll_{t,b} + penalty_{t,b})

A chunk in which no step is scored is read, for its state, and makes no update.

where an output model whose likelihood cannot be had has a cost of its own in the place of nll (`Output.cost`). A
difference of free energies, F(v) - F(v_k), is large where the model has left the data behind, and so diverges by the
same limit; it cannot be far below zero, since v_k is a draw by the model, which seldom draws what it finds unlikely.

A member diverges with a cost or a gradient that is not finite, or a cost a step of over ten times that of uniform
guessing: it is marked in the tally, and its parameters stay as they were.

A stack on a GPU is never waited for: its shapes do not depend on data, and what an update finds stays on the device
until somebody reads the tallies. A trial alone on a processor stops at once where it diverges.

What this does not do: know of epochs, validation or schedules (`training.py`).

Shape letters: S stacked trials, T time, B batch, N scored steps, P parameters in a row.
"""

from math import log, nan
from typing import ClassVar

import torch
from torch import Tensor

from models.chunks import Chunk
from models.network import Network
from models.optimizers import Optimizer
from models.progress import Tallies
from models.randomness import generator_for
from models.stacked_chunks import StackedChunk
from models.stacked_techniques import StackedTechniques

DIVERGED_COST = 10.0
"""Cost a step, in costs of uniform guessing, from which a trial counts as diverged."""


def diverged_cost(network: Network) -> float:
    """The cost a step, in nats, from which a member counts as diverged."""
    width = network.output.width
    return DIVERGED_COST * (log(width) if network.output.symbols else width * log(2))


class Updater:
    """A network that is being trained: with random numbers for dropout and chains, and what is kept between updates.

    Args:
        network: of one trial or of a stack, changed in place.
        diagnosing: whether to measure how large the updates are beside the parameters.

    Attributes:
        state: the velocity, and what the optimizer keeps beside it, each with the S axis first.
        waits: whether what an update finds is looked at in the middle of it, as for a trial alone on a processor.
        carries: whether an epoch is chunks, and a state is carried from one to the next.
    """

    carries: ClassVar[bool] = True

    def __init__(self, network: Network, diagnosing: bool = True):
        self.network = network
        theta_SP = network.parameters.theta_SP
        optimizer = network.trial.optimizer_type()
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"updater: {optimizer.name} has no rule of update of its own")
        self._optimizer = optimizer
        self.state = {"velocity": torch.zeros_like(theta_SP)} | self._optimizer.state(theta_SP)
        self.dropout, self.chains = (
            [generator_for(trial.stream, purpose, device=theta_SP.device) for trial in network.trials]
            for purpose in ("dropout", "chains")
        )
        self.particles_SMD = network.output.particles(len(network.trials), theta_SP)
        self._limit = diverged_cost(network)
        self._techniques = StackedTechniques([trial.techniques for trial in network.trials], theta_SP)
        # Fresh memory of this size at every update would cost more than what is measured in it.
        self._before_SP = torch.empty_like(theta_SP) if diagnosing else None
        self.waits = theta_SP.device.type == "cpu" and len(network.trials) == 1

    def rate(self, s: int, rate: float, decay: float, new_best: bool) -> float:
        """The learning rate of a member's next epoch, after one of `rate`."""
        return rate if new_best else rate * decay

    def stalled(self, s: int) -> bool:
        """Whether a member's steps no longer move it: a rule of update always does."""
        return False

    def keep(self, rows: list[int]) -> None:
        """Go on with these members alone, in this order."""
        self.network.keep(rows)
        self.state = {name: value[rows] for name, value in self.state.items()}
        self.dropout, self.chains = ([its[s] for s in rows] for its in (self.dropout, self.chains))
        self.particles_SMD = None if self.particles_SMD is None else self.particles_SMD[rows]
        self._before_SP = None if self._before_SP is None else self._before_SP[rows]
        techniques = [trial.techniques for trial in self.network.trials]
        self._techniques = StackedTechniques(techniques, self.network.parameters.theta_SP)

    def update(
        self, chunk: Chunk | StackedChunk, carried: Tensor | None, learning_rate_S1: Tensor, tally: Tallies
    ) -> Tensor:
        """One chunk: forward, backward, one step.

        Args:
            chunk: the data.
            carried: what the chunk before gave back, None for the first of an epoch.
            learning_rate_S1: eps of each member.
            tally: sums to add to, and who has diverged.

        Returns:
            The state to carry on, outside the graph.
        """
        # A member whose epoch is over keeps its place in its random numbers, and its particles.
        idle = [s for s, takes in enumerate(chunk.taking) if not takes]
        kept = [(its[s], its[s].get_state()) for its in (self.dropout, self.chains) for s in idle]
        left = self.particles_SMD[idle] if self.particles_SMD is not None and idle else None
        onward_SBK = self.step(chunk, carried, learning_rate_S1, tally)
        for generator, state in kept:
            generator.set_state(state)
        if self.particles_SMD is not None and left is not None:
            self.particles_SMD[idle] = left
        return onward_SBK

    def step(
        self, chunk: Chunk | StackedChunk, carried: Tensor | None, learning_rate_S1: Tensor, tally: Tallies
    ) -> Tensor:
        """As `update`, without a thought for members that take no part: their random numbers and particles go on."""
        network = self.network
        start_SBK = network.start(carried, chunk.fresh_B)
        states_STBH, last_SBK = network.states(chunk.inputs, start_SBK, self.dropout, chunk.mask)
        # A lane that has run out goes on through padding for the rest of the epoch: what it carries there is nobody's.
        onward_SBK = torch.where(chunk.going_B.unsqueeze(-1), last_SBK, 0.0)
        if self.waits and not chunk.steps:
            return onward_SBK
        before, real = chunk.real(states_STBH[:, :-1]), chunk.real(chunk.inputs)
        nll_S = chunk.total(network.cost(before, real, self.dropout, self.chains, self.particles_SMD))
        steps_S = torch.as_tensor(chunk.steps, device=nll_S.device)
        sound_S = nll_S < self._limit * steps_S
        if not self.waits or sound_S:
            divisor_S = steps_S.clamp(min=1) if network.trial.cost == "mean" else chunk.lanes
            network.parameters.differentiate(((nll_S + self._penalty(chunk, states_STBH)) / divisor_S).sum())
            norm_S = network.parameters.gradient_SP.norm(dim=1)
            sound_S = sound_S & norm_S.isfinite()
            if not self.waits or sound_S:
                moving_S = sound_S & ~tally.diverged
                shrunk_S, ratio_S = self._move(norm_S.unsqueeze(1), moving_S.unsqueeze(1), learning_rate_S1)
                tally.add(moving_S, nll_S.detach(), steps_S, norm_S, shrunk_S, ratio_S)
        tally.diverged |= (steps_S > 0) & ~sound_S
        return onward_SBK

    def _penalty(self, chunk: Chunk | StackedChunk, states_STBH: Tensor) -> Tensor | float:
        if not self._techniques.penalise:
            return 0.0
        penalty_SN = self._techniques.penalty(chunk.read(states_STBH[:, 1:]).squeeze(1))
        return 0.0 if penalty_SN is None else chunk.total_read(penalty_SN)

    def _move(
        self, norm_S1: Tensor, moving_S1: Tensor, learning_rate_S1: Tensor
    ) -> tuple[Tensor | bool, Tensor | float]:
        """Transform the gradient and step, the moving members only.

        Returns:
            Whether the gradient was made smaller, and the size of the update beside that of the parameters.
        """
        theta_SP, gradient_SP = self.network.parameters.theta_SP, self.network.parameters.gradient_SP
        shrunk: Tensor | bool = False
        if self._techniques.transform:
            self._techniques.transform_(gradient_SP, norm_S1)
            shrunk = gradient_SP.norm(dim=1) < norm_S1.squeeze(1) * (1 - 1e-6)
        changing = (theta_SP, *self.state.values())
        still = () if self.waits else tuple(value.clone() for value in changing)
        size_S = None if self._before_SP is None else self._before_SP.copy_(theta_SP).norm(dim=1)
        rates_S1 = self._techniques.step_(theta_SP, gradient_SP, self.state["velocity"], learning_rate_S1)
        if rates_S1 is not None:
            self._optimizer.step_(theta_SP, gradient_SP, self.state, rates_S1)
        for now, before in zip(changing, still, strict=False):
            now.copy_(torch.where(moving_S1, now, before))
        if self._before_SP is None or size_S is None:
            return shrunk, nan
        return shrunk, torch.sub(theta_SP, self._before_SP, out=self._before_SP).norm(dim=1) / size_S
