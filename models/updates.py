"""One update: the cost of a chunk, its gradient, the techniques, and the step; of all members of a stack at once.

The gradient goes back to the start of the chunk (truncated back-propagation through time); the state is carried on
from the chunk before it, as a constant. The cost of a chunk is, with nll over its scored steps, which are all real ones
unless the data says otherwise, and penalties over all real steps,

    sum:   (1 / lanes in use)  * sum_{t,b} (nll_{t,b} + penalty_{t,b})
    mean:  (1 / scored steps)  * sum_{t,b} (nll_{t,b} + penalty_{t,b})

A chunk in which no step is scored is read, for its state, and makes no update.

A member diverges with a cost or a gradient that is not finite, or a cost a step of over ten times that of uniform
guessing: it is marked in the tally, and its parameters stay as they were.

A stack on a GPU is never waited for: its shapes do not depend on data, and what an update finds stays on the device
until somebody reads the tallies. A trial alone on a processor stops at once where it diverges.

What this does not do: know of epochs, validation or schedules (`training.py`).

Shape letters: S stacked trials, T time, B batch, N scored steps, P parameters in a row.
"""

from math import log

import torch
from torch import Tensor

from models.chunks import Chunk
from models.network import Network
from models.progress import Tallies
from models.randomness import generator_for
from models.stacked_chunks import StackedChunk
from models.techniques.stacked import StackedTechniques

DIVERGED_COST = 10.0
"""Cost a step, in costs of uniform guessing, from which a trial counts as diverged."""


class Updater:
    """A network that is being trained: with its velocity, and the random numbers of its dropout.

    Args:
        network: of one trial or of a stack, changed in place.

    Attributes:
        waits: whether what an update finds is looked at in the middle of it, as for a trial alone on a processor.
    """

    def __init__(self, network: Network):
        self.network = network
        theta_SP, width = network.parameters.theta_SP, network.output.width
        self.velocity_SP = torch.zeros_like(theta_SP)
        self.dropout = [generator_for(trial.seed, "dropout", device=theta_SP.device) for trial in network.trials]
        self._limit = DIVERGED_COST * (log(width) if network.output.symbols else width * log(2))
        self._techniques = StackedTechniques([trial.techniques for trial in network.trials], theta_SP)
        self.waits = theta_SP.device.type == "cpu" and len(network.trials) == 1

    def keep(self, rows: list[int]) -> None:
        """Go on with these members alone, in this order."""
        self.network.keep(rows)
        self.velocity_SP = self.velocity_SP[rows]
        self.dropout = [self.dropout[s] for s in rows]
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
        network = self.network
        # A member whose epoch is over keeps its place in its random numbers.
        idle = [(its, its.get_state()) for its, takes in zip(self.dropout, chunk.taking, strict=True) if not takes]
        states_STBH, last_SBK = network.states(chunk.inputs, network.start(carried, chunk.fresh_B), self.dropout)
        # A lane that has run out would go on through silence for the rest of the epoch, and a state that
        # overflows there makes 0 * inf of gradients that are 0.
        onward_SBK = torch.where(chunk.going_B.unsqueeze(-1), last_SBK, 0.0)
        if self.waits and not chunk.steps:
            return onward_SBK
        before, real = chunk.real(states_STBH[:, :-1]), chunk.real(chunk.inputs)
        nll_S = -chunk.total(network.log_likelihood(before, real, self.dropout))
        steps_S = torch.as_tensor(chunk.steps, device=nll_S.device)
        sound_S = nll_S < self._limit * steps_S
        if not self.waits or sound_S:
            divisor_S = steps_S.clamp(min=1) if network.trial.cost == "mean" else chunk.lanes
            network.parameters.differentiate(((nll_S + self._penalty(chunk, states_STBH)) / divisor_S).sum())
            norm_S = network.parameters.gradient_SP.norm(dim=1)
            sound_S = sound_S & norm_S.isfinite()
            if not self.waits or sound_S:
                moving_S = sound_S & ~tally.diverged
                shrunk_S = self._move(norm_S.unsqueeze(1), moving_S.unsqueeze(1), learning_rate_S1)
                tally.add(moving_S, nll_S.detach(), steps_S, norm_S, shrunk_S)
        for generator, state in idle:
            generator.set_state(state)
        tally.diverged |= (steps_S > 0) & ~sound_S
        return onward_SBK

    def _penalty(self, chunk: Chunk | StackedChunk, states_STBH: Tensor) -> Tensor | float:
        if not self._techniques.penalise:
            return 0.0
        penalty_SN = self._techniques.penalty(chunk.read(states_STBH[:, 1:]).squeeze(1))
        return 0.0 if penalty_SN is None else chunk.total_read(penalty_SN)

    def _move(self, norm_S1: Tensor, moving_S1: Tensor, learning_rate_S1: Tensor) -> Tensor | bool:
        """Transform the gradient and step, the moving members only; whether the gradient was made smaller."""
        theta_SP, gradient_SP = self.network.parameters.theta_SP, self.network.parameters.gradient_SP
        shrunk: Tensor | bool = False
        if self._techniques.transform:
            self._techniques.transform_(gradient_SP, norm_S1)
            shrunk = gradient_SP.norm(dim=1) < norm_S1.squeeze(1) * (1 - 1e-6)
        still = None if self.waits else (theta_SP.clone(), self.velocity_SP.clone())
        self._techniques.step_(theta_SP, gradient_SP, self.velocity_SP, learning_rate_S1)
        if still is not None:
            for now, before in zip((theta_SP, self.velocity_SP), still, strict=True):
                now.copy_(torch.where(moving_S1, now, before))
        return shrunk
