"""Collect what a campaign has in the store into the tables a report is made from.

Everything comes from the store: the same report can be built again, by anybody, without training. What is asked and
not there is a failure with a name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from infra.provenance import provenance
from infra.store import Store
from models.core import scan_body
from models.trial import Trial
from tasks.campaign import Campaign
from tasks.corpus import Corpus
from tasks.diagnoses import load_diagnosis
from tasks.evaluate import baseline_table
from tasks.ingest import told_under
from tasks.ledger import Ledger, many
from tasks.records import TrialRecord, sample_prefix, score_prefix, trial_prefix
from tasks.report.portrait import portray, split_statistics
from tasks.report.results import CURVE_COLUMNS, DIAGNOSTIC_COLUMNS, PIECE_COLUMNS, TRIAL_COLUMNS, Results, Sampled
from tasks.samples import load_sample, sampled_piece
from tasks.search import choose, final_trials, search_trials
from tasks.train import prepared

_MEASURED = ("valid", "updates", "epochs", "diverged_at", "seconds", "parameters")
NOT_STORED = "not in the store; run the campaign again"


def collect(
    ledger: Ledger, campaign: Campaign, digests: Mapping[str, str], reasons: Mapping[str, str], started: datetime
) -> Results:
    """All measurements of a campaign.

    Args:
        ledger: what is stored.
        campaign: what was asked.
        digests: digest of each corpus, by name.
        reasons: why trials failed in this run, by key.
        started: when this run began.
    """
    search = search_trials(campaign, digests)
    records = ledger.records(search)
    chosen = {place: record.trial for place, record in choose(search, records).items()}
    finals = final_trials(campaign, digests, records)
    # Without its test score a final trial has not come to its end: it is told as a failure, not left out.
    unscored = {trial.key for trial in ledger.unfinished(finals, scored=True)}
    records |= ledger.records(trial for trial in finals if trial.key not in unscored)
    names = {digest: corpus for corpus, digest in digests.items()}
    corpora = {
        name: told_under(ledger.store, name, prepared(ledger.store.address, d)[0]) for name, d in digests.items()
    }
    asked = [(trial, "search") for trial in search] + [(trial, "final") for trial in finals]
    rows = [
        _trial_row(trial, purpose, names, campaign.kinds, records.get(trial.key), chosen, reasons)
        for trial, purpose in asked
    ]
    trials = pd.DataFrame(rows, columns=list(TRIAL_COLUMNS))
    # Where nothing is stored a column holds None alone, which is no number.
    trials[list(_MEASURED)] = trials[list(_MEASURED)].apply(pd.to_numeric)
    ended = datetime.now(UTC)
    return Results(
        trials=trials,
        curves=_curves(ledger, trials),
        diagnostics=_diagnostics(ledger, trials),
        pieces=_pieces(ledger, trials, digests, corpora),
        corpora={name: _describe(corpus, digests[name]) for name, corpus in corpora.items()},
        portraits={name: portray(corpus) for name, corpus in corpora.items()},
        campaign=campaign.to_json(),
        provenance=provenance()
        | {
            "started": started.isoformat(timespec="seconds"),
            "finished": ended.isoformat(timespec="seconds"),
            "seconds": round((ended - started).total_seconds(), 1),
            "scan_body": scan_body(),
        },
        failures=trials.loc[trials["status"] == "failed", ["key", "corpus", "variant", "reason"]].to_dict("records"),
        samples=_samples(ledger.store, trials, corpora),
    )


def _told(store: Store, name: str, digest: str) -> Corpus:
    corpus, _ = prepared(store.address, digest)
    return told_under(store, name, corpus)


def _trial_row(
    trial: Trial,
    purpose: str,
    names: Mapping[str, str],
    kinds: Mapping[str, str],
    record: TrialRecord | None,
    chosen: Mapping[tuple[str, str], Trial],
    reasons: Mapping[str, str],
) -> dict[str, Any]:
    best = chosen.get((trial.corpus, trial.variant))
    row = dict.fromkeys(TRIAL_COLUMNS) | {
        "key": trial.key,
        "corpus": names[trial.corpus],
        "kind": kinds[names[trial.corpus]],
        "variant": trial.variant,
        "purpose": purpose,
        "status": "failed" if record is None else record.status,
        "reason": reasons.get(trial.key, NOT_STORED) if record is None else "",
        "seed": trial.seed,
        "hidden_size": trial.hidden_size,
        "activation": trial.network_activation,
        "learning_rate": trial.learning_rate,
        "techniques": trial.to_json()["techniques"],
        "selected": purpose == "search" and best is not None and trial.key == best.key,
        "chosen_from": best.key if purpose == "final" and best is not None else None,
    }
    return row if record is None else row | {name: getattr(record, name) for name in _MEASURED}


def _curves(ledger: Ledger, trials: pd.DataFrame) -> pd.DataFrame:
    """Learning curves of every final trial that ended: nobody looks at those of the search, which are many more."""
    ended = _ended_finals(trials)
    return _labelled(ledger.tables(map(trial_prefix, ended["key"]), "curves.parquet"), ended, CURVE_COLUMNS)


def _diagnostics(ledger: Ledger, trials: pd.DataFrame) -> pd.DataFrame:
    """What was measured on the networks of the same trials."""
    ended = _ended_finals(trials)
    tables = many(lambda key: load_diagnosis(ledger.store, key), list(ended["key"]))
    return _labelled(tables.values(), ended, DIAGNOSTIC_COLUMNS)


def _ended_finals(trials: pd.DataFrame) -> pd.DataFrame:
    return trials[(trials["purpose"] == "final") & (trials["status"] != "failed")]


def _labelled(tables: Iterable[pd.DataFrame], ended: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    labelled = [
        table.assign(key=row.key, corpus=row.corpus, variant=row.variant)
        for table, row in zip(tables, ended.itertuples(), strict=True)
    ]
    return _joined([table for table in labelled if len(table)], columns)


def _pieces(
    ledger: Ledger, trials: pd.DataFrame, digests: Mapping[str, str], corpora: Mapping[str, Corpus]
) -> pd.DataFrame:
    """Test scores of every final trial that completed, and of the baselines; the pieces have the corpus's titles."""
    scored = trials[(trials["purpose"] == "final") & (trials["status"] == "completed")]
    tables = ledger.tables(map(score_prefix, scored["key"]), "pieces.parquet")
    labelled = [
        table.assign(corpus=row.corpus, variant=row.variant, key=row.key, seed=row.seed)
        for table, row in zip(tables, scored.itertuples(), strict=True)
    ]
    counted = [
        baseline_table(ledger.store, digest).assign(corpus=corpus, key="", seed=0) for corpus, digest in digests.items()
    ]
    return _joined(_titled(counted + labelled, corpora), PIECE_COLUMNS)


def _titled(tables: Iterable[pd.DataFrame], corpora: Mapping[str, Corpus]) -> list[pd.DataFrame]:
    """The titles are those of the name's own files: a stored score may have been made under another name."""
    titled = []
    for table in tables:
        corpus, places = table["corpus"].iloc[0], table.groupby("variant").cumcount()
        titled.append(table.assign(piece=[corpora[corpus].titles["test"][place] for place in places]))
    return titled


def _samples(store: Store, trials: pd.DataFrame, corpora: Mapping[str, Corpus]) -> dict[str, dict[str, Sampled]]:
    """By corpus and variant the sample of the first final trial that completed, as far as they are stored."""
    completed = trials[(trials["purpose"] == "final") & (trials["status"] == "completed")]
    first = completed.drop_duplicates(["corpus", "variant"])
    found = many(lambda key: _sample(store, key), first["key"])
    told: dict[str, dict[str, Sampled]] = {}
    for row in first.itertuples():
        if (sampled := found[row.key]) is not None:
            titles = corpora[row.corpus].titles["test"]
            made = replace(sampled.continuation, piece=titles[sampled_piece(sampled.continuation.seed, len(titles))])
            told.setdefault(row.corpus, {})[row.variant] = replace(sampled, continuation=made)
    return told


def _sample(store: Store, key: str) -> Sampled | None:
    made = load_sample(store, key)
    return None if made is None else Sampled(made, store.read(sample_prefix(key), made.file_name))


def _joined(tables: Sequence[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    if not tables:
        return pd.DataFrame(columns=list(columns))
    # Not every table has every column: only estimates have an error, and older trials lack what came later.
    return pd.concat(tables, ignore_index=True).reindex(columns=list(columns))


def _describe(corpus: Corpus, digest: str) -> dict[str, Any]:
    return {
        "kind": corpus.kind,
        "digest": digest,
        "pieces": {split: len(pieces) for split, pieces in corpus.splits.items()},
        "steps": {split: corpus.steps(split) for split in corpus.splits},
        "vocabulary": len(corpus.vocabulary),
        "source": dict(corpus.source),
        "statistics": split_statistics(corpus),
    }
