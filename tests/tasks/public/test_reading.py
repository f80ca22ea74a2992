"""`import counterpoint`: corpora, trials and reports of a store, by names."""

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from inspect import ismodule
from pathlib import Path

import counterpoint
import numpy as np
import pandas as pd
import pytest

from infra.errors import ConfigurationError, NotFoundError
from infra.store import Store
from tasks.ingest.names import Named, give_name
from tasks.ingest.stored import load_corpus
from tasks.publishing.publish import publish
from tasks.report import Findings, estimate, results_json, results_parquet
from tasks.search.search import Search, halve
from tasks.trials.diagnostics_table import DIAGNOSTIC_COLUMNS
from tasks.trials.records import read_parquet, sample_prefix, score_prefix, to_parquet, trial_prefix
from tasks.trials.tables import CURVE_COLUMNS, DIAGNOSIS_COLUMNS, SCORE_COLUMNS, TRIAL_COLUMNS
from tests.models import examples
from tests.tasks.conftest import Finished, by_key, record_of
from tests.tasks.here import continue_here
from tests.tasks.publishing.test_collect import _collect


def test_every_public_name_is_there_and_is_told_of() -> None:
    shown = {name for name, value in vars(counterpoint).items() if not (name.startswith("_") or ismodule(value))}
    assert shown | {"plot"} == set(counterpoint.__all__)
    assert all(getattr(counterpoint, name).__doc__ for name in counterpoint.__all__)
    assert counterpoint.__version__ == version("counterpoint")


def test_its_errors_are_those_that_it_raises(tmp_path: Path) -> None:
    with pytest.raises(counterpoint.NotFoundError, match="no corpus 'songs'"):
        counterpoint.load_corpus(str(tmp_path), "songs")
    with pytest.raises(counterpoint.ConfigurationError, match="version 'newest'"):
        counterpoint.load_report(str(tmp_path), "newest")
    with pytest.raises(counterpoint.StoreError):
        counterpoint.load_trials("nowhere://there")
    for name in ("StoreError", "NotFoundError", "IntegrityError", "ConfigurationError", "CorpusError"):
        assert issubclass(getattr(counterpoint, name), counterpoint.CounterpointError)


def test_a_corpus_by_its_name(finished: Finished) -> None:
    store, digest = finished.store, finished.digests["bach-chorales"]
    give_name(store, "my-chorales", Named(digest, "music", 1))
    corpus = counterpoint.load_corpus(store.address, "my-chorales")
    expected = load_corpus(store, digest)
    assert corpus.digest == digest
    assert {split: len(pieces) for split, pieces in corpus.splits.items()} == {"train": 6, "valid": 3, "test": 3}
    for split, pieces in expected.splits.items():
        for ours, theirs in zip(corpus.splits[split], pieces, strict=True):
            np.testing.assert_array_equal(ours, theirs, strict=True)
    with pytest.raises(NotFoundError, match="no corpus 'nothing'; `prefect run ingest` makes one"):
        counterpoint.load_corpus(store.address, "nothing")


def test_every_trial_is_a_row(finished: Finished) -> None:
    trials = counterpoint.load_trials(finished.store.address).set_index("key")
    records = {record.trial.key: record for record in finished.search + finished.finals}
    assert set(trials.index) == set(records)
    for key, record in records.items():
        row = trials.loc[key]
        assert (row["status"], row["valid"], row["seconds"]) == (record.status, record.valid, record.seconds)
        assert (row["variant"], row["learning_rate"], row["seed"]) == (
            record.trial.variant,
            record.trial.learning_rate,
            record.trial.seed,
        )
        assert (row["techniques"], row["core"], row["optimizer"]) == (record.trial.letters, "rnn", "SGD")
        assert (row["epochs"], row["max_epochs"]) == (record.epochs, record.trial.epochs)
        assert finished.digests[row["corpus"]] == row["digest"] == record.trial.corpus
        told = {name: row[name] for name in trials if name.partition("_")[0] in {*"CLRM"} and not pd.isna(row[name])}
        techniques = record.trial.to_json()["techniques"].items()
        assert told == {f"{letter}_{name}": value for letter, values in techniques for name, value in values.items()}
    used = [name for name in trials if name.partition("_")[0] not in {*"CLRM"} and name != "diverged_at"]
    assert trials[used].notna().all(axis=None), "what has a default has a value"


def test_a_trial_says_whether_it_was_a_search_or_a_final_one_and_which_was_chosen(finished: Finished) -> None:
    trials = counterpoint.load_trials(finished.store.address).set_index("key")
    finals = {record.trial.key for record in finished.finals}
    assert set(trials.index[trials["purpose"] == "final"]) == finals
    assert set(trials["purpose"]) == {"search", "final"}
    brackets = Search(finished.campaign, finished.digests).brackets
    best = [halve(each, by_key(finished.search)).chosen for each in brackets]
    assert set(trials.index[trials["selected"]]) == {record.trial.key for record in best if record is not None}


def test_a_final_trial_that_diverged_is_known_by_its_seed(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    # two variants; the search with the seeds 0 and 1, the choice again with 7 and 8; of C the seed 8 diverged
    search = [examples.trial(letters, seed=seed, learning_rate=0.1 + seed) for letters in ("", "C") for seed in (0, 1)]
    finals = [examples.trial(letters, seed=seed, learning_rate=1.1) for letters in ("", "C") for seed in (7, 8)]
    for trial in (*search, *finals):
        record = record_of(trial, valid=-2.0 + trial.learning_rate)
        if trial == finals[3]:
            record = replace(record, status="diverged", diverged_at=3)
        store.commit(trial_prefix(trial.key), {"record.json": json.dumps(record.to_json()).encode()},
                     kind="trial", provenance={})  # fmt: skip
    for trial in finals[:3]:
        pieces = to_parquet([{"piece": "a", "steps": 4, "log_likelihood": -8.0}])
        store.commit(score_prefix(trial.key), {"pieces.parquet": pieces}, kind="score", provenance={})
    trials = counterpoint.load_trials(str(tmp_path)).set_index("key")
    assert [trials["purpose"][trial.key] for trial in (*search, *finals)] == ["search"] * 4 + ["final"] * 4
    assert [trial for trial in search if trials["selected"][trial.key]] == [search[1], search[3]]
    assert trials["diverged_at"].dropna().to_dict() == {finals[3].key: 3.0}
    assert set(trials["corpus"]) == {search[0].corpus}, "whose corpus is not stored is called by its digest"
    scores = counterpoint.load_scores(str(tmp_path))
    assert sorted(scores["key"]) == sorted(trial.key for trial in finals[:3])
    assert scores[["piece", "steps", "log_likelihood"]].drop_duplicates().to_numpy().tolist() == [["a", 4, -8.0]]
    assert scores["accuracy"].isna().all()


def test_every_epoch_of_every_curve_is_two_rows(finished: Finished) -> None:
    curves = counterpoint.load_curves(finished.store.address)
    assert tuple(curves) == CURVE_COLUMNS
    records = {record.trial.key: record for record in finished.search + finished.finals}
    assert set(curves["key"]) == set(records)
    finals = {record.trial.key for record in finished.finals}
    for key, mine in curves.groupby("key"):
        stored = read_parquet(finished.store.read(trial_prefix(str(key)), "curves.parquet"))
        assert set(mine["purpose"]) == {"final" if key in finals else "search"}
        for split in ("train", "valid"):
            rows = mine[mine["split"] == split]
            assert rows["epoch"].tolist() == stored["epoch"].tolist()
            np.testing.assert_array_equal(rows["log_likelihood"], stored[split])
            np.testing.assert_array_equal(rows["gradient_norm"], stored["gradient_norm"])
            assert rows["update"].tolist() == stored["update"].tolist()


def test_every_piece_of_every_score_is_a_row(finished: Finished) -> None:
    scores = counterpoint.load_scores(finished.store.address)
    assert tuple(scores) == SCORE_COLUMNS
    assert set(scores["key"]) == {record.trial.key for record in finished.finals}
    for record in finished.finals:
        mine = scores[scores["key"] == record.trial.key]
        stored = read_parquet(finished.store.read(score_prefix(record.trial.key), "pieces.parquet"))
        assert (set(mine["variant"]), set(mine["seed"])) == ({record.trial.variant}, {record.trial.seed})
        for column in ("piece", "steps", "log_likelihood", "accuracy"):
            assert mine[column].equals(stored[column].set_axis(mine.index))


def test_every_number_of_every_diagnosis_is_a_row(finished: Finished) -> None:
    numbers = counterpoint.load_diagnostics(finished.store.address)
    records = {record.trial.key: record for record in finished.search + finished.finals}
    assert set(numbers["key"]) == set(records)
    for key, rows in numbers.groupby("key"):
        best, trial = rows[rows["moment"] == "best"], records[str(key)].trial
        assert set(best["epoch"]) == {records[str(key)].best_epoch}
        norms = best.query("quantity == 'gradient_norm'")
        assert norms["index"].tolist() == list(range(len(norms)))
        leaking = rows.query("quantity == 'time_constant'")
        technique = trial.to_json()["techniques"].get("L")
        assert len(leaking) == (round(technique["share"] * trial.hidden_size) if technique else 0)


def test_one_bad_trial_is_passed_over_by_name_and_hides_no_other(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    whole, *others = [examples.trial("C", seed=seed) for seed in range(5)]
    values = {trial: record_of(trial).to_json() for trial in (whole, *others)}
    deep, plugin, newer, changed = others
    plugged = {**values[plugin], "trial": {**values[plugin]["trial"], "techniques": {"Q": {"force": 1}}}}
    stored = {
        whole: json.dumps(values[whole]),
        deep: "[" * 100_000,
        plugin: json.dumps(plugged),
        newer: json.dumps(values[newer] | {"mood": 1}),
        changed: json.dumps(values[changed]),
    }
    for trial, text in stored.items():
        files = {
            "record.json": text.encode(),
            "diagnostics.parquet": to_parquet([dict.fromkeys(DIAGNOSTIC_COLUMNS, 1)]),
        }
        store.commit(trial_prefix(trial.key), files, kind="trial", provenance={})
        store.commit(sample_prefix(trial.key), {"sample.json": text.encode()}, kind="sample", provenance={})
    next((tmp_path / trial_prefix(changed.key)).glob("record-*")).write_text("{}")
    next((tmp_path / trial_prefix(changed.key)).glob("diagnostics-*")).write_text("no table")
    folder = tmp_path / trial_prefix(whole.key)
    for copy in (f"{whole.key} (copy)", "mybackup"):  # what a file manager, or a person, makes
        shutil.copytree(folder, folder.parent / copy)

    with pytest.warns(UserWarning, match="passed over") as told:
        trials = counterpoint.load_trials(str(tmp_path))
    assert trials["key"].tolist() == [whole.key]
    lines = {key: str(w.message) for w in told for key in values if key.key in str(w.message)}
    assert set(lines) == set(others)
    assert all(w.filename == __file__ for w in told), "a warning points to who called"
    for trial, reason in zip(others, ("nested too deeply", "'Q'; install", "'mood'", "has changed"), strict=True):
        assert reason in lines[trial]
    with pytest.warns(UserWarning, match="passed over"):
        assert counterpoint.load_curves(str(tmp_path)).empty, "nobody kept a curve"
    with pytest.warns(UserWarning, match="passed over") as told:
        numbers = counterpoint.load_diagnostics(str(tmp_path))
    assert all(w.filename == __file__ for w in told)
    assert any(re.search(f"{changed.key}/diagnostics-.* has changed", str(w.message)) for w in told)
    assert set(numbers["key"]) == {whole.key}, "of the others nobody knows the corpus"
    with pytest.warns(UserWarning, match="passed over") as told:
        assert counterpoint.load_samples(str(tmp_path)) == {}, "a record is no sample"
    assert len(told) == 5


def test_an_empty_store_has_no_trials(tmp_path: Path) -> None:
    trials, curves, scores = (
        load(str(tmp_path)) for load in (counterpoint.load_trials, counterpoint.load_curves, counterpoint.load_scores)
    )
    assert (len(trials), tuple(trials)) == (0, TRIAL_COLUMNS)
    assert (len(curves), tuple(curves)) == (0, CURVE_COLUMNS)
    assert (len(scores), tuple(scores)) == (0, SCORE_COLUMNS)
    numbers = counterpoint.load_diagnostics(str(tmp_path))
    assert (len(numbers), tuple(numbers)) == (0, DIAGNOSIS_COLUMNS)


def test_every_sample_by_the_key_of_its_trial(finished: Finished) -> None:
    samples = counterpoint.load_samples(finished.store.address)
    assert set(samples) == {record.trial.key for record in finished.finals}
    for record in finished.finals:
        made = samples[record.trial.key]
        assert made == continue_here(finished.store, record.trial, record.trial.seed)
        if made.kind == "music":
            assert made.piano_roll.shape == (made.given + made.asked, 88)
        else:
            assert set(made.text) <= set("abcde")


def test_a_report_by_version_or_the_newest(finished: Finished) -> None:
    store = Store("memory://reading-reports")
    results = _collect(finished.store, finished.campaign, finished.digests)
    estimates = estimate(results, resamples=50)
    files = {"results.json": results_json(Findings(results, estimates)), "results.parquet": results_parquet(estimates)}
    older = publish(store, files, {}, now=datetime(2026, 1, 1, tzinfo=UTC))
    newer = publish(store, {**files, "extra.txt": b"x"}, {}, now=datetime(2026, 1, 2, tzinfo=UTC))
    assert counterpoint.load_report(store.address).version == newer
    with pytest.raises(NotFoundError, match="no report of preset 'smoke'"):  # it changes its preset
        counterpoint.load_report(store.address, preset="smoke")
    document = json.loads(files["results.json"])
    document["campaign"]["changes"] = []
    files |= {"results.json": json.dumps(document).encode()}
    own = publish(store, files, {}, now=datetime(2026, 1, 3, tzinfo=UTC))
    assert counterpoint.load_report(store.address, preset="smoke").version == own
    report = counterpoint.load_report(store.address, older)
    assert report.version == older
    assert report.results["schema"] == "counterpoint.results"
    assert len(report.scores) == len(report.results["scores"]) > 0
    with pytest.raises(NotFoundError):
        counterpoint.load_report(store.address, preset="thorough")
    with pytest.raises(ConfigurationError):
        counterpoint.load_report(store.address, "latest")
