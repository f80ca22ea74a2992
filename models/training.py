"""Training: truncated back-propagation through time, a learning-rate schedule, early stopping.

One update a chunk (`chunks.py`): the gradient goes back to the start of the chunk, the state is carried on from
the chunk before it. The cost of a chunk is, over its real steps,

    sum:   (1 / lanes in use) * sum_{t,b} (nll_{t,b} + penalty_{t,b})
    mean:  (1 / real steps)   * sum_{t,b} (nll_{t,b} + penalty_{t,b})

After every epoch the validation split is scored. The best parameters so far are kept; without a new best the
learning rate is multiplied by `decay`, and after `patience` such epochs in a row training ends.

Divergence is a result: a cost or a gradient that is not finite, or a cost a step of over ten times that of uniform
guessing, ends training with the number of the update. What was best before it is kept.

Shape letters: S stacked trials, T time, B batch, P parameters in a row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite, log
from typing import Literal

import torch
from torch import Tensor

from models.baselines import frequencies
from models.chunks import Chunk, Pieces, chunks, shuffled
from models.metrics import score
from models.network import Network
from models.optimizers import sgd_step_
from models.randomness import generator_for
from models.trial import Trial

DIVERGED_COST = 10.0
"""Cost a step, in costs of uniform guessing, from which a trial counts as diverged."""


@dataclass(frozen=True)
class Epoch:
    """One row of the learning curve.

    Attributes:
        epoch, update: passes over train and updates so far; 0 for the network as it starts.
        learning_rate: of the epoch.
        train: log-likelihood in nats a step, as met while training; NaN for epoch 0.
        valid: log-likelihood in nats a step of the validation split, after the epoch.
        gradient_norm: mean norm over the epoch's updates, before any technique changes it; NaN for epoch 0.
        clipped_share: share of the updates whose gradient a technique made smaller; NaN for epoch 0.
    """

    epoch: int
    update: int
    learning_rate: float
    train: float
    valid: float
    gradient_norm: float
    clipped_share: float


@dataclass(frozen=True)
class Training:
    """What came of a trial.

    Attributes:
        status: `completed`, or `diverged`.
        diverged_at: the update at which it diverged, counted from 1.
        best: the epoch with the best validation score.
        curve: all epochs.
        updates: how many updates were made, one that diverged included.
        weights: the parameters of `best` by name, and the units' `retention` where some leak.
    """

    status: Literal["completed", "diverged"]
    diverged_at: int | None
    best: Epoch
    curve: tuple[Epoch, ...]
    updates: int
    weights: dict[str, Tensor]


@dataclass
class _Tally:
    """Sums over the updates of one epoch."""

    updates: int = 0
    log_likelihood: float = 0.0
    steps: int = 0
    norms: list[float] = field(default_factory=list)
    clipped: int = 0


class _Diverged(Exception):
    """Raised inside the epoch, turned into a status by `train`."""


def train(
    trial: Trial,
    train_pieces: Pieces,
    valid_pieces: Pieces,
    width: int,
    tick: Callable[[Epoch], None] | None = None,
) -> Training:
    """Train one trial to its end.

    Args:
        trial: the configuration.
        train_pieces, valid_pieces: the two splits that training may see.
        width: notes or symbols D.
        tick: called after every epoch; may raise to stop.
    """
    run = _Run(trial, train_pieces, width)
    learning_rate = trial.learning_rate
    nan = float("nan")
    curve = [Epoch(0, 0, learning_rate, nan, score(run.network, valid_pieces).mean_log_likelihood, nan, nan)]
    best, weights, waited, diverged_at = curve[0], run.network.parameters.theta_SP.clone(), 0, None
    for number in range(1, trial.epochs + 1):
        try:
            tally = run.epoch(number, learning_rate)
            valid = run.validate(valid_pieces)
        except _Diverged:
            diverged_at = run.updates
            break
        curve.append(_row(number, run.updates, learning_rate, tally, valid))
        if tick is not None:
            tick(curve[-1])
        if valid > best.valid:
            best, waited = curve[-1], 0
            weights.copy_(run.network.parameters.theta_SP)
            continue
        learning_rate *= trial.decay
        waited += 1
        if waited == trial.patience:
            break
    named = {name: value[0].clone() for name, value in run.network.parameters.split(weights).items()}
    status: Literal["completed", "diverged"] = "completed" if diverged_at is None else "diverged"
    if run.network.retention_SH is not None:
        named["retention"] = run.network.retention_SH[0].clone()
    return Training(status, diverged_at, best, tuple(curve), run.updates, named)


def _row(number: int, update: int, learning_rate: float, tally: _Tally, valid: float) -> Epoch:
    return Epoch(
        epoch=number,
        update=update,
        learning_rate=learning_rate,
        train=tally.log_likelihood / tally.steps,
        valid=valid,
        gradient_norm=sum(tally.norms) / tally.updates,
        clipped_share=tally.clipped / tally.updates,
    )


class _Run:
    """The state of one training run: the network, the velocity, the number of updates."""

    def __init__(self, trial: Trial, pieces: Pieces, width: int):
        self.trial, self.pieces = trial, pieces
        self.network = Network(trial, frequencies(pieces, width).float())
        self.velocity_SP = torch.zeros_like(self.network.parameters.theta_SP)
        self.updates = 0
        uniform = log(width) if self.network.output.symbols else width * log(2)
        self.limit = DIVERGED_COST * uniform
        self.dropout = generator_for(trial.seed, "dropout")

    def validate(self, pieces: Pieces) -> float:
        value = score(self.network, pieces).mean_log_likelihood
        if not isfinite(value):
            raise _Diverged
        return value

    def epoch(self, number: int, learning_rate: float) -> _Tally:
        order = shuffled(self.pieces, self.trial.batch, generator_for(self.trial.seed, "order", number))
        tally, carried = _Tally(), None
        for chunk in chunks(self.pieces, order, self.trial.batch, self.trial.chunk):
            carried = self.update(chunk, carried, learning_rate, tally)
        return tally

    def update(self, chunk: Chunk, carried: Tensor | None, learning_rate: float, tally: _Tally) -> Tensor:
        """One chunk: forward, backward, one step; returns the state to carry on."""
        parameters = self.network.parameters
        self.updates += 1
        data = chunk.data.unsqueeze(0)
        states_STBH = self.network.states(data, self.network.start(carried, chunk.fresh_B), self.dropout)
        before, steps = chunk.real(states_STBH[:, :-1]), len(chunk.real_N)
        nll = -self.network.log_likelihood(before, chunk.real(data), self.dropout).sum()
        nats = nll.item()
        if not nats < self.limit * steps:
            raise _Diverged
        divisor = steps if self.trial.cost == "mean" else int(chunk.mask_TB[0].sum())
        cost = (nll + self._penalty(chunk.real(states_STBH[:, 1:]))) / divisor
        parameters.gradient_SP.zero_()
        cost.backward()  # type: ignore[no-untyped-call]
        self._step(learning_rate, tally)
        tally.log_likelihood -= nats
        tally.steps += steps
        # A lane that has run out would go on through silence for the rest of the epoch, and a state that
        # overflows there makes 0 * inf of gradients that are 0.
        return torch.where(chunk.mask_TB[-1][:, None], states_STBH[:, -1].detach(), 0.0)

    def _penalty(self, states_STBH: Tensor) -> Tensor | float:
        penalties = (technique.penalty(states_STBH) for technique in self.trial.techniques)
        return sum(penalty_STB.sum() for penalty_STB in penalties if penalty_STB is not None)

    def _step(self, learning_rate: float, tally: _Tally) -> None:
        theta_SP, gradient_SP = self.network.parameters.theta_SP, self.network.parameters.gradient_SP
        norm_S = gradient_SP.norm(dim=1)
        norm = float(norm_S)
        if not isfinite(norm):
            raise _Diverged
        for technique in self.trial.techniques:
            technique.transform_(gradient_SP, norm_S)
        tally.updates += 1
        tally.norms.append(norm)
        tally.clipped += float(gradient_SP.norm()) < norm * (1 - 1e-6)
        stepped = [t.step_(theta_SP, gradient_SP, self.velocity_SP, learning_rate) for t in self.trial.techniques]
        if not any(stepped):
            sgd_step_(theta_SP, gradient_SP, learning_rate)
