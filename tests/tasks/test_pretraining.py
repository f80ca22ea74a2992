"""A campaign that asks what pre-training does: with it and without it side by side, on the same seeds."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from infra.errors import ConfigurationError
from infra.settings import CampaignRequest
from infra.store import Store
from models.techniques import Pretraining
from models.training.pretraining import preparations
from tasks.campaign import PRESETS, Campaign, resolve
from tasks.campaign.drawing import draw_trial
from tasks.publishing.collect import collect
from tasks.report import estimate
from tasks.report.words.answer import answer
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.search.trial_times import TrialTimes
from tasks.trials.ledger import Ledger
from tasks.trials.records import read_parquet, trial_prefix
from tests.tasks.conftest import by_key, tiny_campaign, train_all
from tests.tasks.here import sample_here, score_here

CHORALES = "bach-chorales"
WITHOUT, WITH = "rnn/nade/SGD+C", "rnn/nade/SGD+CP"


def _on_the_chorales(*variants: str) -> Campaign:
    campaign = tiny_campaign("SGD", *variants)
    return replace(campaign, kinds={CHORALES: "music"}, variants={CHORALES: campaign.variants[CHORALES]})


@pytest.mark.integration
def test_both_are_drawn_alike_trained_scored_and_compared(store: Store, digests: dict[str, str]):
    campaign = _on_the_chorales(WITHOUT, WITH, "frame/nade/SGD")
    only = {CHORALES: digests[CHORALES]}
    search = train_all(store, Search(campaign, only).trials({}))
    finals = train_all(store, Search(campaign, only).finals(by_key(search)))
    for record in finals:
        score_here(store, record)
    sample_here(store, next(record for record in finals if record.trial.variant == WITH))
    trials = {name: [r for r in search if r.trial.variant == name] for name in (WITHOUT, WITH)}
    assert [len(records) for records in trials.values()] == [2, 2], "the budget is the same number of trials"
    for plain, prepared in zip(*trials.values(), strict=True):
        technique = prepared.trial.technique("P")
        assert isinstance(technique, Pretraining)
        assert replace(prepared.trial, techniques=plain.trial.techniques) == plain.trial
        curve = read_parquet(store.read(trial_prefix(prepared.trial.key), "curves.parquet"))
        before = curve["update"].iloc[0]
        assert before > 0, "the updates of the phases are told"
        assert prepared.updates == curve["update"].iloc[-1]
        assert prepared.epochs == curve["epoch"].iloc[-1] <= prepared.trial.epochs
    results = collect(Standing(Ledger(store), Search(campaign, only)), {}, datetime(2026, 1, 1, tzinfo=UTC))
    estimates = estimate(results, resamples=50)
    effects = estimates.effects[estimates.effects["metric"] == "log_likelihood"].set_index("technique")
    assert list(effects.index) == list("CLRMP")
    assert [pair[:2] for pair in effects.loc["P", "pairs"]] == [(WITHOUT, WITH)]
    assert any("P trains parts of the network first" in warning for warning in answer(estimates, CHORALES).warnings)
    scored = set(estimates.scores["variant"])
    assert {WITHOUT, WITH, "frame/nade/SGD", "rnn/nade/SGD"} <= scored
    chosen = results.trials[results.trials["variant"] == WITH]["techniques"].iloc[0]
    assert set(chosen["P"]) == {"frame_epochs", "recurrent_epochs"}
    assert json.dumps(chosen)


def test_no_preset_asks_for_it():
    for preset in PRESETS:
        campaign = resolve(CampaignRequest(preset=preset))
        assert not any("P" in name.rpartition("+")[2] for names in campaign.variants.values() for name in names)


def test_what_it_does_not_go_with_is_one_line_at_the_door():
    for name in ("SGD+P", "rnn/bernoulli/SGD+CP", "rnn/nade/HF+P", "frame/nade/SGD+P"):
        with pytest.raises(ConfigurationError, match=r"technique P \(pre-training\)") as caught:
            resolve(CampaignRequest(preset="smoke", variants=(name,)))
        assert "\n" not in str(caught.value)


def test_a_core_without_memory_is_drawn_without_units():
    campaign = _on_the_chorales("frame/nade/SGD+C", WITHOUT)
    frame, rnn = (draw_trial(campaign, CHORALES, "0" * 64, name, 1) for name in ("frame/nade/SGD+C", WITHOUT))
    assert (frame.hidden_size, frame.activation, frame.initial_state) == (1, "tanh", "zero")
    own = {"core": "rnn", "hidden_size": rnn.hidden_size, "activation": rnn.activation, "initial_state": "learned"}
    assert replace(frame, **own) == rnn


def test_the_clock_counts_the_epochs_of_the_phases(store: Store, digests: dict[str, str]):
    campaign = _on_the_chorales(WITHOUT, WITH)
    times = TrialTimes(store, Search(campaign, digests))
    trial = draw_trial(campaign, CHORALES, digests[CHORALES], WITH, 0)
    frame, recurrent = (each.trial for each in preparations(trial))
    whole = replace(trial, techniques=trial.techniques[:1])
    parts = sum(times.seconds(each) for each in (whole, frame, recurrent))
    assert times.seconds(trial) == pytest.approx(parts)
