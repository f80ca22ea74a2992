"""The trials of a store as tidy tables: one row for each trial, each point of a learning curve, or each scored piece.

A store has the trials of all campaigns that wrote to it, and no record names its campaign. The seed says whether a
trial belongs to a search or is a final one: only trials with fresh seeds are scored on test, and all variants of a
corpus share these seeds.
"""

from collections.abc import Mapping, Set
from dataclasses import asdict, fields, replace
from typing import Any

import pandas as pd

from models.training.progress import Epoch
from models.trial import Trial
from tasks.trials.diagnostics_table import DIAGNOSTIC_COLUMNS
from tasks.trials.records import TrialRecord

_FIRST = ("key", "corpus", "digest", "variant", "purpose", "selected", "core", "output", "optimizer", "techniques")
_RECORD = ("status", "diverged_at", "stalled", "valid", "best_epoch", "epochs", "updates", "parameters", "seconds")
# Told by other columns: what these hold has more than one number.
_ELSEWHERE = {"corpus", "core", "output", "output_settings", "optimizer", "techniques", "epochs"}
_FIELDS = (*(field.name for field in fields(Trial) if field.name not in _ELSEWHERE), "max_epochs")
TRIAL_COLUMNS = (*_FIRST, *_RECORD, *_FIELDS)
"""Columns of every table of trials; hyper-parameters of techniques and output models follow."""
_LABELS = ("key", "corpus", "variant", "purpose", "seed", "status")
_EPOCH = tuple(field.name for field in fields(Epoch) if field.name not in ("train", "valid"))
CURVE_COLUMNS = (*_LABELS, "split", "log_likelihood", *_EPOCH)
SCORE_COLUMNS = (
    *("key", "corpus", "variant", "seed", "piece", "steps", "log_likelihood", "accuracy", "union_accuracy", "success"),
    "log_likelihood_error",
)
DIAGNOSIS_COLUMNS = (*_LABELS, *DIAGNOSTIC_COLUMNS)


def trial_table(records: Mapping[str, TrialRecord], names: Mapping[str, str], scored: Set[str]) -> pd.DataFrame:
    """One row for each record, in their order; `counterpoint.load_trials` explains the columns.

    Args:
        records: records of trials, by key.
        names: names of corpora, by digest.
        scored: keys of the trials that have test scores.
    """
    fresh = {(record.trial.corpus, record.trial.seed) for key, record in records.items() if key in scored}
    chosen = _chosen(records, fresh)
    rows = []
    for key, record in records.items():
        trial = record.trial
        first = {
            "key": key,
            "corpus": names.get(trial.corpus, trial.corpus),
            "digest": trial.corpus,
            "variant": trial.variant,
            "purpose": "final" if (trial.corpus, trial.seed) in fresh else "search",
            "selected": key in chosen,
            "core": trial.core,
            "output": trial.output,
            "optimizer": trial.optimizer,
            "techniques": trial.letters,
        }
        own = {name: getattr(trial, name) for name in _FIELDS if name != "max_epochs"}
        own |= {"activation": trial.network_activation, "max_epochs": trial.epochs}
        rows.append(first | {name: getattr(record, name) for name in _RECORD} | own | _hyper_parameters(trial))
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(TRIAL_COLUMNS))
    return table.assign(diverged_at=pd.to_numeric(table["diverged_at"]))


def _hyper_parameters(trial: Trial) -> dict[str, Any]:
    """`C_threshold` of the technique C, `nade_hidden_size` of the output model nade, and so on."""
    owners = [(technique.letter, asdict(technique)) for technique in trial.techniques]
    owners.append((trial.output, asdict(trial.output_settings)))
    return {f"{owner}_{name}": value for owner, values in owners for name, value in values.items()}


def _chosen(records: Mapping[str, TrialRecord], fresh: set[tuple[str, int]]) -> set[str]:
    """The trials of a search whose configurations were trained again: of equal ones that with the best validation."""
    final: set[str] = set()
    best: dict[str, TrialRecord] = {}
    for record in records.values():
        configuration = replace(record.trial, seed=0).key
        if (record.trial.corpus, record.trial.seed) in fresh:
            final.add(configuration)
        elif record.status == "completed" and (configuration not in best or record.valid > best[configuration].valid):
            best[configuration] = record
    return {record.trial.key for configuration, record in best.items() if configuration in final}


def curve_table(trials: pd.DataFrame, curves: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The learning curves of some trials in one table, one row for each trial, epoch and split."""
    tables = []
    for row in trials[trials["key"].isin(list(curves))].itertuples():
        # A trial of an older version has fewer columns.
        curve = curves[row.key].reindex(columns=[*_EPOCH, "train", "valid"])
        tables.append(curve.assign(**{name: getattr(row, name) for name in _LABELS}))
    if not tables:
        return pd.DataFrame(columns=list(CURVE_COLUMNS))
    wide = pd.concat(tables, ignore_index=True)
    long = wide.melt([*_LABELS, *_EPOCH], ["train", "valid"], "split", "log_likelihood")
    order = {key: place for place, key in enumerate(dict.fromkeys(trials["key"]))}
    long = long.sort_values(["key", "epoch", "split"], key=lambda c: c.map(order) if c.name == "key" else c)
    return long.reset_index(drop=True)[list(CURVE_COLUMNS)]


def score_table(trials: pd.DataFrame, scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The test scores of some trials in one table, one row for each trial and piece."""
    tables = [
        scores[row.key].assign(key=row.key, corpus=row.corpus, variant=row.variant, seed=row.seed)
        for row in trials[trials["key"].isin(list(scores))].itertuples()
    ]
    joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return joined.reindex(columns=list(SCORE_COLUMNS))


def diagnosis_table(trials: pd.DataFrame, numbers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The diagnostics of the networks of some trials in one table, one row for each number."""
    tables = [
        numbers[row.key].assign(**{name: getattr(row, name) for name in _LABELS})
        for row in trials[trials["key"].isin([key for key, table in numbers.items() if len(table)])].itertuples()
    ]
    joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return joined.reindex(columns=list(DIAGNOSIS_COLUMNS))
