"""One update: the cost of a chunk, its gradient, the techniques, and the step.

The gradient goes back to the start of the chunk (truncated back-propagation through time); the state is carried on
from the chunk before it, as a constant. The cost of a chunk is, over its real steps,

    sum:   (1 / lanes in use) * sum_{t,b} (nll_{t,b} + penalty_{t,b})
    mean:  (1 / real steps)   * sum_{t,b} (nll_{t,b} + penalty_{t,b})

where an output model whose likelihood cannot be had has a cost of its own in the place of nll (`Output.cost`). A
difference of free energies, F(v) - F(v_k), is large where the model has left the data behind, and so diverges by the
same limit; it cannot be far below zero, since v_k is a draw by the model, which seldom draws what it finds unlikely.

What this does not do: know of epochs, validation or schedules (`training.py`).

Shape letters: S stacked trials, T time, B batch, P parameters in a row.
"""

from math import isfinite, log

import torch
from torch import Tensor

from models.chunks import Chunk
from models.network import Network
from models.optimizers import sgd_step_
from models.progress import Tally
from models.randomness import generator_for
from models.techniques import Technique
from models.trial import Trial

DIVERGED_COST = 10.0
"""Cost a step, in costs of uniform guessing, from which a trial counts as diverged."""


class Diverged(Exception):  # noqa: N818  # no error: a result, which training turns into a status
    """A cost or a gradient that is not finite, or a cost over `DIVERGED_COST`."""


class Updater:
    """A network that is being trained: with its velocity, its particles, and random numbers for dropout and chains.

    Args:
        trial: the configuration.
        network: its network, changed in place.
    """

    def __init__(self, trial: Trial, network: Network):
        self.trial, self.network = trial, network
        self.velocity_SP = torch.zeros_like(network.parameters.theta_SP)
        self.dropout = generator_for(trial.seed, "dropout")
        self.chains = generator_for(trial.seed, "chains")
        self.particles = network.output.particles(1, network.parameters.theta_SP)
        width = network.output.width
        self._limit = DIVERGED_COST * (log(width) if network.output.symbols else width * log(2))
        self._penalising = [t for t in trial.techniques if type(t).penalty is not Technique.penalty]
        self._transforming = [t for t in trial.techniques if type(t).transform_ is not Technique.transform_]

    def update(self, chunk: Chunk, carried: Tensor | None, learning_rate: float, tally: Tally) -> Tensor:
        """One chunk: forward, backward, one step.

        Args:
            chunk: the data.
            carried: what the chunk before gave back, None for the first of an epoch.
            learning_rate: eps.
            tally: sums to add to.

        Returns:
            The state to carry on, outside the graph.

        Raises:
            Diverged: the parameters are then as they were.
        """
        parameters = self.network.parameters
        data = chunk.data.unsqueeze(0)
        states_STBH, last_SBK = self.network.states(data, self.network.start(carried, chunk.fresh_B), [self.dropout])
        before, steps = chunk.real(states_STBH[:, :-1]), len(chunk.real_N)
        nll = self.network.cost(before, chunk.real(data), [self.dropout], [self.chains], self.particles).sum()
        nats = nll.item()
        if not nats < self._limit * steps:
            raise Diverged
        divisor = steps if self.trial.cost == "mean" else int(chunk.mask_TB[0].sum())
        cost = (nll + self._penalty(chunk, states_STBH)) / divisor
        parameters.gradient_SP.zero_()
        cost.backward()  # type: ignore[no-untyped-call]
        self._step(learning_rate, tally)
        tally.log_likelihood -= nats
        tally.steps += steps
        # A lane that has run out would go on through silence for the rest of the epoch, and a state that
        # overflows there makes 0 * inf of gradients that are 0.
        return torch.where(chunk.mask_TB[-1][:, None], last_SBK, 0.0)

    def _penalty(self, chunk: Chunk, states_STBH: Tensor) -> Tensor | float:
        if not self._penalising:
            return 0.0
        real = chunk.real(states_STBH[:, 1:])
        penalties = (technique.penalty(real) for technique in self._penalising)
        return sum(penalty_STB.sum() for penalty_STB in penalties if penalty_STB is not None)

    def _step(self, learning_rate: float, tally: Tally) -> None:
        theta_SP, gradient_SP = self.network.parameters.theta_SP, self.network.parameters.gradient_SP
        norm_S = gradient_SP.norm(dim=1)
        norm = float(norm_S)
        if not isfinite(norm):
            raise Diverged
        tally.updates += 1
        tally.norms += norm
        if self._transforming:
            for technique in self._transforming:
                technique.transform_(gradient_SP, norm_S)
            tally.clipped += float(gradient_SP.norm()) < norm * (1 - 1e-6)
        stepped = [t.step_(theta_SP, gradient_SP, self.velocity_SP, learning_rate) for t in self.trial.techniques]
        if not any(stepped):
            sgd_step_(theta_SP, gradient_SP, learning_rate)
