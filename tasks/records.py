"""What is stored of a trial: the record, the learning curve, the weights; and of a final trial, its test scores.

    trials/<trial key>/   record.json  curves.parquet  weights.safetensors
    scores/<trial key>/   pieces.parquet

Only what completed or diverged is stored. A trial that failed is nobody's result: the next run tries it again.
"""

import io
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import pandas as pd

from infra.store import Store
from models.trial import Trial

_AT_A_TIME = 16

Status = Literal["completed", "diverged"]


@dataclass(frozen=True)
class TrialRecord:
    """How a trial ended.

    Attributes:
        trial: its configuration.
        status: `completed`, or `diverged`.
        diverged_at: the update at which it diverged.
        valid: best log-likelihood on validation, nats a step; of the network as it starts, where nothing was better.
        best_epoch: the epoch of that score; its weights are the ones stored.
        epochs, updates: how long it was trained.
        parameters: how many numbers were learned.
        seconds: of training.
    """

    trial: Trial
    status: Status
    diverged_at: int | None
    valid: float
    best_epoch: int
    epochs: int
    updates: int
    parameters: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {**asdict(self), "trial": self.trial.to_json(), "key": self.trial.key, "variant": self.trial.variant}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The record that `to_json` wrote."""
        rest = {name: value for name, value in values.items() if name not in ("key", "variant", "trial")}
        return cls(trial=Trial.from_json(values["trial"]), **rest)


def trial_prefix(key: str) -> str:
    """Where a trial is stored."""
    return f"trials/{key}"


def score_prefix(key: str) -> str:
    """Where the test scores of a final trial are stored."""
    return f"scores/{key}"


def load_record(store: Store, key: str) -> TrialRecord | None:
    """The record of a trial, None where the trial is not stored."""
    stored = store.find(trial_prefix(key), "record.json")
    return None if stored is None else TrialRecord.from_json(json.loads(stored))


def load_records(store: Store, keys: Iterable[str]) -> dict[str, TrialRecord]:
    """The records of the trials that are stored, by key; many requests at a time, since a bucket is far away."""
    keys = list(keys)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        records = pool.map(lambda key: load_record(store, key), keys)
        return {key: record for key, record in zip(keys, records, strict=True) if record is not None}


def unfinished(store: Store, trials: Iterable[Trial], *, scored: bool) -> list[Trial]:
    """The trials that are not stored, each once; with `scored` also those that completed and have no test score."""
    distinct = {trial.key: trial for trial in trials}
    records = load_records(store, distinct)
    waiting = [key for key, record in records.items() if scored and record.status == "completed"]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        committed = pool.map(lambda key: store.committed(score_prefix(key)), waiting)
        unscored = {key for key, done in zip(waiting, committed, strict=True) if not done}
    return [trial for key, trial in distinct.items() if key not in records or key in unscored]


def load_tables(store: Store, prefixes: Iterable[str], name: str) -> list[pd.DataFrame]:
    """The tables of that name of many commits, in their order."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(lambda prefix: _read_parquet(store, prefix, name), prefixes))


def to_parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _read_parquet(store: Store, prefix: str, name: str) -> pd.DataFrame:
    """A table that was stored as Parquet."""
    return pd.read_parquet(io.BytesIO(store.read(prefix, name)))
