"""Train one trial, and commit it to the store: unless it is there, whoever put it there."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache

from safetensors.torch import save

from infra.provenance import provenance
from infra.store import Store
from models.chunks import Pieces
from models.training import Epoch, Training, train
from models.trial import Trial
from tasks.corpus import SPLITS, Corpus
from tasks.ingest import load_corpus
from tasks.records import TrialRecord, load_record, to_parquet, trial_prefix


@lru_cache(maxsize=4)
def prepared(store_address: str, digest: str) -> tuple[Corpus, dict[str, Pieces]]:
    """A corpus and its splits as tensors, kept by the process for the trials that follow."""
    corpus = load_corpus(Store(store_address), digest)
    return corpus, {split: Pieces.from_arrays(corpus.splits[split]) for split in SPLITS}


def ensure_trained(store: Store, trial: Trial, tick: Callable[[Epoch], None] | None = None) -> TrialRecord:
    """The record of a trial: the stored one, or else that of training it now, committed.

    Args:
        store: where it is, or will be.
        trial: the configuration.
        tick: called after every epoch; may raise to stop, and nothing is committed.
    """
    stored = load_record(store, trial.key)
    if stored is not None:
        return stored
    corpus, pieces = prepared(store.address, trial.corpus)
    began = time.perf_counter()
    training = train(trial, pieces["train"], pieces["valid"], corpus.width, tick)
    record = _record(trial, training, time.perf_counter() - began)
    files = {
        "record.json": json.dumps(record.to_json(), indent=1).encode(),
        "curves.parquet": to_parquet([asdict(epoch) for epoch in training.curve]),
        "weights.safetensors": save(training.weights),
    }
    store.commit(trial_prefix(trial.key), files, kind="trial", provenance=provenance())
    return load_record(store, trial.key) or record


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
