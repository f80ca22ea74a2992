"""The trials of a store as tidy DataFrames: a row for each trial, point of a curve, scored piece, or measured number.

A store has the trials of all campaigns that wrote to it; the tables of a report (`reports.py`) are those of one
campaign. docs/programs.md has the columns with their units; a test compares it with the DataFrames.
"""

import pandas as pd

from infra.store import Store
from tasks.ingest import first_name
from tasks.trials.diagnostics_table import load_diagnosis
from tasks.trials.records import load_record, load_table, score_prefix, stored_keys, trial_prefix
from tasks.trials.tables import curve_table, diagnosis_table, score_table, trial_table

from .readable import load_all


def load_trials(store: str) -> pd.DataFrame:
    """The stored trials, one row for each, ordered by key.

    Columns:
        key: of the trial.
        corpus, digest: name and digest of its corpus; the name is the one under which it was first ingested, or the
            digest if no name is stored.
        variant, core, output, optimizer, techniques: the trained variant; `techniques` has the letters, "" for none.
        purpose: `final` if the trial has a seed that was scored on test on that corpus, otherwise `search`.
        selected: whether it is the search trial whose configuration the final trials have.
        status: `completed`; `diverged`, at the update `diverged_at`; or `untrained`, no better than counting.
        stalled: whether it ended because Hessian-free optimization found no better point many times in a row.
        valid: best log-likelihood on validation, nats per step, after `best_epoch` epochs.
        epochs, updates, parameters, seconds: numbers of the training that was done.
        max_epochs, learning_rate, hidden_size, activation and so on: the fields of `models.trial.Trial`, with the
            activation that the network has.
        C_threshold, L_share, nade_units and so on: a column for each hyper-parameter of a technique, named by its
            letter, or of an output model; NaN in trials that do not have it.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.

    The best validation score of each variant in its search:

        trials = counterpoint.load_trials("./artifacts").query("purpose == 'search' and status == 'completed'")
        trials.groupby(["corpus", "variant"])["valid"].max()
    """
    return _trials(Store(store, create=False))


def load_curves(store: str) -> pd.DataFrame:
    """The learning curves of all stored trials, one row for each trial, epoch and split.

    Columns:
        key, corpus, variant, purpose, seed, status: of the trial, as in `load_trials`.
        split: `train`, measured during training, or `valid`, measured after the epoch.
        log_likelihood: nats per step, higher is better; NaN for train in epoch 0, the initial network.
        epoch, update: passes over train, and updates so far.
        learning_rate, gradient_norm, clipped_share, largest_norm, update_ratio: of the epoch, the same for both splits;
            `models.training.progress.Epoch` has the definitions. NaN for epoch 0.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.

    The mean curve of each variant on validation:

        curves = counterpoint.load_curves("./artifacts").query("purpose == 'final' and split == 'valid'")
        curves.groupby(["corpus", "variant", "epoch"])["log_likelihood"].mean()
    """
    opened = Store(store, create=False)
    return curve_table(_trials(opened), load_all(_curve, opened, "trials"))


def load_scores(store: str) -> pd.DataFrame:
    """The test scores of all stored final trials, one row for each trial and piece.

    Columns:
        key, corpus, variant, seed: of the trial, as in `load_trials`.
        piece: its title.
        steps: number of scored steps.
        log_likelihood: SUM over the steps, in nats; `log_likelihood_error` is its standard error if it is an estimate.
        accuracy, union_accuracy, success: SUMS over the steps, NaN if the kind of data has no such metric.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.

    The pooled log-likelihood of each variant and seed, nats a step:

        sums = counterpoint.load_scores("./artifacts").groupby(["corpus", "variant", "seed"]).sum(numeric_only=True)
        sums["log_likelihood"] / sums["steps"]
    """
    opened = Store(store, create=False)
    return score_table(_trials(opened), load_all(_pieces, opened, "scores"))


def load_diagnostics(store: str) -> pd.DataFrame:
    """The diagnostics of the stored trials' networks, one row for each number; trials of older versions have none.

    Columns:
        key, corpus, variant, purpose, seed, status: of the trial, as in `load_trials`.
        moment, epoch: of the weights: at the `start`, or of the `best` epoch.
        quantity, index, value: `gradient_norm`, the norm of dL_t/dh_{t-k} with the lag k as index; `zero_states` and
            `zero_gradients`, shares in 0..1; `spectral_radius`; `time_constant` in steps, a unit that leaks each.
            `models/evaluation/diagnostics.py` has the definitions.

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
    return diagnosis_table(_trials(opened), load_all(load_diagnosis, opened, "trials"))


def _trials(store: Store) -> pd.DataFrame:
    found, names = load_all(load_record, store, "trials", calls=2), load_all(first_name, store, "data", calls=2)
    return trial_table(found, names, set(stored_keys(store, "scores")))


def _curve(store: Store, key: str) -> pd.DataFrame:
    return load_table(store, trial_prefix(key), "curves.parquet")


def _pieces(store: Store, key: str) -> pd.DataFrame:
    return load_table(store, score_prefix(key), "pieces.parquet")
