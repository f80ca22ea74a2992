"""A job: each trial once, failures named, and the test split for final trials alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from prefect.logging import disable_run_logger

from infra.store import Store
from models.trial import Trial
from tasks.campaign.drawing import draw_trial
from tasks.trials import train as training
from tasks.trials.data import data_of
from tasks.trials.job import run_job
from tasks.trials.ledger import Ledger
from tasks.trials.records import load_record, sample_prefix, score_prefix

CORPUS = "bach-chorales"


@pytest.fixture(autouse=True)
def _no_flow_run() -> Iterator[None]:
    """A task's logger belongs to a run; here the task's function is called as it is."""
    with disable_run_logger():
        yield


@pytest.fixture
def trials(campaign, digests) -> list[Trial]:
    return [draw_trial(campaign, CORPUS, digests[CORPUS], "rnn/bernoulli/SGD+C", index) for index in range(3)]


def _run(store: Store, trials: Sequence[Trial], *, score: bool) -> list[dict[str, str]]:
    failures = run_job.fn(store.address, [trial.to_json() for trial in trials], CORPUS, "a job", score)
    return [{"key": failure["key"], "reason": failure["reason"]} for failure in failures]


def test_search_trials_are_trained_and_never_scored(store, trials):
    assert _run(store, trials, score=False) == []
    assert list(Ledger(store).records(trials)) == [trial.key for trial in trials]
    assert store.prefixes("scores") == []
    assert store.prefixes("samples") == []


def test_final_trials_leave_a_sample(store, trials):
    assert _run(store, trials[:2], score=True) == []
    before = {trial.key: store.manifest(sample_prefix(trial.key)) for trial in trials[:2]}
    assert None not in before.values()
    assert _run(store, trials[:2], score=True) == []
    assert {trial.key: store.manifest(sample_prefix(trial.key)) for trial in trials[:2]} == before


def test_final_trials_are_scored_exactly_once(store, trials):
    assert _run(store, trials, score=True) == []
    before = {trial.key: store.manifest(score_prefix(trial.key)) for trial in trials}
    assert None not in before.values()
    assert _run(store, trials, score=True) == []
    assert {trial.key: store.manifest(score_prefix(trial.key)) for trial in trials} == before


def test_a_trained_final_without_scores_is_scored_and_not_trained(store, trials, monkeypatch):
    """A worker died between the two commits."""
    assert _run(store, trials, score=False) == []
    monkeypatch.setattr("tasks.trials.train.train_stack", None)
    assert _run(store, trials, score=True) == []
    assert len(store.prefixes("scores")) == 3


@pytest.mark.parametrize(("rate", "status"), [(1e30, "diverged"), (1e-30, "untrained")])
def test_a_final_that_diverged_or_never_learned_has_no_score_and_is_no_failure(store, trials, rate, status):
    lost = replace(trials[0], learning_rate=rate)
    assert _run(store, [lost, trials[1]], score=True) == []
    assert load_record(store, lost.key).status == status
    assert store.prefixes("scores") == [score_prefix(trials[1].key)]
    assert store.prefixes("samples") == [sample_prefix(trials[1].key)]


def test_a_trial_that_raises_is_named_and_the_others_are_committed(store, trials, monkeypatch):
    train_stack = training.train_stack

    def fragile(stack: Sequence[Trial], *rest: Any) -> Any:
        if trials[1] in stack:
            raise FloatingPointError("this one broke\nsecond line")
        return train_stack(stack, *rest)

    monkeypatch.setattr("tasks.trials.train.train_stack", fragile)
    failures = _run(store, trials, score=True)
    assert failures == [{"key": trials[1].key, "reason": "FloatingPointError: this one broke"}]
    assert list(Ledger(store).records(trials)) == [trials[0].key, trials[2].key]
    assert len(store.prefixes("scores")) == 2
    monkeypatch.setattr("tasks.trials.train.train_stack", train_stack)
    assert _run(store, trials, score=True) == [], "a failure is nobody's result: the next run tries again"
    assert len(store.prefixes("scores")) == 3


def test_a_corpus_that_is_not_there_is_a_reason(store, trials):
    lost = replace(trials[0], corpus="0" * 64)
    (failure,) = _run(store, [lost], score=False)
    assert failure["key"] == lost.key
    assert failure["reason"].startswith("NotFoundError: ")
    assert "0" * 64 in failure["reason"]


def test_trials_of_two_corpora_are_no_job(store, trials):
    with pytest.raises(ValueError, match="wants trials of one corpus, got 2"):
        _run(store, [trials[0], replace(trials[1], corpus="0" * 64)], score=False)
    assert load_record(store, trials[0].key) is None


def test_a_network_is_made_for_its_own_corpus_alone(store, trials):
    with pytest.raises(ValueError, match=f"of the corpus {trials[0].corpus}, and the trial of {'0' * 64}"):
        data_of(store.address, trials[0].corpus).network(replace(trials[1], corpus="0" * 64))


def test_a_failure_to_score_is_named_and_the_trained_trial_is_kept(store, trials, monkeypatch):
    def broken(*arguments: object, **named: object) -> None:
        raise MemoryError

    monkeypatch.setattr("tasks.trials.scoring.score", broken)
    assert _run(store, trials[:1], score=True) == [{"key": trials[0].key, "reason": "MemoryError: "}]
    assert load_record(store, trials[0].key).status == "completed"
    assert store.prefixes("scores") == []


def test_a_scored_final_without_its_sample_is_sampled_and_neither_trained_nor_scored(store, trials, monkeypatch):
    """A worker died between the second commit and the third."""
    with monkeypatch.context() as dying:
        dying.setattr("tasks.trials.job.ensure_sampled", lambda *_: None)
        assert _run(store, trials[:2], score=True) == []
    assert store.prefixes("samples") == []
    assert Ledger(store).unfinished(trials[:2], scored=True) == trials[:2]
    monkeypatch.setattr("tasks.trials.train.train_stack", None)
    monkeypatch.setattr("tasks.trials.scoring.score", None)
    assert _run(store, trials[:2], score=True) == []
    assert store.prefixes("samples") == sorted(sample_prefix(trial.key) for trial in trials[:2])
    assert Ledger(store).unfinished(trials[:2], scored=True) == []


def test_a_failure_to_sample_is_named_and_the_score_is_kept(store, trials, monkeypatch):
    def broken(*arguments: object, **named: object) -> None:
        raise ValueError("no tune")

    monkeypatch.setattr("tasks.trials.samples.generate", broken)
    assert _run(store, trials[:1], score=True) == [{"key": trials[0].key, "reason": "ValueError: no tune"}]
    assert store.prefixes("scores") == [score_prefix(trials[0].key)]
    assert Ledger(store).unfinished(trials[:1], scored=True) == trials[:1], "the next run tries again"


def test_every_trial_is_told_as_it_ends(store, trials, monkeypatch):
    events: list[dict[str, Any]] = []
    monkeypatch.setattr("tasks.trials.job.report_progress", events.append)
    wild = replace(trials[0], learning_rate=1e30)
    lost, train_stack = replace(trials[0], seed=5), training.train_stack

    def fragile(stack: Sequence[Trial], *rest: object) -> object:
        if stack[0].key == lost.key:
            raise OSError("no room")
        return train_stack(stack, *rest)

    monkeypatch.setattr("tasks.trials.train.train_stack", fragile)
    _run(store, [wild, lost, trials[1]], score=False)
    assert [(event["kind"], event["key"], event["status"]) for event in events] == [
        ("trial", wild.key, "diverged"),
        ("trial", lost.key, "failed"),
        ("trial", trials[1].key, "completed"),
    ]
    assert {(event["corpus"], event["variant"]) for event in events} == {(CORPUS, "rnn/bernoulli/SGD+C")}
    record = load_record(store, trials[1].key)
    assert (events[1]["valid"], events[2]["valid"]) == (None, record.valid)
    assert events[2]["seconds"] == record.seconds


def test_a_worker_uses_one_thread(store, trials):
    torch.set_num_threads(2)
    _run(store, trials[:1], score=False)
    assert torch.get_num_threads() == 1


def test_someone_who_stops_the_worker_is_obeyed(store, trials, monkeypatch):
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tasks.trials.train.train_stack", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _run(store, trials, score=False)
