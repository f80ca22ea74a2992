"""Collect the stored results of a campaign into the tables that a report is made from.

All data come from the store, so the same report can be built again without training. A trial that was asked for but is
not stored is listed as a failure with its reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from infra.provenance import provenance
from infra.store import Store
from models.core import scan_kernel
from models.trial import NUMERICS_VERSION
from tasks.campaign import Campaign
from tasks.corpus.corpus import Corpus
from tasks.ingest import described_as
from tasks.report.numbers.portrait import Portrait, portray, split_statistics
from tasks.report.numbers.results import (
    CURVE_COLUMNS,
    DIAGNOSTIC_COLUMNS,
    PIECE_COLUMNS,
    TRIAL_COLUMNS,
    Results,
    Sampled,
)
from tasks.search.search import Halving, Records
from tasks.search.standing import Standing
from tasks.telling.readable import readable
from tasks.trials.data import TrialData, data_of
from tasks.trials.diagnostics_table import load_diagnosis
from tasks.trials.records import TrialRecord, load_table, sample_prefix, score_prefix, trial_prefix
from tasks.trials.samples import load_sample, original, sampled_piece
from tasks.trials.scoring import baseline_table, counting_on_validation

_MEASURED = ("valid", "best_epoch", "updates", "epochs", "diverged_at", "stalled", "seconds", "parameters")
NOT_STORED = "not in the store; run the campaign again"
SCORED_WITHOUT_SAMPLE = "it is scored, but its sample failed"


def collect(standing: Standing, reasons: Mapping[str, str], started: datetime) -> Results:
    """All measurements of a campaign.

    Args:
        standing: of the search.
        reasons: of trials that failed in this run, by key.
        started: start of this run.
    """
    ledger, search = standing.ledger, standing.search
    ended, owed = standing.ended.records, standing.ended.owed
    tables, damaged = readable(
        lambda key: _tables(ledger.store, ended[key]), [k for k in ended if "score" not in owed.get(k, ())]
    )
    reasons = {**ledger.unreadable, **damaged, **reasons}
    # A final trial without its test score is incomplete, and is listed as a failure.
    records = standing.records | {key: record for key, record in ended.items() if key in tables}
    facts = {name: _facts(ledger.store, name, digest) for name, digest in search.digests.items()}
    corpora = {name: each.corpus for name, each in facts.items()}
    rows = [
        row
        for purpose in ("search", "final")
        for each in standing.halvings
        for row in _rows(each, purpose, records, search.campaign, reasons)
    ]
    trials = pd.DataFrame(rows, columns=list(TRIAL_COLUMNS))
    samples, unsampled = _samples(ledger.store, trials, corpora)
    now = datetime.now(UTC)
    return Results(
        trials=trials,
        curves=_labelled({key: made.curves for key, made in tables.items()}, trials, CURVE_COLUMNS),
        diagnostics=_labelled({key: made.diagnosis for key, made in tables.items()}, trials, DIAGNOSTIC_COLUMNS),
        pieces=_pieces(tables, trials, facts),
        corpora={name: each.description for name, each in facts.items()},
        portraits={name: each.portrait for name, each in facts.items()},
        campaign=search.campaign.to_json(),
        provenance=provenance()
        | {
            "started": started.isoformat(timespec="seconds"),
            "finished": now.isoformat(timespec="seconds"),
            "seconds": round((now - started).total_seconds(), 1),
            "scan_body": scan_kernel(),
            "numerics": NUMERICS_VERSION,
            "measured": standing.ended.measured,
        },
        failures=_failures(trials, owed, unsampled, reasons),
        samples=samples,
    )


def _rows(
    halving: Halving, purpose: str, records: Records, campaign: Campaign, reasons: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """For `search` a row for each draw, of its longest trial; for `final` a row for each fresh seed of the choice."""
    bracket, best = halving.bracket, halving.chosen
    searched = purpose == "search"
    first = {trial.seed: records.get(trial.key) for trial in halving.rungs[0]}
    for trial in halving.furthest if searched else halving.finals:
        record = records.get(trial.key)
        early = first.get(trial.seed) if searched else None
        row = dict.fromkeys(TRIAL_COLUMNS) | {
            "key": trial.key,
            "corpus": bracket.corpus,
            "kind": campaign.kinds[bracket.corpus],
            "variant": trial.variant,
            "purpose": purpose,
            "study": bracket.study,
            "status": "failed" if record is None else record.status,
            "reason": reasons.get(trial.key, NOT_STORED) if record is None else "",
            "seed": trial.seed,
            "hidden_size": trial.hidden_size,
            "activation": trial.network_activation,
            "learning_rate": trial.learning_rate,
            "techniques": trial.to_json()["techniques"],
            "valid_first": None if early is None or early.status != "completed" else early.valid,
            "ended_early": trial.epochs < bracket.epochs[-1],
            "selected": searched and best is not None and trial.key == best.trial.key,
            "chosen_from": None if searched or best is None else best.trial.key,
        }
        yield row if record is None else row | {name: getattr(record, name) for name in _MEASURED}


@dataclass(frozen=True)
class _Tables:
    """The stored tables of a final trial that ended: curve, diagnosis, and test scores if it completed."""

    curves: pd.DataFrame
    diagnosis: pd.DataFrame
    pieces: pd.DataFrame | None


def _tables(store: Store, record: TrialRecord) -> _Tables:
    """Read the tables of a final trial. The many more curves of the search are not used by a report."""
    key = record.trial.key
    return _Tables(
        load_table(store, trial_prefix(key), "curves.parquet"),
        load_diagnosis(store, key),
        load_table(store, score_prefix(key), "pieces.parquet") if record.status == "completed" else None,
    )


def _labelled(
    tables: Mapping[str, pd.DataFrame | None], trials: pd.DataFrame, columns: tuple[str, ...]
) -> pd.DataFrame:
    """The tables of the final trials, concatenated, with columns that identify the trial of each row."""
    finals = trials.loc[trials["purpose"] == "final", ["key", "corpus", "variant", "study", "seed"]]
    there = [(table, place) for place, key in enumerate(finals["key"]) if (table := tables.get(key)) is not None]
    joined = _joined([table for table, _ in there if len(table)], columns)
    # All labels at once: adding them table by table takes ten times as long.
    labels = finals.iloc[[place for table, place in there for _ in range(len(table))]].reset_index(drop=True)
    return joined.assign(**labels)[list(columns)]


@dataclass(frozen=True)
class _Facts:
    """A corpus under its name, and the facts derived from it."""

    corpus: Corpus
    description: dict[str, Any]
    portrait: Portrait
    baselines: pd.DataFrame


def _facts(store: Store, name: str, digest: str) -> _Facts:
    data = data_of(store.address, digest)
    corpus = described_as(store, name, data.corpus)
    return _Facts(corpus, _describe(data, corpus), portray(corpus), baseline_table(data))


def _pieces(tables: Mapping[str, _Tables], trials: pd.DataFrame, facts: Mapping[str, _Facts]) -> pd.DataFrame:
    """Test scores of the baselines and of every completed final trial, with the corpus's titles of the pieces."""
    counted = [each.baselines.assign(corpus=name, key="", study=0, seed=0) for name, each in facts.items()]
    trained = _labelled({key: made.pieces for key, made in tables.items()}, trials, PIECE_COLUMNS)
    joined = _joined([*counted, *([trained] if len(trained) else [])], PIECE_COLUMNS)
    # Titles are those of this name's files, since a stored score may have been made under another name.
    places = joined.groupby(["key", "corpus", "variant"]).cumcount()
    titles = [facts[name].corpus.titles["test"][at] for name, at in zip(joined["corpus"], places, strict=True)]
    return joined.assign(piece=titles)


def _failures(
    trials: pd.DataFrame, owed: Mapping[str, Sequence[str]], unreadable: Mapping[str, str], reasons: Mapping[str, str]
) -> list[dict[str, str]]:
    """The trials that failed, and the trials whose sample failed, with their reasons."""
    columns = ["key", "corpus", "variant", "reason"]
    failed = trials[trials["status"] == "failed"]
    completed = trials[(trials["purpose"] == "final") & (trials["status"] == "completed")]
    lacking = [key in unreadable or "sample" in owed.get(key, ()) for key in completed["key"]]
    why = [unreadable.get(key) or reasons.get(key, NOT_STORED) for key in completed["key"]]
    unsampled = completed.assign(reason=[f"{SCORED_WITHOUT_SAMPLE}: {reason}" for reason in why])
    unsampled = unsampled[pd.Series(lacking, unsampled.index, bool)]
    return [dict(row) for table in (failed, unsampled) for row in table[columns].to_dict("records")]


def _samples(
    store: Store, trials: pd.DataFrame, corpora: Mapping[str, Corpus]
) -> tuple[dict[str, dict[str, Sampled]], dict[str, str]]:
    """The stored sample of the first completed final trial, by corpus and variant.

    Also the reasons, by key, for samples that cannot be read.
    """
    completed = trials[(trials["purpose"] == "final") & (trials["status"] == "completed")]
    first = completed.drop_duplicates(["corpus", "variant"])
    found, unreadable = readable(lambda key: _sample(store, key), first["key"])
    samples: dict[str, dict[str, Sampled]] = {}
    for row in first.itertuples():
        if (sampled := found.get(row.key)) is not None:
            corpus, made = corpora[row.corpus], sampled.continuation
            titles = corpus.titles["test"]
            titled = replace(made, piece=titles[sampled_piece(made.seed, len(titles))])
            samples.setdefault(row.corpus, {})[row.variant] = Sampled(titled, sampled.data, original(corpus, made))
    return samples, unreadable


def _sample(store: Store, key: str) -> Sampled | None:
    made = load_sample(store, key)
    return None if made is None else Sampled(made, store.read(sample_prefix(key), made.file_name))


def _joined(tables: Sequence[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    if not tables:
        return pd.DataFrame(columns=list(columns))
    # Not every table has every column: only estimates have an error, and older trials lack newer columns.
    return pd.concat(tables, ignore_index=True).reindex(columns=list(columns))


def _describe(data: TrialData, corpus: Corpus) -> dict[str, Any]:
    return {
        "kind": corpus.kind,
        "digest": corpus.digest,
        "pieces": {split: len(pieces) for split, pieces in corpus.splits.items()},
        "steps": {split: corpus.steps(split) for split in corpus.splits},
        "vocabulary": len(corpus.vocabulary),
        "source": dict(corpus.source),
        "statistics": split_statistics(corpus),
        "counting": counting_on_validation(data),
    }
