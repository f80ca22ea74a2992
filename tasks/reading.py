"""Read a store by addresses and names, for people who work with Python: corpora, trials, samples, reports.

Of many trials or samples those that cannot be read here, damaged ones or somebody's plug-in's, are passed over with a
warning that names each and says why.

`import counterpoint` gives these functions. Nothing is trained, parsed or written here.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from infra.errors import NotFoundError
from infra.store import Store, read_json
from tasks.continuation import Continuation
from tasks.corpus import Corpus
from tasks.diagnoses import COLUMNS, load_diagnosis
from tasks.ingest import find_name, told_under
from tasks.ingest import load_corpus as load_by_digest
from tasks.publish import resolve_version
from tasks.readable import naming, passed_over, readable
from tasks.records import load_record, read_parquet, stored_keys
from tasks.samples import load_sample

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Report:
    """A published report.

    Attributes:
        version: its name.
        results: `results.json`, as docs/report.md describes it.
        scores: `results.parquet`, a row a corpus, variant and metric.
    """

    version: str
    results: Mapping[str, Any]
    scores: pd.DataFrame


def load_corpus(store: str, name: str) -> Corpus:
    """A corpus that was ingested into a store.

    Args:
        store: its address, a folder or `s3://bucket/prefix`.
        name: of the corpus, as in `prefect run ingest`.

    Returns:
        The corpus: `splits` has for each of train, valid and test a tuple of arrays, one a piece, uint8 (T, 88)
        piano-rolls or int32 (T,) symbols; `vocabulary` the text of each symbol.

    Raises:
        NotFoundError: nothing was ingested under that name.
        StoreError: the store cannot be used, or holds other bytes than were committed.
    """
    opened = Store(store, create=False)
    named = find_name(opened, name)
    if named is None:
        raise NotFoundError(f"{opened.address}: no corpus {name!r}; `prefect run ingest` makes one")
    return told_under(opened, name, load_by_digest(opened, named.digest))


def load_trials(store: str) -> pd.DataFrame:
    """Every trial that is stored, a row each, by key.

    Columns are the fields of `models.trial.Trial`, with `techniques` a mapping from letter to hyper-parameters and
    `max_epochs` for the most epochs that were allowed, and those of `tasks.records.TrialRecord`: `status`, `valid` in
    nats a step, `epochs` and `updates` that were made, `seconds` and so on.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.
    """
    opened = Store(store, create=False)
    found = _readable(load_record, opened, "trials")
    records = [record.to_json() for record in found.values()]
    rows = [{**record["trial"], "max_epochs": record["trial"]["epochs"], **record} for record in records]
    return pd.DataFrame(rows).drop(columns=["trial", "format"], errors="ignore")


def load_diagnostics(store: str) -> pd.DataFrame:
    """What was measured on the networks of the stored trials, a row a number; trials of older versions have none.

    Columns are `key`, of the trial as in `load_trials`; `moment` and `epoch`, which weights: those at the `start`, or
    those of the `best` epoch; `quantity`, `index` and `value`. Quantities: `gradient_norm`, the norm of dL_t/dh_{t-k}
    with the lag k as index; `zero_states` and `zero_gradients`, shares; `spectral_radius`; `time_constant` in steps, a
    unit that leaks each. `models/diagnostics.py` has the definitions.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.

    The share of a gradient that is left after ten steps, of each trial:

        norms = counterpoint.load_diagnostics("./artifacts").query("quantity == 'gradient_norm' and moment == 'best'")
        norms = norms.pivot(index="key", columns="index", values="value")
        (norms[10] / norms[0]).describe()
    """
    opened = Store(store, create=False)
    tables = _readable(load_diagnosis, opened, "trials")
    filled = [table.assign(key=key) for key, table in tables.items() if len(table)]
    joined = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
    return joined.reindex(columns=["key", *COLUMNS])


def load_samples(store: str) -> dict[str, Continuation]:
    """What the networks of the final trials made of the beginning of a test piece, by the keys of the trials.

    Of music `piano_roll` is uint8 (T, 88), of text `text` a string; the first `given` steps are the piece's, the others
    the network's. `to_bytes` gives the MIDI or text file.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.
    """
    opened = Store(store, create=False)
    return _readable(load_sample, opened, "samples")


def load_report(store: str, version: str | None = None, *, preset: str | None = None) -> Report:
    """A published report.

    Args:
        store: its address.
        version: as `prefect run list` names it; None for the newest.
        preset: the newest of this preset is meant; None for the newest of all.

    Raises:
        NotFoundError: there is no such report.
        StoreError: the store cannot be used, or holds other bytes than were committed.
    """
    opened = Store(store, create=False)
    version = resolve_version(opened, version, preset)
    files = {name: opened.read(f"reports/{version}", name) for name in ("results.json", "results.parquet")}
    where = f"{opened.address}: reports/{version}"
    with naming(where):
        return Report(version, read_json(files["results.json"], where), read_parquet(files["results.parquet"]))


def _readable(load: Callable[[Store, str], T | None], store: Store, folder: str) -> dict[str, T]:
    """What of a folder can be read, by key; a warning, where it is asked for, about each that cannot."""
    found, reasons = readable(lambda key: load(store, key), stored_keys(store, folder))
    for line in passed_over(reasons):
        warnings.warn(line, stacklevel=3)
    return found
