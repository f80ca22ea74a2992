"""Collecting: the tables of a report hold what is in the store, all of it, and name what is not."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from safetensors.torch import load

from infra.provenance import provenance
from infra.store import Store
from models.evaluation.baselines import baselines, score_baseline
from models.evaluation.metrics import Scores, score
from models.network import Network
from models.randomness import generator_for
from tasks.campaign import Campaign
from tasks.ingest import ingest_corpus
from tasks.ingest.building.recipe import Recipe
from tasks.publishing.collect import NOT_STORED, SCORED_WITHOUT_SAMPLE, _rows, collect
from tasks.publishing.fingerprint import made_from
from tasks.report import build_report, estimate
from tasks.report.kept import kept_files, results_of
from tasks.report.numbers.results import (
    COLUMNS,
    CURVE_COLUMNS,
    DIAGNOSTIC_COLUMNS,
    PIECE_COLUMNS,
    TRIAL_COLUMNS,
    Results,
)
from tasks.report.pages.corpora import render_corpora
from tasks.report.pages.samples import file_name, sample_files
from tasks.search.search import Search, halve
from tasks.search.standing import Standing
from tasks.trials.data import data_of
from tasks.trials.diagnostics_table import load_diagnosis
from tasks.trials.ledger import Ledger
from tasks.trials.records import load_table, read_parquet, sample_prefix, score_prefix, to_parquet, trial_prefix
from tasks.trials.scoring import counting_on_validation
from tests.models.pooled import summary
from tests.tasks.conftest import Finished, by_key, record_of, tiny_campaign, tiny_music, train_all
from tests.tasks.here import prepared, sample_here, score_here
from tests.tasks.report.pages_made import undrawn

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SGD = "rnn/bernoulli/SGD"
KINDS = {"bach-chorales": "music", "folk-tunes-characters": "characters"}


def _collect(
    store: Store, campaign: Campaign, digests: dict[str, str], reasons: Mapping[str, str] | None = None
) -> Results:
    return collect(Standing(Ledger(store), Search(campaign, digests)), reasons or {}, STARTED)


@pytest.fixture(scope="module")
def results(finished: Finished) -> Results:
    return _collect(finished.store, finished.campaign, finished.digests)


def test_the_tables_have_the_columns_of_the_report(results):
    assert tuple(results.trials) == TRIAL_COLUMNS
    assert tuple(results.curves) == CURVE_COLUMNS
    assert tuple(results.diagnostics) == DIAGNOSTIC_COLUMNS
    assert tuple(results.pieces) == PIECE_COLUMNS
    for column in ("steps", "log_likelihood", "accuracy", "union_accuracy", "study", "seed"):
        assert results.pieces[column].dtype.kind in "if", column
    for column in ("valid", "learning_rate", "updates", "diverged_at", "seconds"):
        assert results.trials[column].dtype.kind in "if", column


def test_every_trial_is_a_row_with_what_its_record_says(finished, results):
    records = finished.search + finished.finals
    assert results.trials["key"].tolist() == [record.trial.key for record in records]
    assert results.trials["purpose"].tolist() == ["search"] * 12 + ["final"] * 12
    names = {digest: name for name, digest in finished.digests.items()}
    for row, record in zip(results.trials.itertuples(), records, strict=True):
        trial = record.trial
        assert (row.corpus, row.kind) == (names[trial.corpus], KINDS[names[trial.corpus]])
        assert (row.variant, row.seed, row.hidden_size) == (trial.variant, trial.seed, trial.hidden_size)
        assert (row.learning_rate, row.activation) == (trial.learning_rate, "tanh")
        assert (row.status, row.reason, row.valid) == (record.status, "", record.valid)
        assert row.best_epoch == record.best_epoch
        assert (row.updates, row.epochs, row.parameters) == (record.updates, record.epochs, record.parameters)
        assert (row.seconds, row.stalled) == (record.seconds, False)
        assert pd.isna(row.diverged_at)
    assert results.failures == []


def test_the_chosen_trial_is_marked_and_its_finals_point_to_it(finished, results):
    records = by_key(finished.search)
    best = {
        (each.digest, each.variant): record.trial.key
        for each in Search(finished.campaign, finished.digests).brackets
        if (record := halve(each, records).chosen) is not None
    }
    selected = results.trials[results.trials["selected"]]
    assert sorted(selected["key"]) == sorted(best.values())
    assert (selected["purpose"] == "search").all()
    finals = results.trials[results.trials["purpose"] == "final"]
    for row in finals.itertuples():
        assert row.chosen_from == best[finished.digests[row.corpus], row.variant]
    assert results.trials.loc[results.trials["purpose"] == "search", "chosen_from"].isna().all()


def test_the_hyper_parameters_of_every_technique_are_there_by_letter_and_name(store, digests):
    campaign = tiny_campaign("SGD+C", "SGD+L", "SGD+R", "SGD+M", "SGD+CLRM")
    trials = _collect(store, campaign, digests).trials
    for trial, told in zip(Search(campaign, digests).trials({}), trials["techniques"], strict=True):
        assert list(told) == list(trial.letters)
        assert [type(each)(**told[each.letter]) for each in trial.techniques] == list(trial.techniques)


def test_the_activation_is_the_one_that_the_network_has(store, digests):
    trials = _collect(store, tiny_campaign("SGD+R", "SGD+C"), digests).trials
    used = trials.groupby(trials["variant"].str.contains(r"\+R"))["activation"].unique()
    assert {rectified: names.tolist() for rectified, names in used.items()} == {False: ["tanh"], True: ["relu"]}


def test_the_curves_are_those_of_the_final_trials_in_the_store(finished, results):
    keys = [record.trial.key for record in finished.finals]
    stored = [load_table(finished.store, trial_prefix(key), "curves.parquet") for key in keys]
    assert len(results.curves) == sum(map(len, stored))
    for key, curve in zip(keys, stored, strict=True):
        mine = results.curves[results.curves["key"] == key].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine[list(curve)], curve)
    labels = ["corpus", "variant"]
    merged = results.curves.merge(results.trials, on="key", suffixes=("", "_trial"))
    assert all((merged[label] == merged[f"{label}_trial"]).all() for label in labels)


def _pooled(pieces: pd.DataFrame, kind: str) -> dict[str, float]:
    sums = [pieces[name].to_numpy() for name in ("steps", "log_likelihood", "accuracy", "union_accuracy")]
    return summary(kind, Scores(*sums))


def test_the_diagnostics_are_those_of_the_final_trials_in_the_store(finished, results):
    keys = [record.trial.key for record in finished.finals]
    for key in keys:
        stored = load_diagnosis(finished.store, key)
        mine = results.diagnostics[results.diagnostics["key"] == key]
        pd.testing.assert_frame_equal(mine[list(stored)].reset_index(drop=True), stored)
        (row,) = results.trials[results.trials["key"] == key].itertuples()
        assert (set(mine["variant"]), set(mine["corpus"])) == ({row.variant}, {row.corpus})
    assert set(results.diagnostics["key"]) == set(keys)


def _of_an_older_version(finished: Finished) -> Store:
    """The same store, but its trials have no diagnostics, and their curves lack the columns that came with them."""
    older = Store(f"memory://{uuid4().hex}")
    for folder in ("data", "samples", "scores", "trials"):
        for prefix in finished.store.prefixes(folder):
            manifest = finished.store.manifest(prefix)
            assert manifest is not None
            files = {item.name: finished.store.read(prefix, item.name) for item in manifest.objects}
            if files.pop("diagnostics.parquet", None) is not None:
                curve = read_parquet(files["curves.parquet"]).drop(columns=["largest_norm", "update_ratio"])
                files["curves.parquet"] = to_parquet(curve.to_dict("records"))
            older.commit(prefix, files, kind=manifest.kind, provenance={})
    return older


def test_trials_of_an_older_version_are_collected_without_them(finished, results):
    older = _collect(_of_an_older_version(finished), finished.campaign, finished.digests)
    assert older.diagnostics.empty
    assert older.provenance["measured"] == {"commits": [], "processors": [], "torch": []}
    assert tuple(older.curves) == CURVE_COLUMNS
    assert older.curves["update_ratio"].isna().all()
    pd.testing.assert_frame_equal(older.trials, results.trials)


def test_the_pieces_pool_to_the_scores_of_the_trained_networks(finished, results):
    finals = results.trials[results.trials["purpose"] == "final"]
    trained = results.pieces[~results.pieces["variant"].str.startswith("baseline/")]
    assert set(trained["key"]) == set(finals["key"])
    for record in finished.finals:
        trial = record.trial
        corpus, pieces = prepared(finished.store, trial.corpus)
        network = Network.for_data(trial, pieces["train"], corpus.width)
        network.load(load(finished.store.read(trial_prefix(trial.key), "weights.safetensors")))
        direct = score(network, pieces["test"], generator_for(trial.seed, "accuracy"))
        rows = trained[trained["key"] == trial.key]
        assert rows["piece"].tolist() == ["test 0", "test 1", "test 2"]
        assert set(rows["variant"]) == {trial.variant}
        assert set(rows["seed"]) == {trial.seed}
        assert set(rows["corpus"]) == {corpus.name}
        assert _pooled(rows, corpus.kind) == pytest.approx(summary(corpus.kind, direct))


def test_the_baselines_are_rows_too(finished, results):
    rows = results.pieces[results.pieces["variant"].str.startswith("baseline/")]
    assert (set(rows["seed"]), set(rows["key"])) == ({0}, {""})
    for name, digest in finished.digests.items():
        corpus, pieces = prepared(finished.store, digest)
        expected = baselines(pieces["train"], corpus.width)
        mine = rows[rows["corpus"] == name]
        assert set(mine["variant"]) == {f"baseline/{baseline}" for baseline in expected}
        for baseline, probability_D in expected.items():
            scores = score_baseline(probability_D, pieces["test"], generator_for("baseline", baseline))
            pooled = _pooled(mine[mine["variant"] == f"baseline/{baseline}"], corpus.kind)
            assert pooled == pytest.approx(summary(corpus.kind, scores))


def test_search_trials_have_no_test_scores(finished, results):
    assert set(results.pieces["key"]).isdisjoint(record.trial.key for record in finished.search)


def test_a_second_collection_is_the_same_but_for_the_times(finished, results):
    again = _collect(finished.store, finished.campaign, finished.digests)
    for name in ("trials", "curves", "pieces"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(results, name))
    assert (again.corpora, again.campaign, again.failures) == (results.corpora, results.campaign, results.failures)
    assert again.provenance.keys() == results.provenance.keys()


def test_corpora_campaign_and_provenance_are_told_as_json(finished, results):
    json.dumps([results.corpora, results.campaign, results.provenance], allow_nan=False)
    music = results.corpora["bach-chorales"]
    assert music["digest"] == finished.digests["bach-chorales"]
    assert (music["kind"], music["vocabulary"]) == ("music", 0)
    assert music["pieces"] == {"train": 6, "valid": 3, "test": 3}
    corpus, pieces = prepared(finished.store, music["digest"])
    assert music["steps"] == {split: int(some.lengths.sum()) for split, some in pieces.items()}
    assert music["source"] == dict(corpus.source)
    assert results.corpora["folk-tunes-characters"]["vocabulary"] == 5
    assert results.campaign == finished.campaign.to_json()
    for name, digest in finished.digests.items():
        assert results.corpora[name]["counting"] == counting_on_validation(data_of(finished.store.address, digest))
    assert results.provenance["started"] == "2026-01-02T03:04:05+00:00"
    own = provenance()
    assert results.provenance["measured"] == {
        "commits": [own["commit"]],
        "processors": [own["processor"]],
        "torch": [own["versions"]["torch"]],
    }
    ended = datetime.fromisoformat(results.provenance["finished"])
    assert results.provenance["seconds"] == pytest.approx((ended - STARTED).total_seconds(), abs=1)


def test_the_score_after_the_first_rung_is_that_of_the_shorter_trial(store, digests):
    """Three draws, of which the first goes on and gets better; the second diverged, the third learned nothing."""
    campaign = tiny_campaign("SGD", trials=3, rungs=2)
    search = Search(campaign, digests)
    (bracket,) = (each for each in search.brackets if (each.corpus, each.variant) == ("bach-chorales", SGD))
    first = [
        record_of(trial, valid, status=status)
        for trial, valid, status in zip(
            halve(bracket, {}).rungs[0], (-9.0, -8.0, -12.0), ("completed", "diverged", "untrained"), strict=True
        )
    ]
    (longer,) = halve(bracket, by_key(first)).rungs[1]
    told = by_key([*first, record_of(longer, -7.5)])
    rows = list(_rows(halve(bracket, told), "search", told, campaign, {}))
    assert [(row["valid"], row["valid_first"]) for row in rows] == [(-7.5, -9.0), (-8.0, None), (-12.0, None)]
    assert [row["ended_early"] for row in rows] == [False, True, True]


@pytest.fixture
def half(store, digests) -> tuple[Campaign, dict[str, str]]:
    """Plain SGD and C on the chorales; nothing is trained yet."""
    variants = {"bach-chorales": ("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+C")}
    return tiny_campaign("SGD+C", variants=variants), {"bach-chorales": digests["bach-chorales"]}


def test_what_is_not_in_the_store_is_a_failure_with_its_reason(store, half):
    campaign, digests = half
    search = Search(campaign, digests).trials({})
    train_all(store, search[:2])
    results = _collect(store, campaign, digests, {search[2].key: "RuntimeError: broken", search[0].key: "ignored"})
    assert results.failures == [
        {**_named(search[2]), "reason": "RuntimeError: broken"},
        {**_named(search[3]), "reason": NOT_STORED},
        *({**_named(final), "reason": NOT_STORED} for final in _finals(store, campaign, digests, search[:2])),
    ]
    status = results.trials.set_index("key")["status"]
    assert status[[trial.key for trial in search]].tolist() == ["completed", "completed", "failed", "failed"]
    failed = results.trials[results.trials["status"] == "failed"]
    assert failed[["valid", "updates", "epochs", "seconds", "parameters"]].isna().all(axis=None)
    assert results.curves.empty, "no final trial is stored"
    held_back = results.trials[results.trials["variant"] == "rnn/bernoulli/SGD+C"]
    assert held_back["purpose"].tolist() == ["search", "search"]
    assert not held_back["selected"].any()
    rows = estimate(results, resamples=50).primary("bach-chorales").set_index("variant")
    assert rows.loc["rnn/bernoulli/SGD+C", ["search_ended", "search_asked", "held_back"]].tolist() == [0, 2, True]
    assert rows.loc["rnn/bernoulli/SGD", ["search_ended", "search_asked", "held_back"]].tolist() == [2, 2, False]
    assert set(results.pieces["key"]) == {""}, "baselines need no trial"


def _named(trial: Any) -> dict[str, str]:
    return {"key": trial.key, "corpus": "bach-chorales", "variant": trial.variant}


def _finals(store: Store, campaign: Campaign, digests: dict[str, str], trained: list[Any]) -> list[Any]:
    return Search(campaign, digests).finals(by_key(train_all(store, trained)))


def test_a_final_that_was_trained_and_not_scored_is_a_failure_too(store, half):
    """Else its score would be missing from the report without a word."""
    campaign, digests = half
    first, second, third, fourth = _finals(store, campaign, digests, Search(campaign, digests).trials({}))
    for record in train_all(store, [first, second, third, fourth])[2:]:
        score_here(store, record)
        sample_here(store, record)
    results = _collect(store, campaign, digests, {first.key: "MemoryError: no room"})
    assert results.failures == [
        {**_named(first), "reason": "MemoryError: no room"},
        {**_named(second), "reason": NOT_STORED},
    ]
    assert set(results.pieces["key"]) == {"", third.key, fourth.key}


def test_a_trial_that_stalled_says_so(store, half):
    campaign, digests = half
    search = Search(campaign, digests).trials({})
    told = by_key(record_of(trial, stalled=trial is search[0]) for trial in search)
    (bracket, *_) = Search(campaign, digests).brackets
    rows = list(_rows(halve(bracket, told), "search", told, campaign, {}))
    assert [row["stalled"] for row in rows] == [True] + [False] * (len(rows) - 1)


def test_a_diverged_final_is_a_row_without_a_score_and_no_failure(store, half):
    campaign, digests = half
    spaces = {corpus: space.having(learning_rate=1e30) for corpus, space in campaign.spaces.items()}
    wild = replace(campaign, spaces=spaces)
    train_all(store, Search(wild, digests).trials({}))
    results = _collect(store, wild, digests)
    assert set(results.trials["status"]) == {"diverged"}
    assert results.trials["diverged_at"].tolist() == [2.0] * 4
    assert not results.trials["selected"].any()
    assert set(results.trials["purpose"]) == {"search"}
    assert results.failures == []
    assert set(results.pieces["key"]) == {""}


def test_the_samples_are_those_of_the_first_seeds(finished, results):
    assert {corpus: set(variants) for corpus, variants in results.samples.items()} == {
        corpus: set(variants) for corpus, variants in finished.campaign.variants.items()
    }
    finals = results.trials[results.trials["purpose"] == "final"]
    for corpus, variants in results.samples.items():
        for variant, sampled in variants.items():
            first = finals[(finals["corpus"] == corpus) & (finals["variant"] == variant)].iloc[0]
            made = sampled.continuation
            assert (made.key, made.seed, made.corpus) == (first["key"], first["seed"], finished.digests[corpus])
            assert sampled.data == finished.store.read(sample_prefix(made.key), made.file_name) == made.to_bytes()
            held_back, _ = prepared(finished.store, made.corpus)
            piece = held_back.splits["test"][held_back.titles["test"].index(made.piece)][: made.given + made.asked]
            if made.kind == "music":
                np.testing.assert_array_equal(replace(made, steps=sampled.original).piano_roll, piece)
            else:
                assert list(sampled.original) == [held_back.vocabulary[symbol] for symbol in piece]


def test_what_is_told_of_a_corpus_is_of_the_files_that_its_name_stands_for_now(store, half):
    """Trained, scored and sampled when it was made of other files, which gave the same arrays."""
    campaign, digests = half
    for record in train_all(store, _finals(store, campaign, digests, Search(campaign, digests).trials({}))):
        score_here(store, record)
        sample_here(store, record)
    before = _collect(store, campaign, digests)
    digest = made_from(Standing(Ledger(store), Search(campaign, digests)), {**before.provenance, "dirty": False})
    titles = {split: tuple(f"my {title}" for title in told) for split, told in tiny_music().titles.items()}
    mine = replace(tiny_music(), titles=titles, source={"origin": "mine", "quarantined": {"a.mid": "broken"}})
    recipe = Recipe("bach-chorales", "music", 1, lambda source: {"a.mid": b"a"}, lambda *parts: mine)
    assert ingest_corpus(store, recipe) == digests["bach-chorales"]

    own = _collect(store, campaign, digests)
    assert own.corpora["bach-chorales"]["source"].items() >= mine.source.items()
    assert set(before.pieces["piece"]) == {"test 0", "test 1", "test 2"}
    assert own.pieces["piece"].tolist() == [f"my {title}" for title in before.pieces["piece"]]
    pd.testing.assert_frame_equal(own.pieces.drop(columns="piece"), before.pieces.drop(columns="piece"))
    assert all(roll.title.startswith("my train") for roll in own.portraits["bach-chorales"].rolls)
    for variant, sampled in before.samples["bach-chorales"].items():
        piece = own.samples["bach-chorales"][variant].continuation.piece
        assert piece == f"my {sampled.continuation.piece}"
    assert "broken" in render_corpora(own)
    assert made_from(Standing(Ledger(store), Search(campaign, digests)), {**before.provenance, "dirty": False}) not in (
        None,
        digest,
    )


def test_a_final_without_its_sample_keeps_its_score_and_is_named(store, half):
    campaign, digests = half
    finals = _finals(store, campaign, digests, Search(campaign, digests).trials({}))
    for record in train_all(store, finals):
        score_here(store, record)
    results = _collect(store, campaign, digests, {finals[0].key: "ValueError: no tune"})
    assert results.samples == {}
    assert results.failures == [
        {**_named(finals[0]), "reason": f"{SCORED_WITHOUT_SAMPLE}: ValueError: no tune"},
        *({**_named(final), "reason": f"{SCORED_WITHOUT_SAMPLE}: {NOT_STORED}"} for final in finals[1:]),
    ]
    assert set(results.pieces["key"]) == {"", *(final.key for final in finals)}
    assert sample_files(results) == {}


def test_what_is_damaged_of_a_final_is_named_and_the_report_has_the_others(store, half):
    campaign, digests = half
    finals = _finals(store, campaign, digests, Search(campaign, digests).trials({}))
    for record in train_all(store, finals):
        score_here(store, record)
        sample_here(store, record)
    _damage(store, trial_prefix(finals[0].key), "curves.parquet")
    _damage(store, score_prefix(finals[1].key), "pieces.parquet")
    _damage(store, sample_prefix(finals[2].key), "sample.json")
    results = _collect(store, campaign, digests)
    told = {row["key"]: row["reason"] for row in results.failures}
    assert list(told) == [final.key for final in finals[:3]]
    for final, name in zip(finals[:3], ("curves", "pieces", "sample"), strict=True):
        assert f"{final.key}/{name}-" in told[final.key]
        assert "has changed" in told[final.key]
    assert set(results.pieces["key"]) == {"", finals[2].key, finals[3].key}
    assert set(results.curves["key"]) == {finals[2].key, finals[3].key}


def _damage(store: Store, prefix: str, name: str) -> None:
    manifest = store.manifest(prefix)
    assert manifest is not None
    (path,) = (item.path for item in manifest.objects if item.name == name)
    MemoryFileSystem().pipe_file(f"{store.address.removeprefix('memory://')}/{prefix}/{path}", b"damaged")


def test_an_empty_store_of_trials_is_all_failures(store, digests, campaign):
    results = _collect(store, campaign, digests)
    assert len(results.failures) == len(results.trials) == 12
    assert results.curves.empty
    assert tuple(results.curves) == CURVE_COLUMNS


def test_what_is_kept_of_it_is_what_was_collected(results):
    code = {"commit": None, "dirty": None}
    back = results_of(kept_files(results), "there", code)
    for name in COLUMNS:
        pd.testing.assert_frame_equal(getattr(back, name), getattr(results, name), check_exact=True)
    for name in ("campaign", "corpora", "failures"):
        assert json.dumps(getattr(back, name)) == json.dumps(getattr(results, name))
    assert back.provenance == {**results.provenance, "rebuilt": code}


@pytest.mark.integration
def test_a_report_can_be_built_of_it(finished, results):
    with undrawn(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.report.estimate", partial(estimate, resamples=50))
        files = build_report(results)
    pages = {"index.html", "results.json", "results.parquet", "scores.csv", "campaign.toml"}
    pages |= {f"tables/{name}" for name in kept_files(results)} | {name for name in files if name.startswith("latex/")}
    assert set(files) == pages | {file_name(results, corpus, v) for corpus, vs in results.samples.items() for v in vs}
    document = json.loads(files["results.json"])
    shown = {(row["corpus"], row["variant"]): row for row in document["scores"] if row["metric"] != "accuracy"}
    for corpus, variants in finished.campaign.variants.items():
        assert {(corpus, variant) for variant in variants} <= set(shown)
    rows = results.pieces[results.pieces["variant"] == "rnn/bernoulli/SGD"]
    mean = np.mean([_pooled(of_seed, "music")["log_likelihood"] for _, of_seed in rows.groupby("seed")])
    (row,) = (
        row for row in document["scores"] if (row["variant"], row["metric"]) == ("rnn/bernoulli/SGD", "log_likelihood")
    )
    assert row["mean"] == pytest.approx(mean)
