"""Training: epochs of updates, a learning-rate schedule, early stopping; in steps that can be stopped between.

One update a chunk (`updates.py`). After every epoch the validation split is scored. The best parameters so far are
kept; without a new best the learning rate is multiplied by `decay`, and after `patience` such epochs in a row
training ends.

Divergence is a result: a cost or a gradient that is not finite, or a cost a step of over ten times that of uniform
guessing, ends training with the number of the update. What was best before it is kept.

A run advances by one update, or by the scoring at the end of an epoch. Between two such steps it can be left, and a
checkpoint taken there gives a run that ends with the same bits.

Shape letters: S stacked trials, P parameters in a row, B lanes, K carried numbers a lane.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import torch
from torch import Tensor

from models.baselines import frequencies
from models.chunks import Chunk, Pieces, chunks, shuffled
from models.metrics import score
from models.network import Network
from models.progress import Checkpoint, CheckpointError, Epoch, Progress, Tally
from models.randomness import generator_for
from models.trial import Trial
from models.updates import Diverged, Updater

_NAN = float("nan")


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


def train(
    trial: Trial,
    train_pieces: Pieces,
    valid_pieces: Pieces,
    width: int,
    between: Callable[["Run"], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Training:
    """Train one trial to its end.

    Args:
        trial: the configuration.
        train_pieces, valid_pieces: the two splits that training may see.
        width: notes or symbols D.
        between: called after every step but the last; may ask for `Run.checkpoint`, and raise to stop.
        checkpoint: where to go on from, None for the start.

    Raises:
        CheckpointError: the checkpoint is not one of this trial.
    """
    run = Run(trial, train_pieces, valid_pieces, width, checkpoint)
    while run.advance():
        if between is not None:
            between(run)
    return run.result()


class Run:
    """A training under way.

    Attributes:
        progress: where it is; for reading.

    Args and errors are those of `train`.
    """

    def __init__(
        self,
        trial: Trial,
        train_pieces: Pieces,
        valid_pieces: Pieces,
        width: int,
        checkpoint: Checkpoint | None = None,
    ):
        self._trial, self._train, self._valid = trial, train_pieces, valid_pieces
        self._network = Network(trial, frequencies(train_pieces, width).float())
        self._updater = Updater(trial, self._network)
        self._best_SP = self._network.parameters.theta_SP.clone()
        self._carried_SBK: Tensor | None = None
        self._diverged = False
        self.progress = Progress(trial.learning_rate)
        if checkpoint is not None:
            self._restore(checkpoint)
        self._chunks = self._epoch_from(self.progress.chunk)

    def advance(self) -> bool:
        """One step: an update, or the scoring that ends an epoch; whether there is another one after it."""
        try:
            if not self.progress.curve:
                self._begin()
            elif (chunk := next(self._chunks, None)) is not None:
                self._update(chunk)
            else:
                return self._end_epoch()
        except Diverged:
            self._diverged = True
        return not self._diverged

    def _begin(self) -> None:
        valid = score(self._network, self._valid).mean_log_likelihood
        self.progress.curve.append(Epoch(0, 0, self.progress.learning_rate, _NAN, valid, _NAN, _NAN))

    def _update(self, chunk: Chunk) -> None:
        now = self.progress
        now.updates += 1
        self._carried_SBK = self._updater.update(chunk, self._carried_SBK, now.learning_rate, now.tally)
        now.chunk += 1

    def _end_epoch(self) -> bool:
        now = self.progress
        valid = score(self._network, self._valid).mean_log_likelihood
        if not isfinite(valid):
            raise Diverged
        now.curve.append(_row(now, valid, self._network.output.estimated))
        if valid > now.curve[now.best].valid:
            now.best, now.waited = now.epoch, 0
            self._best_SP.copy_(self._network.parameters.theta_SP)
        else:
            now.learning_rate *= self._trial.decay
            now.waited += 1
        if now.waited == self._trial.patience or now.epoch == self._trial.epochs:
            return False
        now.epoch, now.chunk, now.tally, self._carried_SBK = now.epoch + 1, 0, Tally(), None
        self._chunks = self._epoch_from(0)
        return True

    def _epoch_from(self, chunk: int) -> Iterator[Chunk]:
        trial = self._trial
        order = shuffled(self._train, trial.batch, generator_for(trial.seed, "order", self.progress.epoch))
        return chunks(self._train, order, trial.batch, trial.chunk, skip=chunk)

    def checkpoint(self) -> Checkpoint:
        """Everything that the rest of this training depends on, copied."""
        tensors = {name: value.clone() for name, value in self._tensors().items()}
        return Checkpoint(self._trial.key, deepcopy(self.progress), tensors)

    def _tensors(self) -> dict[str, Tensor]:
        theta_SP, dropout = self._network.parameters.theta_SP, self._updater.dropout.get_state()
        tensors = {"theta": theta_SP, "velocity": self._updater.velocity_SP, "best": self._best_SP, "dropout": dropout}
        if self._network.output.estimated:
            tensors["chains"] = self._updater.chains.get_state()
        if self._updater.particles is not None:
            tensors["particles"] = self._updater.particles
        return tensors if self._carried_SBK is None else tensors | {"carried": self._carried_SBK}

    def _restore(self, checkpoint: Checkpoint) -> None:
        if checkpoint.key != self._trial.key:
            raise CheckpointError(f"checkpoint: of the trial {checkpoint.key}, not of {self._trial.key}")
        now = self.progress = deepcopy(checkpoint.progress)
        if now.chunk:
            initial_SK = self._network.parameters.by_name["initial_state"]
            lanes = min(self._trial.batch, len(self._train))
            self._carried_SBK = torch.zeros_like(initial_SK.detach()).unsqueeze(1).repeat(1, lanes, 1)
        mine, tensors = self._tensors(), checkpoint.tensors
        if {name: (value.shape, value.dtype) for name, value in tensors.items()} != {
            name: (value.shape, value.dtype) for name, value in mine.items()
        }:
            raise CheckpointError(f"checkpoint: its tensors are not those of {self._trial.variant}")
        # Copied into memory of our own: a file's tensors may lie anywhere, and a product add in another order there.
        for name, value in mine.items():
            value.copy_(tensors[name])
        self._updater.dropout.set_state(mine["dropout"])
        if "chains" in mine:
            self._updater.chains.set_state(mine["chains"])

    def result(self) -> Training:
        """What came of it, once there is no step left."""
        now, network = self.progress, self._network
        weights = {name: value[0].clone() for name, value in network.parameters.split(self._best_SP).items()}
        if network.retention_SH is not None:
            weights["retention"] = network.retention_SH[0].clone()
        return Training(
            status="diverged" if self._diverged else "completed",
            diverged_at=now.updates if self._diverged else None,
            best=now.curve[now.best],
            curve=tuple(now.curve),
            updates=now.updates,
            weights=weights,
        )


def _row(now: Progress, valid: float, estimated: bool) -> Epoch:
    tally = now.tally
    return Epoch(
        epoch=now.epoch,
        update=now.updates,
        learning_rate=now.learning_rate,
        # The costs of such a model are no log-likelihoods, and an estimate at every update would cost more than it.
        train=_NAN if estimated else tally.log_likelihood / tally.steps,
        valid=valid,
        gradient_norm=tally.norms / tally.updates,
        clipped_share=tally.clipped / tally.updates,
    )
