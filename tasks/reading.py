"""Read a store by addresses and names, for people who work with Python: corpora, trials, scores, samples, reports.

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
from tasks.corpus.corpus import Corpus
from tasks.ingest import find_name, first_name, told_under
from tasks.ingest import load_corpus as load_by_digest
from tasks.publishing.publish import resolve_version
from tasks.telling.readable import naming, passed_over, readable
from tasks.trials.continuation import Continuation
from tasks.trials.diagnostics_table import COLUMNS, load_diagnosis
from tasks.trials.records import load_record, load_table, read_parquet, score_prefix, stored_keys, trial_prefix
from tasks.trials.samples import load_sample
from tasks.trials.tables import curve_table, score_table, trial_table

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

    Columns:
        key: of the trial.
        corpus, digest: its corpus, by the name under which it was first ingested (where that is not stored, the digest
            stands for it), and by digest.
        variant, core, output, optimizer, techniques: what was trained; `techniques` is the letters, "" for none.
        purpose: `final` where the trial has a seed that was scored on test on that corpus, else `search`.
        selected: whether it is the trial of a search whose configuration the final ones have.
        status: `completed`; `diverged`, at the update `diverged_at`; or `untrained`, no better than counting.
        stalled: whether it ended because Hessian-free optimization found no better point many times in a row.
        valid: best log-likelihood on validation, nats a step, after `best_epoch` epochs.
        epochs, updates, parameters, seconds: what was done.
        max_epochs, learning_rate, hidden_size, activation and so on: the fields of `models.trial.Trial`, with the
            activation that the network has.
        C_threshold, L_share, nade_hidden_size and so on: a column for each hyper-parameter of a technique, named by its
            letter, or of an output model; NaN in trials that do not have it.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.

    Where each variant ended in its search:

        trials = counterpoint.load_trials("./artifacts").query("purpose == 'search' and status == 'completed'")
        trials.groupby(["corpus", "variant"])["valid"].max()
    """
    opened = Store(store, create=False)
    found, names = _readable(load_record, opened, "trials"), _readable(first_name, opened, "data")
    return trial_table(found, names, set(stored_keys(opened, "scores")))


def load_curves(store: str) -> pd.DataFrame:
    """The learning curves of all stored trials, a row a trial, epoch and split.

    Columns:
        key, corpus, variant, purpose, seed: of the trial, as in `load_trials`.
        split: `train`, as met while training, or `valid`, after the epoch.
        log_likelihood: nats a step, higher is better; NaN for train in epoch 0, the network as it starts.
        epoch, update: passes over train, and updates so far.
        learning_rate, gradient_norm, clipped_share, largest_norm, update_ratio: of the epoch, the same for both splits;
            `models.progress.Epoch` has the definitions. NaN for epoch 0.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.

    The mean curve of each variant on validation:

        curves = counterpoint.load_curves("./artifacts").query("purpose == 'final' and split == 'valid'")
        curves.groupby(["corpus", "variant", "epoch"])["log_likelihood"].mean()
    """
    opened = Store(store, create=False)
    found, names = _readable(load_record, opened, "trials"), _readable(first_name, opened, "data")
    trials = trial_table(found, names, set(stored_keys(opened, "scores")))
    return curve_table(trials, _readable(_curve, opened, "trials"))


def load_scores(store: str) -> pd.DataFrame:
    """The test scores of all stored final trials, a row a trial and piece.

    Columns:
        key, corpus, variant, seed: of the trial, as in `load_trials`.
        piece: its title.
        steps: how many were scored.
        log_likelihood: SUM over the steps, in nats; `log_likelihood_error` its standard error where it is an estimate.
        accuracy, union_accuracy, success: SUMS over the steps, NaN where the kind of data has none.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.

    The pooled log-likelihood of each variant and seed, nats a step:

        sums = counterpoint.load_scores("./artifacts").groupby(["corpus", "variant", "seed"]).sum(numeric_only=True)
        sums["log_likelihood"] / sums["steps"]
    """
    opened = Store(store, create=False)
    found, names = _readable(load_record, opened, "trials"), _readable(first_name, opened, "data")
    pieces = _readable(_pieces, opened, "scores")
    return score_table(trial_table(found, names, set(stored_keys(opened, "scores"))), pieces)


def _curve(store: Store, key: str) -> pd.DataFrame:
    return load_table(store, trial_prefix(key), "curves.parquet")


def _pieces(store: Store, key: str) -> pd.DataFrame:
    return load_table(store, score_prefix(key), "pieces.parquet")


def load_diagnostics(store: str) -> pd.DataFrame:
    """What was measured on the networks of the stored trials, a row a number; trials of older versions have none.

    Columns are `key`, of the trial as in `load_trials`; `moment` and `epoch`, which weights: those at the `start`, or
    those of the `best` epoch; `quantity`, `index` and `value`. Quantities: `gradient_norm`, the norm of dL_t/dh_{t-k}
    with the lag k as index; `zero_states` and `zero_gradients`, shares; `spectral_radius`; `time_constant` in steps, a
    unit that leaks each. `models/evaluation/diagnostics.py` has the definitions.

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
