"""The plan: what is asked, what is stored, what is left; and jobs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trial import Trial
from tasks.search.dispatch import cut_into_jobs
from tasks.search.plan import Plan, PlanRow, make_plan
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger
from tests.models import examples
from tests.tasks.conftest import by_key, tiny_campaign, train_all
from tests.tasks.here import sample_here, score_here


class EvenTimes:
    """Every trial takes as many seconds as it has units."""

    def seconds(self, trial: Trial) -> float:
        return float(trial.hidden_size)

    def scoring(self, trial: Trial) -> float:
        return 1000.0 if trial.output_type.estimated else 0.0

    def until_scored(self, trial: Trial) -> float:
        return self.seconds(trial) + self.scoring(trial)


def _plan(store, campaign, digests) -> Plan:
    return make_plan(Standing(Ledger(store), Search(campaign, digests)), EvenTimes())


def _of(trials: Sequence[Trial], row: PlanRow, digests) -> list[Trial]:
    return [trial for trial in trials if (trial.corpus, trial.variant) == (digests[row.corpus], row.variant)]


def test_before_anything_is_stored_everything_is_left(store, digests, campaign):
    plan = _plan(store, campaign, digests)
    search = Search(campaign, digests).trials({})
    assert [(row.corpus, row.variant) for row in plan.rows] == [
        (corpus, variant) for corpus, variants in campaign.variants.items() for variant in variants
    ]
    assert {(row.trials, row.stored) for row in plan.rows} == {(4, 0)}, "two of the search, two seeds"
    for row in plan.rows:
        units = [trial.hidden_size for trial in _of(search, row, digests)]
        assert row.seconds == sum(units) + 2 * sum(units) / 2
    assert not plan.finished
    assert store.prefixes("trials") == [], "a plan trains nothing"


def test_the_score_of_what_is_annealed_is_in_the_plan(store, digests):
    campaign = tiny_campaign("rnn/bernoulli/SGD", "rnn/rbm/SGD")
    rows = _plan(store, campaign, {"bach-chorales": digests["bach-chorales"]}).rows
    annealed = {row.variant: row.seconds - row.seconds % 1000 for row in rows}
    assert annealed == {"rnn/bernoulli/SGD": 0, "rnn/rbm/SGD": 2 * 1000}, "two seeds will be scored"


def test_what_an_older_version_of_the_numerics_stored_is_counted_and_not_used(store, digests, campaign, monkeypatch):
    monkeypatch.setattr("models.trial.NUMERICS_VERSION", 1)
    search = Search(campaign, digests).trials({})
    train_all(store, search[:2])
    assert _plan(store, campaign, digests).outdated == 0
    monkeypatch.undo()
    plan = _plan(store, campaign, digests)
    assert plan.outdated == 2
    assert {row.stored for row in plan.rows} == {0}
    drawn_anew = Search(campaign, digests).trials({})  # a trial keeps the key that it was asked for
    train_all(store, drawn_anew[:1])
    assert _plan(store, campaign, digests).outdated == 1, "the other one was trained anew"


def test_the_minutes_are_shared_by_the_workers():
    plan = Plan((PlanRow("a", "b", 4, 0, 90.0), PlanRow("a", "c", 4, 0, 150.0)))
    assert (plan.seconds(1), plan.seconds(4)) == (240.0, 60.0)


def test_in_the_middle_of_the_search(store, digests, campaign):
    search = Search(campaign, digests).trials({})
    first = search[0]
    train_all(store, [first])
    plan = _plan(store, campaign, digests)
    assert [(row.trials, row.stored) for row in plan.rows] == [(4, 1)] + [(4, 0)] * 5
    row = plan.rows[0]
    units = [trial.hidden_size for trial in _of(search, row, digests)]
    assert row.seconds == sum(units) - first.hidden_size + 2 * sum(units) / 2
    assert not plan.finished


def test_from_the_search_to_the_end(store, digests):
    campaign = tiny_campaign("SGD+C", variants={"bach-chorales": ("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+C")})
    digests = {"bach-chorales": digests["bach-chorales"]}
    records = train_all(store, Search(campaign, digests).trials({}))
    plan = _plan(store, campaign, digests)
    assert [(row.trials, row.stored) for row in plan.rows] == [(4, 2), (4, 2)]

    finals = Search(campaign, digests).finals(by_key(records))
    of_first, of_second = (_of(finals, row, digests) for row in plan.rows)
    trained = train_all(store, of_first)
    plan = _plan(store, campaign, digests)
    assert [(row.trials, row.stored) for row in plan.rows] == [(4, 2), (4, 2)], "trained but not scored is lacking"
    assert plan.rows[0].seconds > 0

    for record in trained:
        score_here(store, record)
    plan = _plan(store, campaign, digests)
    assert [(row.trials, row.stored) for row in plan.rows] == [(4, 2), (4, 2)], "scored but not sampled is lacking"

    for record in trained:
        sample_here(store, record)
    plan = _plan(store, campaign, digests)
    assert [(row.trials, row.stored) for row in plan.rows] == [(4, 4), (4, 2)]
    assert (plan.rows[0].seconds, plan.finished) == (0, False)

    for record in train_all(store, of_second):
        score_here(store, record)
        sample_here(store, record)
    plan = _plan(store, campaign, digests)
    assert plan.finished
    assert plan.seconds(1) == 0


def test_a_finished_campaign_is_finished_and_a_larger_one_is_not(finished):
    assert _plan(finished.store, finished.campaign, finished.digests).finished
    larger = _plan(finished.store, replace(finished.campaign, seeds=3), finished.digests)
    assert {(row.trials, row.stored) for row in larger.rows} == {(5, 4)}
    assert not larger.finished


def test_a_search_in_which_nothing_completed_has_no_seeds_to_wait_for(store, digests):
    campaign = tiny_campaign("SGD")
    spaces = {corpus: space.having(learning_rate=1e30) for corpus, space in campaign.spaces.items()}
    campaign = replace(campaign, spaces=spaces)
    search = Search(campaign, digests).trials({})
    train_all(store, search)
    assert {record.status for record in Ledger(store).records(search).values()} == {"diverged"}
    plan = _plan(store, campaign, digests)
    assert {(row.trials, row.stored, row.seconds) for row in plan.rows} == {(2, 2, 0)}
    assert plan.finished


def _trials(costs: dict[str, list[float]]) -> tuple[list[Trial], dict[str, float]]:
    """A trial for each cost on each corpus, and the cost of each by key."""
    flat = [(corpus, cost) for corpus, some in costs.items() for cost in some]
    trials = [examples.trial(corpus=corpus, seed=number) for number, (corpus, _) in enumerate(flat)]
    return trials, {trial.key: cost for trial, (_, cost) in zip(trials, flat, strict=True)}


def _cut(costs: dict[str, list[float]], workers: int) -> list[list[float]]:
    trials, cost = _trials(costs)
    return [[cost[t.key] for t in job] for job in cut_into_jobs(trials, lambda t: cost[t.key], workers)]


@settings(max_examples=100, deadline=None)
@given(
    costs=st.dictionaries(
        st.sampled_from(("a" * 64, "b" * 64, "c" * 64)), st.lists(st.floats(0.001, 1000), max_size=40), max_size=3
    ),
    workers=st.integers(1, 4),
)
def test_jobs_hold_every_trial_once_of_one_corpus_the_longest_first(costs, workers):
    trials, cost = _trials(costs)
    cut = cut_into_jobs(trials, lambda trial: cost[trial.key], workers)
    assert Counter(t.key for job in cut for t in job) == Counter(list(cost))
    assert all(len({trial.corpus for trial in job}) == 1 for job in cut)
    sums = [sum(cost[trial.key] for trial in job) for job in cut]
    assert sums == sorted(sums, reverse=True)
    limit = sum(cost.values()) / (8 * workers)
    assert all(len(job) == 1 or seconds <= limit * 1.001 for job, seconds in zip(cut, sums, strict=True))
    # Two neighbours of a corpus are over the limit together: at worst there are twice the jobs meant.
    assert len(cut) <= 2 * 8 * workers + len(costs)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_many_small_trials_make_about_eight_jobs_a_worker(workers):
    cut = _cut({"a" * 64: [1.0] * 200, "b" * 64: [2.0] * 100}, workers)
    assert 8 * workers <= len(cut) <= 9 * workers + 2


def test_a_huge_trial_is_alone_and_first():
    cut = _cut({"a" * 64: [1.0] * 50 + [1000.0], "b" * 64: [1.0] * 50}, workers=2)
    assert cut[0] == [1000.0]
    assert len(cut) == 3


def test_few_trials_are_a_job_each_and_none_is_none():
    assert _cut({"a" * 64: [2.0, 3.0]}, workers=4) == [[3.0], [2.0]]
    assert _cut({}, workers=4) == []


def test_on_gpus_trials_of_one_shape_are_one_job_and_nobody_is_left_without_work():
    trials = [examples.trial(hidden_size=size, seed=seed) for seed in range(6) for size in (4, 9)]
    for workers, sizes in ((1, [6, 6]), (2, [6, 6]), (4, [3, 3, 3, 3]), (12, [1] * 12)):
        cut = cut_into_jobs(trials, EvenTimes().seconds, workers, on_gpus=True)
        assert [len(job) for job in cut] == sizes
        assert all(len({trial.shape for trial in job}) == 1 for job in cut)
        assert Counter(trial.key for job in cut for trial in job) == Counter(trial.key for trial in trials)
        assert cut[0][0].hidden_size == 9, "the longest first"
