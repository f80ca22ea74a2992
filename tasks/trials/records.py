"""The stored results of a trial: record, curve, weights, diagnostics; of a final trial scores and a sample.

    trials/<trial key>/   record.json  curves.parquet  weights.safetensors  diagnostics.parquet
    scores/<trial key>/   pieces.parquet
    samples/<trial key>/  sample.json  sample.mid or sample.txt

Only trials that came to an end are stored. A failed trial has no result, and the next run tries it again.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from infra.errors import IntegrityError
from infra.store import Store, read_json
from models.training.outcome import Status
from models.trial import Trial
from tasks.telling.readable import is_digest, naming

_FORMAT = 1


@dataclass(frozen=True)
class TrialRecord:
    """How a trial ended.

    Attributes:
        trial: its configuration.
        status: `completed`, `diverged`, or `untrained`: training ended, but no network was better than counting.
        diverged_at: the update at which training diverged.
        valid: best log-likelihood on validation, nats a step; that of the initial network if training never improved
            it.
        best_epoch: the epoch of that score; the weights of this epoch are stored.
        epochs, updates: length of the training.
        parameters: number of learned parameters.
        seconds: time of training.
        stalled: whether training ended because Hessian-free optimization found no better point many times in a row.
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
    stalled: bool = False

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values, with its format's version, its key and its variant for other readers."""
        head = {"format": _FORMAT, "key": self.trial.key, "variant": self.trial.variant}
        return {**head, **vars(self), "trial": self.trial.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The record that `to_json` wrote.

        Raises:
            IntegrityError: it has another format.
        """
        if values.get("format") != _FORMAT:
            raise IntegrityError(f"trial {values.get('key')}: its record is of another version; delete it, run again")
        rest = {name: value for name, value in values.items() if name not in ("format", "key", "variant", "trial")}
        return cls(trial=Trial.from_json(values["trial"]), **rest)


def trial_prefix(key: str) -> str:
    """Where a trial is stored."""
    return f"trials/{key}"


def score_prefix(key: str) -> str:
    """Where the test scores of a final trial are stored."""
    return f"scores/{key}"


def sample_prefix(key: str) -> str:
    """Where the sample of a final trial is stored."""
    return f"samples/{key}"


def stored_keys(store: Store, folder: str) -> list[str]:
    """The keys under which something is committed in `trials`, `scores` or `samples`, sorted.

    What a person has put there besides, a copy of a folder, has no such name and is none of ours.
    """
    names = [prefix.rpartition("/")[2] for prefix in store.prefixes(folder)]
    return [name for name in names if is_digest(name)]


def load_record(store: Store, key: str) -> TrialRecord | None:
    """The record of a trial, None where the trial is not stored.

    Raises:
        IntegrityError: it is damaged, of another version, or of a technique or the like that is not installed here.
    """
    found = load_record_with_digest(store, key)
    return None if found is None else found[0]


def load_record_with_digest(store: Store, key: str) -> tuple[TrialRecord, str] | None:
    """Like `load_record`, with the digest of the manifest of the commit."""
    found = store.find_with_digest(trial_prefix(key), "record.json")
    if found is None:
        return None
    stored, digest = found
    where = f"{store.address}: {trial_prefix(key)}"
    with naming(where):
        return TrialRecord.from_json(read_json(stored, where)), digest


def commit_record(
    store: Store, record: TrialRecord, files: Mapping[str, bytes], provenance: Mapping[str, Any]
) -> TrialRecord:
    """Commit a record and the files beside it; the record that is stored, which may be that of who was first."""
    own = json.dumps(record.to_json(), indent=1).encode()
    prefix = trial_prefix(record.trial.key)
    manifest = store.commit(prefix, {"record.json": own, **files}, kind="trial", provenance=provenance)
    ours = any(item.name == "record.json" and item.fits(own) for item in manifest.objects)
    return record if ours else load_record(store, record.trial.key) or record


def load_table(store: Store, prefix: str, name: str) -> pd.DataFrame:
    """A table of a commit.

    Raises:
        NotFoundError: the prefix is not committed, or has no such table.
        IntegrityError: it is damaged.
    """
    stored = store.read(prefix, name)
    with naming(f"{store.address}: {prefix}/{name}"):
        return read_parquet(stored)


def to_parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def read_parquet(data: bytes) -> pd.DataFrame:
    """The table that `to_parquet` wrote."""
    return pd.read_parquet(io.BytesIO(data))
