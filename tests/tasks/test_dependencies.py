"""Made-up sequences all the way: ingested, searched, trained, scored on their last steps, and in the report."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest

from infra.errors import ConfigurationError
from infra.settings import CampaignRequest
from infra.store import Store
from models.data_kinds import LAST_STEP_ALONE
from tasks.campaign import PRESETS, Campaign, output_for, resolve
from tasks.corpus.corpus import Corpus
from tasks.ingest import corpus_kind
from tasks.ingest.corpora import find_recipe
from tasks.ingest.stored import ingest_corpus
from tasks.publishing.collect import collect
from tasks.report import Results, build_report, estimate
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.search.trial_times import TrialTimes
from tasks.trials.data import data_of
from tasks.trials.ledger import Ledger
from tasks.trials.records import load_record, load_table
from tasks.trials.samples import load_sample
from tasks.trials.scoring import baseline_table
from tests.tasks.conftest import by_key, train_all
from tests.tasks.here import continue_here, prepared, sample_here, score_here
from tests.tasks.report.pages_made import undrawn

NAMES = ("temporal-order-20", "temporal-order-50", "adding-20")


class Done(NamedTuple):
    store: Store
    campaign: Campaign
    digests: dict[str, str]
    results: Results


def _ingest_few(store: Store, name: str) -> str:
    """The corpus of that name, of few sequences."""
    recipe = find_recipe(name)
    assert recipe is not None
    asked = json.loads(recipe.read_inputs()[f"{name}.json"]) | {"sequences": {"train": 40, "valid": 10, "test": 12}}
    few = replace(recipe, read_inputs=lambda _: {f"{name}.json": json.dumps(asked).encode()})
    return ingest_corpus(store, few)


@pytest.fixture(scope="module")
def done() -> Done:
    store = Store(f"memory://{uuid4().hex}")
    digests = {name: _ingest_few(store, name) for name in NAMES}
    campaign = resolve(CampaignRequest(preset="smoke", corpora=NAMES, variants=("SGD+CLR",), seed=3))
    spaces = {corpus: space.having(hidden_size=5, batch=10) for corpus, space in campaign.spaces.items()}
    campaign = replace(campaign, spaces=spaces)
    search = train_all(store, Search(campaign, digests).trials({}))
    for record in train_all(store, Search(campaign, digests).finals(by_key(search))):
        if record.status == "completed":
            score_here(store, record)
    results = collect(Standing(Ledger(store), Search(campaign, digests)), {}, datetime(2026, 1, 2, tzinfo=UTC))
    return Done(store, campaign, digests, results)


def test_each_kind_has_its_output_model_and_no_chunk_is_shorter_than_a_sequence(done: Done) -> None:
    assert done.campaign.variants["adding-20"][0] == "rnn/gaussian/SGD"
    assert done.campaign.variants["temporal-order-50"][1:] == ("rnn/softmax/SGD+CLR",)
    for trial in Search(done.campaign, done.digests).trials({}):
        assert (trial.chunk, trial.decay, trial.patience >= trial.epochs) == (256, 1.0, True)
    for preset in PRESETS.values():
        for kind in LAST_STEP_ALONE & preset.kinds.keys():
            (chunk,) = preset.kinds[kind].ranges["chunk"].options
            assert chunk > 200, "a gradient goes back to the start of the longest"
            assert output_for(kind) in ("softmax", "gaussian")
    campaign = resolve(CampaignRequest(preset="dependencies"))
    assert {corpus_kind(corpus) for corpus in campaign.variants} == {"temporal-order"}


def test_a_score_is_of_the_last_step_of_each_sequence(done: Done) -> None:
    pieces = done.results.pieces
    assert (pieces["steps"] == 1).all()
    assert pieces["accuracy"].isna().all()
    assert pieces["success"].isin([0, 1, 0.1]).all()
    trained = pieces[pieces["key"] != ""]
    assert set(trained["corpus"]) == set(NAMES)
    assert trained["success"].notna().all()


def test_baselines_answer_by_chance(done: Done) -> None:
    order = baseline_table(data_of(done.store.address, done.digests["temporal-order-20"])).groupby("variant")
    assert order["success"].mean()["baseline/uniform"] == pytest.approx(0.1)
    assert order["log_likelihood"].mean()["baseline/uniform"] == pytest.approx(-np.log(10))
    assert order["log_likelihood"].mean()["baseline/unigram"] == pytest.approx(-np.log(4), abs=0.4)
    adding = baseline_table(data_of(done.store.address, done.digests["adding-20"]))
    corpus, _ = prepared(done.store, done.digests["adding-20"])
    mean = np.mean([piece[-1, 2] for piece in corpus.splits["train"]])
    right = [abs(piece[-1, 2] - mean) < 0.04 for piece in corpus.splits["test"]]
    assert adding["variant"].unique().tolist() == ["baseline/mean"]
    assert adding["success"].astype(bool).tolist() == right


@pytest.mark.integration
def test_the_report_tells_success_and_draws_it_against_the_lag(done: Done) -> None:
    with undrawn(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.report.estimate", partial(estimate, resamples=50))
        files = build_report(done.results)
    page, _, corpora = files["index.html"].decode().partition('<section id="corpora"')
    assert page.count("temporal-order against the lag") == 2
    assert "adding against the lag" not in page, "one lag is no curve"
    assert "nats per sequence" in page
    assert "3 values" in page
    assert "only the last symbol is asked for" in corpora
    assert "behind the equals sign" in corpora
    scores = pd.DataFrame(json.loads(files["results.json"])["scores"])
    assert set(scores["metric"]) == {"success", "sequence_log_likelihood"}
    shown = scores[(scores["corpus"] == "adding-20") & (scores["metric"] == "success")].set_index("variant")["mean"]
    pieces = done.results.pieces.query("corpus == 'adding-20'").groupby("variant")["success"].mean()
    for variant, value in pieces.items():
        assert shown[variant] == pytest.approx(100 * value)


def test_scores_that_were_stored_before_success_was_counted_are_read(done: Done, monkeypatch) -> None:
    monkeypatch.setattr("tasks.publishing.collect.load_table", _without_success)
    old = collect(
        Standing(Ledger(done.store), Search(done.campaign, done.digests)), {}, datetime(2026, 1, 2, tzinfo=UTC)
    )
    assert list(old.pieces) == list(done.results.pieces)
    assert old.pieces.loc[old.pieces["key"] != "", "success"].isna().all()


def _without_success(*asked: Any) -> pd.DataFrame:
    return load_table(*asked).drop(columns="success", errors="ignore")


def test_there_are_no_samples_of_them(done: Done) -> None:
    trial = Search(done.campaign, done.digests).trials({})[0]
    record = load_record(done.store, trial.key)
    assert record is not None
    sample_here(done.store, record)
    assert load_sample(done.store, trial.key) is None
    with pytest.raises(ConfigurationError, match="^temporal-order-20: only its last steps were learned"):
        continue_here(done.store, trial, 1)


@pytest.mark.parametrize(
    ("corpus", "variant"),
    [("adding-20", "rnn/bernoulli/SGD"), ("adding-20", "rnn/rbm/SGD"), ("bach-chorales", "rnn/gaussian/SGD")],
)
def test_an_output_model_of_another_kind_is_refused(corpus: str, variant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"none is for {corpus}"):
        resolve(CampaignRequest(corpora=(corpus,), variants=(variant,)))


def test_the_clock_times_them(done: Done) -> None:
    times = TrialTimes(done.store, Search(done.campaign, done.digests))
    assert all(times.seconds(trial) > 0 for trial in Search(done.campaign, done.digests).trials({})[::6])


@pytest.mark.parametrize("name", NAMES)
def test_a_corpus_comes_back_from_the_store_as_it_was(done: Done, name: str) -> None:
    corpus, pieces = prepared(done.store, done.digests[name])
    assert isinstance(corpus, Corpus)
    assert corpus.last_alone
    assert corpus.source["lag"] == int(name.rpartition("-")[2])
    assert "music21" not in corpus.source
    assert pieces["test"].scored_lengths.tolist() == [1] * 12
    assert pieces["test"].data.shape[1:] == ((3,) if name.startswith("adding") else ())
