"""How far a training is: the learning curve, the place in the epoch under way, and a checkpoint of it all.

A checkpoint holds everything that the numbers to come depend on. The data's position needs little, since the order
of an epoch follows from the trial's seed and the epoch's number: how many of its chunks are done, and the state that
each lane carries. Whoever goes on from a checkpoint ends with the same bits as whoever was never interrupted.

What this does not do: train (`run.py`), decide anything (`schedule.py`), or know where checkpoints are kept.

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
        epoch, update: passes over train and updates so far; 0 for the network as it starts, of a trial with
            pre-training the updates of its phases.
        learning_rate: of the epoch.
        train: log-likelihood in nats a step, as met while training; NaN for epoch 0, and where it is not known
            because the likelihood of the output model is estimated.
        valid: log-likelihood in nats a step of the validation split, after the epoch.
        gradient_norm: mean norm over the epoch's updates, before any technique changes it; NaN for epoch 0.
        clipped_share: share of the updates whose gradient a technique made smaller; NaN for epoch 0.
        largest_norm: largest norm over the epoch's updates, before any technique changes it; NaN for epoch 0.
        update_ratio: mean over the epoch's updates of |change of the parameters| / |parameters|; NaN for epoch 0, and
            where it is not measured.
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
    """Where a training is, but for its tensors.

    Attributes:
        learning_rate: of the epoch under way.
        epoch: the one under way, from 1.
        chunk: chunks of it that are done.
        best: the epoch with the best validation score.
        waited: epochs since the best one that were no better than the one before them.
        tally: sums of the epoch under way.
        curve: the epochs that are done, from epoch 0; empty before the network was scored as it starts.
        phase: of a trial with pre-training the phase that this is of, counted from 0; after the last comes the whole.
        before: updates of the phases before.
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
        """Updates that moved the parameters so far; of the whole with those of the phases before it."""
        return (self.curve[-1].update if self.curve else self.before) + self.tally.updates

    def row_at_start(self, valid: float) -> Epoch:
        """The first row of the curve, with the validation score of the network as it starts."""
        return Epoch(0, self.before, self.learning_rate, _NAN, valid, _NAN, _NAN, _NAN, _NAN)

    def row(self, valid: float, estimated: bool) -> Epoch:
        """The row of the curve of the epoch under way, when all its updates are made.

        Args:
            valid: validation score after it.
            estimated: whether the likelihood of the output model is estimated. Its costs are then no log-likelihoods,
                and an estimate at every update would cost more than it.
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
        """Write the row of the epoch under way and go on to the next; whether it was a new best. Arguments as above."""
        self.curve.append(self.row(valid, estimated))
        best, before = self.curve[self.best].valid, self.curve[-2].valid
        new_best, self.waited = judge(valid, best, before, self.waited)
        if new_best:
            self.best = self.epoch
        self.epoch, self.chunk, self.tally = self.epoch + 1, 0, Tally()
        return new_best

    def to_json(self) -> dict[str, Any]:
        """The progress as JSON values; a row of the curve is a list, and in it and in the tally null is NaN, "inf" inf.

        Infinite is the size of an update that overflows, before the next one diverges.
        """
        rows = [[_to_json(value) for value in astuple(row)] for row in self.curve]
        tally = {name: _to_json(value) for name, value in asdict(self.tally).items()}
        return asdict(self) | {"tally": tally, "curve": rows}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The progress that `to_json` wrote, float for float."""
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
    """A checkpoint that is not one of this trial, or of this version of the software."""


@dataclass(frozen=True)
class Checkpoint:
    """A training between two updates, on its own: nothing in it changes when the training goes on.

    Attributes:
        key: of the trial.
        progress: where it is.
        tensors: `theta`, `velocity` and `best`, the parameters of the best epoch, each (1, P), and what the optimizer
            keeps beside them; `dropout`, the state of the generator; `carried` (1, B, K) within an epoch; `chains`, the
            state of another generator, and `particles` (1, M, D) where the output model trains with them. Of a trial
            with pre-training also `start`, what the training of the whole begins with, as far as it is known; before
            that, the other tensors are those of a phase.
    """

    key: str
    progress: Progress
    tensors: dict[str, Tensor]

    def to_json(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON values."""
        return {"format": _FORMAT, "key": self.key, "progress": self.progress.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """The checkpoint that `to_json` wrote, with its tensors.

        Raises:
            CheckpointError: it is not one of this version of the software.
        """
        try:
            if values["format"] == _FORMAT:
                return cls(values["key"], Progress.from_json(values["progress"]), dict(tensors))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise CheckpointError(f"checkpoint: not one of this version of the software: {error}") from error
        raise CheckpointError(f"checkpoint: of another version of the software, {values['format']!r}")


def grown(checkpoint: Checkpoint, shorter: Trial, longer: Trial) -> Checkpoint:
    """The checkpoint of a trial as one of the trial that is equal but for more epochs.

    Until the shorter one ends the two are the same training, so that the longer one goes on from there to the bits that
    it has from its own start.

    Args:
        checkpoint: of the shorter trial, at its end or before it; it keeps its tensors, which are not copied.
        shorter, longer: the trials.

    Raises:
        CheckpointError: the checkpoint is not one of the shorter trial, the trials differ in something else, or the
            longer one has not more epochs.
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
