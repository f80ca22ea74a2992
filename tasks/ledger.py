"""What the store holds of trials, asked once: a record never changes, so one that was read is remembered.

A flow keeps one ledger and hands it to its stages: plan, search, seeds and report then read every record once between
them. What is not there is asked for again each time, since workers are at it.

What this does not do: decide anything by a listing, or remember across flow runs.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pandas as pd

from infra.store import Store
from models.trial import Trial
from tasks.records import TrialRecord, load_record, read_parquet, score_prefix, trial_prefix

AT_A_TIME = 16
"""Requests under way at once, since a bucket is far away."""

T = TypeVar("T")
U = TypeVar("U")


class Ledger:
    """The records of trials, and which of them have test scores.

    Attributes:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._records: dict[str, TrialRecord] = {}
        self._scored: set[str] = set()

    def records(self, trials: Iterable[Trial]) -> dict[str, TrialRecord]:
        """The records of the trials that are stored, by key, in the order that was asked."""
        keys = [trial.key for trial in trials]
        unknown = [key for key in dict.fromkeys(keys) if key not in self._records]
        found = many(lambda key: load_record(self.store, key), unknown)
        self._records |= {key: record for key, record in found.items() if record is not None}
        return {key: self._records[key] for key in keys if key in self._records}

    def unfinished(self, trials: Iterable[Trial], *, scored: bool) -> list[Trial]:
        """The trials that are not stored, each once; with `scored` also those that completed without a test score."""
        distinct = {trial.key: trial for trial in trials}
        records = self.records(distinct.values())
        completed = [key for key, record in records.items() if scored and record.status == "completed"]
        waiting = [key for key in completed if key not in self._scored]
        done = many(lambda key: self.store.committed(score_prefix(key)), waiting)
        self._scored |= {key for key, committed in done.items() if committed}
        unscored = set(completed) - self._scored
        return [trial for key, trial in distinct.items() if key not in records or key in unscored]

    def outdated(self, trials: Iterable[Trial]) -> int:
        """How many of the trials are stored by an older version of the numerics, whose results are not used."""
        keys = {key: trial.key for trial in trials for key in trial.older_keys}
        found = many(lambda key: self.store.committed(trial_prefix(key)), keys)
        return len({keys[key] for key, stored in found.items() if stored})

    def tables(self, prefixes: Iterable[str], name: str) -> list[pd.DataFrame]:
        """The tables of that name of many commits, in their order."""
        return list(many(lambda prefix: read_parquet(self.store.read(prefix, name)), list(prefixes)).values())


def many(function: Callable[[T], U], values: Iterable[T]) -> Mapping[T, U]:
    """What a function gives for each of the values, many requests at a time."""
    values = list(values)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return dict(zip(values, pool.map(function, values), strict=True))
