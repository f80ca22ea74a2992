"""One update: the cost of a chunk, its gradient, the techniques, and the step; of all members of a stack at once.

The gradient goes back to the start of the chunk (truncated back-propagation through time); the state is carried on
from the chunk before it, as a constant. The cost of a chunk is, with nll over its scored steps and penalties over all
unpadded ones, which are the same unless the data says otherwise,

    sum:   (1 / lanes in use)  * sum_{t,b} (nll_{t,b} + penalty_{t,b})
    mean:  (1 / scored steps)  * sum_{t,b} (nll_{t,b} + penalty_{t,b})

A chunk without a scored step only advances the state; no update is made. An output model whose likelihood is
intractable, the RBM, replaces nll by a cost of its own (`Output.cost`): F(v) - F(v_k), a difference of free energies.
It is large where the model has left the data behind, and so diverges by the same limit; it cannot be far below zero,
since v_k is a draw by the model, which seldom draws what it finds unlikely.

A member diverges with a cost or a gradient that is not finite, or a cost a step of over ten times that of uniform
guessing: it is marked in the tally, and its parameters stay as they were.

A stack on a GPU is never waited for: its shapes do not depend on data, and what an update finds stays on the device
until somebody reads the tallies. A trial alone on a processor stops at once where it diverges.

What this does not do: know of the chunks of an epoch (`gradient_descent.py`), of validation or schedules (`run.py`).

Shape letters: S stacked trials, T time, B batch, N scored steps, P parameters in a row, D width of the data, K
carried numbers a lane, M particles.
"""

from math import inf, log, nan

import torch
from torch import Tensor
from torch.linalg import vector_norm

from models import native_chunk
from models.data.chunks import Chunk
from models.data.stacked import StackedChunk
from models.network import Network
from models.optimizers import Optimizer
from models.training.updates import native_step
from models.training.updates.averaging import average_, fresh_average
from models.training.updates.gradient import ComposedGradient, Gradient
from models.training.updates.native_gradient import NativeGradient
from models.training.updates.native_step import NativeStep
from models.training.updates.stacked_techniques import StackedTechniques
from models.training.updates.streams import Streams
from models.training.updates.tallies import Tallies

DIVERGED_COST = 10.0
"""Cost a step, in costs of uniform guessing, from which a trial counts as diverged."""


def diverged_cost(network: Network) -> float:
    """The cost a step, in nats, from which a member counts as diverged."""
    width = network.output.width
    return DIVERGED_COST * (log(width) if network.output.symbols else width * log(2))


class ChunkUpdater:
    """The updates of a network, a chunk each, and what is kept between them.

    Args:
        network: of one trial or of a stack, changed in place.
        streams: random numbers for dropout and chains; those of the trials at their start where None is given.
        diagnosing: whether to measure how large the updates are beside the parameters.

    Attributes:
        state: the velocity, what the optimizer keeps beside it, and where trials have one the moving average of the
            parameters, each with the S axis first.
        particles_SMD: of the output model, None for none.
        gradient: what gives the cost of a chunk and its gradient.
        waits: whether what an update finds is looked at in the middle of it, as for a trial alone on a processor.
    """

    def __init__(self, network: Network, streams: Streams | None = None, diagnosing: bool = True):
        self.network = network
        theta_SP = network.parameters.theta_SP
        optimizer = network.trial.optimizer_type()
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"updater: {optimizer.name} has no rule of update of its own")
        self._optimizer = optimizer
        self.state = {"velocity": torch.zeros_like(theta_SP)} | self._optimizer.state(theta_SP)
        if network.trial.averaging > 0:
            self.state |= fresh_average(theta_SP)
        self.streams = Streams(network.trials, theta_SP.device) if streams is None else streams
        self.particles_SMD = network.output.particles(len(network.trials), theta_SP)
        self._limit = diverged_cost(network)
        self._diagnosing = diagnosing
        self.waits = theta_SP.device.type == "cpu" and len(network.trials) == 1
        self._set_up()

    def _set_up(self) -> None:
        network, streams = self.network, self.streams
        techniques = StackedTechniques([trial.techniques for trial in network.trials], network.parameters.theta_SP)
        self._techniques = techniques
        self.gradient: Gradient = (
            NativeGradient(network, techniques, streams.dropout)
            if self.waits and native_chunk.serves(network)
            else ComposedGradient(network, techniques, streams.dropout, streams.chains, self.particles_SMD)
        )
        self._native_step = NativeStep(network) if self.waits and native_step.serves(network) else None
        # Fresh memory of this size at every update would cost more than what is measured in it.
        measured = self._diagnosing and self._native_step is None
        self._before_SP = torch.empty_like(network.parameters.theta_SP) if measured else None

    def keep(self, rows: list[int]) -> None:
        """Go on with these members alone, in this order; after the network and the streams did."""
        self.state = {name: value[rows] for name, value in self.state.items()}
        self.particles_SMD = None if self.particles_SMD is None else self.particles_SMD[rows]
        self._set_up()

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
        kept = [(its[s], its[s].get_state()) for its in (self.streams.dropout, self.streams.chains) for s in idle]
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
        if self._native_step is not None and isinstance(chunk, Chunk):
            return self._step_natively(self._native_step, chunk, carried, learning_rate_S1, tally)
        nll_S, onward_SBK = self.gradient.forward(chunk, carried)
        if self.waits and not chunk.scored_steps:
            return onward_SBK
        steps_S = torch.as_tensor(chunk.scored_steps, device=nll_S.device).expand_as(nll_S)
        sound_S = nll_S < self._limit * steps_S
        if not self.waits or sound_S:
            mean = self.network.trial.cost == "mean"
            norm_S = self.gradient.backward(steps_S.clamp(min=1) if mean else torch.as_tensor(chunk.lanes))
            sound_S = sound_S & (norm_S < inf)
            if not self.waits or sound_S:
                moving_S = sound_S & ~tally.diverged
                shrunk_S, ratio_S = self._move(norm_S.unsqueeze(1), moving_S.unsqueeze(1), learning_rate_S1)
                tally.add(moving_S, nll_S, steps_S, norm_S, shrunk_S, ratio_S)
        if not self.waits or not sound_S:
            tally.diverged |= (steps_S > 0) & ~sound_S
        return onward_SBK

    def _step_natively(
        self,
        native: NativeStep,
        chunk: Chunk,
        carried: Tensor | None,
        learning_rate_S1: Tensor,
        tally: Tallies,
    ) -> Tensor:
        """As `step`, of one trial on a processor, in plain numbers: small tensors take longer than what is in them."""
        nll_S, onward_SBK = self.gradient.forward(chunk, carried)
        steps, nll, norm = chunk.scored_steps, nll_S.item(), nan
        if not steps:
            return onward_SBK
        if nll < self._limit * steps:
            mean = self.network.trial.cost == "mean"
            norm = self.gradient.backward(torch.as_tensor(steps if mean else chunk.lanes)).item()
        if not norm < inf:
            tally.diverged.fill_(True)
        elif not tally.diverged.item():
            shrunk, ratio = native(self.state["velocity"], norm, learning_rate_S1.item())
            self._average()
            tally.count(nll, steps, norm, shrunk, ratio if self._diagnosing else nan)
        return onward_SBK

    def _move(self, norm_S1: Tensor, moving_S1: Tensor, learning_rate_S1: Tensor) -> tuple[Tensor, Tensor]:
        """Transform the gradient and step, the moving members only.

        Returns:
            Whether the gradient was made smaller, and the size of the update beside that of the parameters, each (S,).
        """
        theta_SP, gradient_SP = self.network.parameters.theta_SP, self.network.parameters.gradient_SP
        norm_S = norm_S1.squeeze(1)
        if self._techniques.transform:
            self._techniques.transform_(gradient_SP, norm_S1)
            shrunk_S = vector_norm(gradient_SP, dim=1) < norm_S * (1 - 1e-6)
        else:
            shrunk_S = torch.zeros_like(norm_S)
        changing = (theta_SP, *self.state.values())
        still = () if self.waits else tuple(value.clone() for value in changing)
        size_S = None if self._before_SP is None else vector_norm(self._before_SP.copy_(theta_SP), dim=1)
        rates_S1 = self._techniques.step_(theta_SP, gradient_SP, self.state["velocity"], learning_rate_S1)
        if rates_S1 is not None:
            self._optimizer.step_(theta_SP, gradient_SP, self.state, rates_S1)
        self._average()
        for now, before in zip(changing, still, strict=False):
            now.copy_(torch.where(moving_S1, now, before))
        if self._before_SP is None or size_S is None:
            return shrunk_S, torch.full_like(norm_S, nan)
        moved_SP = torch.sub(theta_SP, self._before_SP, out=self._before_SP)
        return shrunk_S, vector_norm(moved_SP, dim=1) / size_S

    def _average(self) -> None:
        """Take the parameters after an update into their average, where trials have one."""
        if self.network.trial.averaging > 0:
            average_(self.state, self.network.parameters.theta_SP, self.network.trial.averaging)
