"""Train one trial, and commit it to the store: unless it is there, whoever put it there.

A training that takes long leaves a checkpoint every `CHECKPOINT_SECONDS`, and one more where it is given up. Whoever
trains the trial next goes on from there, to the same weights and the same curve; only the seconds differ. A trial that
is done sooner leaves none, so that small campaigns pay nothing for it.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache

from safetensors.torch import save

from infra.provenance import provenance
from infra.store import Store
from models.chunks import Pieces
from models.core import scan_body
from models.progress import CheckpointError
from models.training import Run, Training, train
from models.trial import Trial
from tasks.checkpoints import Checkpoints
from tasks.corpus import SPLITS, Corpus
from tasks.ingest import load_corpus
from tasks.records import TrialRecord, load_record, to_parquet, trial_prefix

CHECKPOINT_SECONDS = 30.0
ASK_SECONDS = 1.0


class GivenUp(Exception):  # noqa: N818  # no error: nobody waits for this work any more
    """Ends a training that was asked to stop; its checkpoint is in the store."""


@lru_cache(maxsize=4)
def prepared(store_address: str, digest: str) -> tuple[Corpus, dict[str, Pieces]]:
    """A corpus and its splits as tensors, kept by the process for the trials that follow."""
    corpus = load_corpus(Store(store_address), digest)
    return corpus, {split: Pieces.from_arrays(corpus.splits[split]) for split in SPLITS}


def ensure_trained(store: Store, trial: Trial, given_up: Callable[[], bool] | None = None) -> TrialRecord:
    """The record of a trial: the stored one, or else that of training it now, committed.

    Args:
        store: where it is, or will be.
        trial: the configuration.
        given_up: asked between updates, at most every `ASK_SECONDS`, whether to stop.

    Raises:
        GivenUp: it was to stop; a checkpoint is stored, and nothing is committed.
    """
    checkpoints = Checkpoints(store, trial)
    stored = load_record(store, trial.key)
    if stored is None:
        training, seconds = _train(store, trial, checkpoints, given_up)
        stored = _commit(store, _record(trial, training, seconds), training)
    checkpoints.clear()
    return stored


def _train(
    store: Store, trial: Trial, checkpoints: Checkpoints, given_up: Callable[[], bool] | None
) -> tuple[Training, float]:
    """Train from the checkpoint, or from the start where there is none that can be used; the seconds it took."""
    corpus, pieces = prepared(store.address, trial.corpus)
    splits = pieces["train"], pieces["valid"], corpus.width
    if (saved := checkpoints.load()) is not None:
        watch = _Watch(checkpoints, saved.seconds, given_up)
        try:
            return train(trial, *splits, watch.between, saved.checkpoint), watch.seconds
        except CheckpointError as error:
            checkpoints.unusable(error)
    watch = _Watch(checkpoints, 0.0, given_up)
    return train(trial, *splits, watch.between), watch.seconds


class _Watch:
    """Looks at the clock between the steps of a training: whether a checkpoint is due, or all is given up."""

    def __init__(self, checkpoints: Checkpoints, seconds: float, given_up: Callable[[], bool] | None):
        self._checkpoints, self._given_up = checkpoints, given_up
        self._saved = self._asked = time.perf_counter()
        self._began = self._saved - seconds

    @property
    def seconds(self) -> float:
        """Of training, those before the checkpoint that it went on from included."""
        return time.perf_counter() - self._began

    def between(self, run: Run) -> None:
        now = time.perf_counter()
        if self._given_up is not None and now - self._asked >= ASK_SECONDS:
            self._asked = now
            if self._given_up():
                self._checkpoints.save(run.checkpoints()[0], self.seconds)
                raise GivenUp
        if now - self._saved >= CHECKPOINT_SECONDS:
            self._checkpoints.save(run.checkpoints()[0], self.seconds)
            self._saved = time.perf_counter()


def _commit(store: Store, record: TrialRecord, training: Training) -> TrialRecord:
    files = {
        "record.json": json.dumps(record.to_json(), indent=1).encode(),
        "curves.parquet": to_parquet([asdict(epoch) for epoch in training.curve]),
        "weights.safetensors": save(training.weights),
    }
    told = provenance() | {"scan_body": scan_body()}
    store.commit(trial_prefix(record.trial.key), files, kind="trial", provenance=told)
    return load_record(store, record.trial.key) or record


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
    )
