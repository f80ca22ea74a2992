"""The progress of a training: its learning curve, its position in the current epoch, and checkpoints.

A checkpoint holds everything that later numbers depend on. The position in the data is small: the number of finished
chunks of the epoch, and the state that each lane carries; the order of an epoch follows from the trial's seed and the
epoch's number. A training that continues from a checkpoint ends with the same bits as one that was never interrupted.

What this does not do: train (`run.py`), make decisions (`schedule.py`), or know where checkpoints are stored.

Shape letters: P parameters in a row, B lanes, K carried numbers a lane.
"""

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field, fields, replace
from math import isinf, isnan
from typing import Any, Self

from torch import Tensor

from models.training.schedule import judge
from models.training.updates.tallies import Tally
from models.trial import Trial

_FORMAT = 3
_NAN = float("nan")


@dataclass(frozen=True)
class Epoch:
    """One row of the learning curve.

    Attributes:
        epoch: passes over train so far; 0 for the initial network.
        update: updates so far; for the initial network 0, or with pre-training the updates of its phases.
        learning_rate: of the epoch.
        train: mean log-likelihood during the epoch's training, in nats per step; NaN for epoch 0, and for output models
            whose likelihood is estimated.
        valid: log-likelihood of the validation split after the epoch, in nats per step.
        gradient_norm: mean norm over the epoch's updates, before any technique changes the gradient; NaN for epoch 0.
        clipped_share: share of the updates whose gradient a technique made smaller; NaN for epoch 0.
        largest_norm: largest norm over the epoch's updates, before any technique changes the gradient; NaN for epoch 0.
        update_ratio: mean over the epoch's updates of |change of the parameters| / |parameters|; NaN for epoch 0, and
            if it is not measured.
    """

    epoch: int
    update: int
    learning_rate: float
    train: float
    valid: float
    gradient_norm: float
    clipped_share: float
    largest_norm: float
    update_ratio: float


@dataclass
class Progress:
    """The state of a training, without its tensors.

    Attributes:
        learning_rate: of the current epoch.
        epoch: number of the current epoch, from 1.
        chunk: number of finished chunks of the current epoch.
        best: the epoch with the best validation score.
        waited: number of epochs since the best one that were no better than the epoch before them.
        tally: sums of the current epoch.
        curve: the finished epochs, from epoch 0; empty before the initial network is scored.
        phase: with pre-training, number of the current phase, from 0; after the last phase, the number of phases.
        before: number of updates in earlier phases.
    """

    learning_rate: float
    epoch: int = 1
    chunk: int = 0
    best: int = 0
    waited: int = 0
    tally: Tally = field(default_factory=Tally)
    curve: list[Epoch] = field(default_factory=list)
    phase: int = 0
    before: int = 0

    @property
    def updates(self) -> int:
        """Number of updates that changed the parameters so far, including those of earlier phases."""
        return (self.curve[-1].update if self.curve else self.before) + self.tally.updates

    def row_at_start(self, valid: float) -> Epoch:
        """The first row of the curve, with the validation score of the initial network."""
        return Epoch(0, self.before, self.learning_rate, _NAN, valid, _NAN, _NAN, _NAN, _NAN)

    def row(self, valid: float, estimated: bool) -> Epoch:
        """The row of the current epoch, after all its updates.

        Args:
            valid: validation score after the epoch.
            estimated: whether the output model's likelihood is estimated. The costs are then not log-likelihoods, and
                an estimate at every update would cost more than the update.
        """
        tally = self.tally
        return Epoch(
            epoch=self.epoch,
            update=self.updates,
            learning_rate=self.learning_rate,
            train=_NAN if estimated else tally.log_likelihood / tally.steps,
            valid=valid,
            gradient_norm=tally.norms / tally.updates,
            clipped_share=tally.clipped / tally.updates,
            largest_norm=tally.largest,
            update_ratio=tally.ratios / tally.updates,
        )

    def end_epoch(self, valid: float, estimated: bool) -> bool:
        """Append the row of the current epoch and go to the next; returns whether it is a new best; see `row`."""
        self.curve.append(self.row(valid, estimated))
        best, before = self.curve[self.best].valid, self.curve[-2].valid
        new_best, self.waited = judge(valid, best, before, self.waited)
        if new_best:
            self.best = self.epoch
        self.epoch, self.chunk, self.tally = self.epoch + 1, 0, Tally()
        return new_best

    def to_json(self) -> dict[str, Any]:
        """The progress as JSON values. A row of the curve is a list; null is NaN, and "inf" is infinity.

        An infinite value is the size of an update that overflows; the next update then diverges.
        """
        rows = [[_to_json(value) for value in astuple(row)] for row in self.curve]
        tally = {name: _to_json(value) for name, value in asdict(self.tally).items()}
        return asdict(self) | {"tally": tally, "curve": rows}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The progress that `to_json` wrote, with exactly equal floats."""
        filled = [[_from_json(value) for value in row] for row in values["curve"]]
        rows = [Epoch(int(epoch), int(update), *rest) for epoch, update, *rest in filled]
        sums: dict[str, Any] = {name: _from_json(value) for name, value in values["tally"].items()}
        return cls(**{**values, "tally": Tally(**sums), "curve": rows})


def _to_json(value: float) -> float | str | None:
    if isnan(value):
        return None
    return str(value) if isinf(value) else value


def _from_json(value: float | str | None) -> float:
    if value is None:
        return _NAN
    return float(value) if isinstance(value, str) else value


class CheckpointError(ValueError):
    """A checkpoint of another trial, or of another version of the software."""


@dataclass(frozen=True)
class Checkpoint:
    """A copy of the state of a training between two updates; it does not change when the training goes on.

    Attributes:
        key: of the trial.
        progress: of the training.
        tensors: `theta`, `velocity` and `best` (the parameters of the best epoch), each (1, P), and the optimizer's
            other state; `dropout`, the state of a generator; within an epoch `carried` (1, B, K); for output models
            that train with chains, `chains`, the state of another generator, and `particles` (1, M, D). With
            pre-training also `start`, the parameters at the start of training the whole network, as far as they are
            known; during pre-training the other tensors are those of the current phase.
    """

    key: str
    progress: Progress
    tensors: dict[str, Tensor]

    def to_json(self) -> dict[str, Any]:
        """Everything except the tensors, as JSON values."""
        return {"format": _FORMAT, "key": self.key, "progress": self.progress.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """The checkpoint that `to_json` wrote, with its tensors.

        Raises:
            CheckpointError: the checkpoint is from another version of the software, or damaged.
        """
        try:
            if values["format"] == _FORMAT:
                return cls(values["key"], Progress.from_json(values["progress"]), dict(tensors))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise CheckpointError(f"checkpoint: not one of this version of the software: {error}") from error
        raise CheckpointError(f"checkpoint: of another version of the software, {values['format']!r}")


def grown(checkpoint: Checkpoint, shorter: Trial, longer: Trial) -> Checkpoint:
    """A trial's checkpoint as a checkpoint of a longer trial, which differs only by more epochs.

    Up to the end of the shorter trial both are the same training. So the longer trial, continued from there, ends with
    the same bits as from its own start.

    Args:
        checkpoint: of the shorter trial, at its end or before; its tensors are shared, not copied.
        shorter, longer: the trials.

    Raises:
        CheckpointError: the checkpoint is not of the shorter trial, the trials differ in other fields, or the longer
            one does not have more epochs.
    """
    if checkpoint.key != shorter.key:
        raise CheckpointError(f"checkpoint: of the trial {checkpoint.key}, not of {shorter.key}")
    others = [
        f.name for f in fields(Trial) if f.name != "epochs" and getattr(shorter, f.name) != getattr(longer, f.name)
    ]
    if others:
        raise CheckpointError(f"checkpoint: of a trial with another {', '.join(others)}: only epochs may differ")
    if shorter.epochs >= longer.epochs:
        raise CheckpointError(
            f"checkpoint: of a trial with {shorter.epochs} epochs, and this one has {longer.epochs}: wants more"
        )
    return replace(checkpoint, key=longer.key)
