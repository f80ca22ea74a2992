"""One update for all members of a stack: the cost of a chunk, its gradient, the techniques, and the step.

The gradient goes back to the start of the chunk (truncated back-propagation through time); the state is carried on
from the chunk before it, as a constant. The cost of a chunk is, with nll over its scored steps and penalties over all
unpadded ones, which are the same unless the data says otherwise,

    sum:   (1 / lanes in use)  * sum_{t,b} (nll_{t,b} + penalty_{t,b})
    mean:  (1 / scored steps)  * sum_{t,b} (nll_{t,b} + penalty_{t,b})

A chunk without a scored step only advances the state; no update is made. An output model whose likelihood is
intractable, the RBM, replaces nll by a cost of its own (`Output.cost`): F(v) - F(v_k), a difference of free energies.
It is large if the model has moved away from the data, so the same limit detects divergence. It cannot be far below
zero, since v_k is drawn from the model, which rarely draws values that it finds unlikely.

A member diverges if its cost or gradient is not finite, or if its cost per step is over ten times that of uniform
guessing. It is then marked in the tally, and its parameters are not changed.

A stack on a GPU never waits for the device: shapes do not depend on data, and results stay on the device until the
tallies are read. A single trial on a CPU stops at once when it diverges.

What this does not do: choose the chunks of an epoch (`gradient_descent.py`), or know validation and schedules
(`run.py`).

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
from models.training.updates.ranks import Ranks
from models.training.updates.split_gradient import SplitGradient
from models.training.updates.stacked_techniques import StackedTechniques
from models.training.updates.streams import Streams
from models.training.updates.tallies import Tallies

DIVERGED_COST = 10.0
"""Cost per step, as a multiple of that of uniform guessing, above which a trial counts as diverged."""


def diverged_cost(network: Network) -> float:
    """The cost per step, in nats, above which a member counts as diverged."""
    width = network.output.width
    return DIVERGED_COST * (log(width) if network.output.symbols else width * log(2))


class ChunkUpdater:
    """Makes the updates of a network, one for each chunk, and holds the state between them.

    Args:
        network: of one trial or of a stack; changed in place.
        streams: random numbers for dropout and chains; None for the trials' streams at their start.
        diagnosing: whether to measure the size of the updates relative to the parameters.
        ranks: processes that share the lanes of every chunk; None for this process alone.

    Attributes:
        state: the velocity, the optimizer's state, and the moving average of the parameters if the trials have one;
            each with the S axis first.
        particles_SMD: of the output model, or None.
        gradient: computes the cost of a chunk and its gradient.
        waits: whether intermediate results of an update are read at once, as for a single trial on a CPU.
    """

    def __init__(
        self, network: Network, streams: Streams | None = None, diagnosing: bool = True, ranks: Ranks | None = None
    ):
        self.network, self._ranks = network, ranks
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
        own: Gradient = (
            NativeGradient(network, techniques, streams.dropout)
            if self.waits and native_chunk.serves(network)
            else ComposedGradient(network, techniques, streams.dropout, streams.chains, self.particles_SMD)
        )
        self.gradient = own if self._ranks is None else SplitGradient(own, network, self._ranks)
        self._native_step = NativeStep(network) if self.waits and native_step.serves(network) else None
        # Kept, since allocating this memory at every update would cost more than the measurement.
        measured = self._diagnosing and self._native_step is None
        self._before_SP = torch.empty_like(network.parameters.theta_SP) if measured else None

    def keep(self, rows: list[int]) -> None:
        """Keep only these members, in this order; called after the network's and the streams' `keep`."""
        self.state = {name: value[rows] for name, value in self.state.items()}
        self.particles_SMD = None if self.particles_SMD is None else self.particles_SMD[rows]
        self._set_up()

    def update(
        self, chunk: Chunk | StackedChunk, carried: Tensor | None, learning_rate_S1: Tensor, tally: Tallies
    ) -> Tensor:
        """Make the update of one chunk: forward, backward, one step.

        Args:
            chunk: the data.
            carried: result for the previous chunk; None for the first chunk of an epoch.
            learning_rate_S1: eps of each member.
            tally: sums to add to, and marks of diverged members.

        Returns:
            The state to carry on, detached from the graph.
        """
        # A member whose epoch is over must not use random numbers, and keeps its particles.
        idle = [s for s, takes in enumerate(chunk.taking) if not takes]
        streams = (self.streams.dropout, self.streams.chains)
        kept = [(generators[s], generators[s].get_state()) for generators in streams for s in idle]
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
        """As `update`, but random numbers and particles of members without a chunk advance too."""
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
        """As `step`, for one trial on a CPU, with Python numbers: tiny tensors cost more than their arithmetic."""
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
        """Transform the gradient and make the step, for the moving members only.

        Returns:
            Whether the gradient was made smaller, and the size of the update relative to the parameters, each (S,).
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
        """Update the moving average of the parameters, if the trials have one."""
        if self.network.trial.averaging > 0:
            average_(self.state, self.network.parameters.theta_SP, self.network.trial.averaging)
