"""Train trials and commit the results. A trial that is stored already, by this run or any other, is skipped.

Training writes a checkpoint every `CHECKPOINT_SECONDS`, and one more when it is stopped. The next worker that trains
the trial continues from there, to the same weights and the same curve; only the seconds differ. A shorter training
writes no checkpoint, so that small campaigns pay nothing for it.

One trial may be trained by several processes of a machine (`split/`): this one is the first of them, and alone commits.

On a rung of a search (`rung.py`) a trial continues from the end of a shorter one, and its own end is kept as its
checkpoint. This checkpoint is committed before the record. So a worker that is killed between the two loses nothing:
the checkpoint says that training has ended.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import torch
from safetensors.torch import save

from infra.provenance import provenance
from infra.store import Store
from models.core import scan_kernel
from models.training.outcome import Training
from models.training.progress import CheckpointError
from models.training.run import Run, train_stack
from models.trial import Trial
from tasks.trials import diagnostics_table
from tasks.trials.checkpoints import Checkpoints, Saved
from tasks.trials.data import TrialData
from tasks.trials.records import TrialRecord, commit_record, load_record, to_parquet
from tasks.trials.rung import Rung
from tasks.trials.split.processes import processes

CHECKPOINT_SECONDS = 30.0
ASK_SECONDS = 1.0


class GivenUp(Exception):  # noqa: N818  # no error: nobody waits for this work any more
    """Raised when a training was asked to stop; its checkpoint is in the store."""


def ensure_trained(
    store: Store,
    data: TrialData,
    trials: Sequence[Trial],
    given_up: Callable[[], bool] | None = None,
    device: torch.device | str = "cpu",
    rung: Rung | None = None,
    count: int = 1,
) -> list[TrialRecord]:
    """Train the trials that are not stored, side by side; each is committed when it ends.

    Args:
        store: the store of the records.
        data: the data of their corpus.
        trials: the configurations, all of one shape.
        given_up: asked between updates, at most every `ASK_SECONDS`, whether to stop.
        device: the device to train on.
        rung: which trials continue shorter ones, and which keep their last checkpoint; None for neither.
        count: number of processes that train a trial together, this one included; over 1 only for one trial.

    Returns:
        The records of all the trials, the stored ones included.

    Raises:
        GivenUp: training was asked to stop. Checkpoints are stored, and nothing more is committed.
        ProcessError: another process that trained the trial was lost.
        ValueError: the trials cannot be trained by several processes.
    """
    rung = rung or Rung()
    checkpoints = {trial.key: Checkpoints(store, trial, rung.shorter(trial), count) for trial in trials}
    records = {trial.key: load_record(store, trial.key) for trial in trials}
    if missing := [trial for trial in trials if records[trial.key] is None]:
        records |= _Work(store, data, missing, checkpoints, given_up, device, rung, count).done()
    ended = [record for trial in trials if (record := records[trial.key]) is not None]
    for trial, record in zip(trials, ended, strict=True):
        checkpoints[trial.key].clear(keeping=trial.key in rung.keeps and record.diverged_at is None)
    return ended


class _Work:
    """The training of trials that are not stored, and the clock beside it.

    Between the steps it commits what has ended, and looks whether a checkpoint is due, or all is given up. The seconds
    of a step are those of the trials that took it, in equal shares.
    """

    def __init__(
        self,
        store: Store,
        data: TrialData,
        trials: Sequence[Trial],
        checkpoints: Mapping[str, Checkpoints],
        given_up: Callable[[], bool] | None,
        device: torch.device | str,
        rung: Rung,
        count: int,
    ):
        self._store, self._data, self._trials, self._checkpoints = store, data, trials, checkpoints
        self._given_up, self._device, self._rung, self._count = given_up, device, rung, count
        self._records: dict[str, TrialRecord] = {}

    def done(self) -> dict[str, TrialRecord]:
        """Train from the checkpoints, or from the start where one cannot be used; the records by key."""
        saved = {trial.key: self._checkpoints[trial.key].load() for trial in self._trials}
        try:
            self._train(saved)
        except CheckpointError as error:
            for key in saved:
                self._checkpoints[key].unusable(error)
            self._train({})
        return self._records

    def _train(self, saved: Mapping[str, Saved | None]) -> None:
        pieces, width = self._data.pieces, self._data.corpus.width  # read before the clock starts
        found = [saved.get(trial.key) for trial in self._trials]
        self._seconds = {
            trial.key: 0.0 if start is None else start.seconds for trial, start in zip(self._trials, found, strict=True)
        }
        checkpoints = [None if start is None else start.checkpoint for start in found]
        with processes(self._count, self._store.address, self._trials[0], checkpoints[0], self._device) as ranks:
            self._looked = self._saved = self._asked = time.perf_counter()
            ended = train_stack(
                self._trials,
                pieces["train"],
                pieces["valid"],
                width,
                self._between,
                checkpoints,
                self._device,
                self._rung.keeps,
                ranks,
            )
        self._commit_ended(ended)

    def _between(self, run: Run) -> None:
        self._commit_ended(run.ended)
        now = self._looked
        if self._given_up is not None and now - self._asked >= ASK_SECONDS:
            self._asked = now
            if self._given_up():
                self._save(run)
                raise GivenUp
        if now - self._saved >= CHECKPOINT_SECONDS:
            self._save(run)
            self._saved = time.perf_counter()

    def _commit_ended(self, ended: Mapping[str, Training]) -> None:
        """Share out the seconds since the last look, and commit what has ended since."""
        now = time.perf_counter()
        under_way = [key for key in self._seconds if key not in self._records]
        for key in under_way:
            self._seconds[key] += (now - self._looked) / len(under_way)
        self._looked = now
        for trial in self._trials:
            if trial.key in ended and trial.key not in self._records:
                training = ended[trial.key]
                if training.end is not None:
                    self._checkpoints[trial.key].save(training.end, self._seconds[trial.key])
                record = _record(trial, training, self._seconds[trial.key])
                self._records[trial.key] = _commit(self._store, record, training, self._device, self._count)

    def _save(self, run: Run) -> None:
        for checkpoint in run.checkpoints():
            self._checkpoints[checkpoint.key].save(checkpoint, self._seconds[checkpoint.key])


def _commit(
    store: Store, record: TrialRecord, training: Training, device: torch.device | str, count: int
) -> TrialRecord:
    files = {
        "curves.parquet": to_parquet([asdict(epoch) for epoch in training.curve]),
        "weights.safetensors": save(training.weights),
        diagnostics_table.FILE: to_parquet(diagnostics_table.diagnosis_rows(training)),
    }
    how = provenance() | {"scan_body": scan_kernel(device), "device": torch.device(device).type}
    if count > 1:  # its bits differ from those of one process, by rounding
        how |= {"processes": count}
    return commit_record(store, record, files, how)


def _record(trial: Trial, training: Training, seconds: float) -> TrialRecord:
    return TrialRecord(
        trial=trial,
        status=training.status,
        diverged_at=training.diverged_at,
        valid=training.best.valid,
        best_epoch=training.best.epoch,
        epochs=training.curve[-1].epoch,
        updates=training.updates,
        parameters=sum(weight.numel() for name, weight in training.weights.items() if name != "retention"),
        seconds=round(seconds, 3),
        stalled=training.stalled,
    )
