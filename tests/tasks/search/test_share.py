"""Shares of a campaign: disjoint, complete, each able to run from its first rung to its scores alone."""

import pytest

from infra.errors import CampaignError, ConfigurationError
from infra.store import Store
from tasks.search.plan import make_plan
from tasks.search.search import Search
from tasks.search.share import Share
from tasks.search.share_outcome import share_outcome
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger
from tests.tasks.conftest import by_key, record_of, tiny_campaign


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "1/2/3", "-1/3", "1 / 3", "1/3\n", "a/b"])
def test_what_is_no_share_is_one_line(text: str):
    with pytest.raises(ConfigurationError, match="as 2/5") as caught:
        Share.read(text)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("of", [1, 2, 3, 5, 40])
def test_shares_are_disjoint_and_complete(of: int, digests: dict[str, str]):
    campaign = tiny_campaign("SGD+C", studies=2, trials=3, rungs=2)
    whole = Search(campaign, digests).brackets
    parts = [Search(campaign, digests, Share(part, of)).brackets for part in range(1, of + 1)]
    assert sorted((b.corpus, b.variant, b.study) for part in parts for b in part) == sorted(
        (b.corpus, b.variant, b.study) for b in whole
    )
    assert {bracket for part in parts for bracket in part} == set(whole)
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_as_many_shares_as_studies_are_a_study_each(digests: dict[str, str]):
    campaign = tiny_campaign("SGD+C", "SGD+L", studies=3)
    for part in (1, 2, 3):
        assert {bracket.study for bracket in Search(campaign, digests, Share(part, 3)).brackets} == {part - 1}


def test_what_a_share_came_to_counts_its_own_trials_alone(store: Store, digests: dict[str, str], monkeypatch):
    campaign = tiny_campaign("SGD+C", studies=2, trials=3, seeds=1)
    search = Search(campaign, digests, Share(1, 2))
    searched = search.trials({})
    assert 2 * len(searched) == len(Search(campaign, digests).trials({}))
    records = by_key(record_of(trial) for trial in searched)
    finals = search.finals(records)
    stored = {trial.key: record_of(trial) for trial in [*searched, *finals[:-1]]}
    ledger = Ledger(store)
    monkeypatch.setattr(ledger, "records", lambda trials: {t.key: stored[t.key] for t in trials if t.key in stored})
    monkeypatch.setattr(ledger, "owed", lambda trials: {})
    outcome = share_outcome(Standing(ledger, search), Share(1, 2))
    assert (outcome.trials, outcome.failures) == (len(searched) + len(finals), 1)
    assert f"copy --from {store.address}" in str(outcome)
    with pytest.raises(CampaignError, match="1 of"):
        outcome.check_complete()


def test_the_plan_of_a_share_is_of_its_own_trials(store: Store, digests: dict[str, str], monkeypatch):
    class Quick:
        seconds = staticmethod(lambda trial: 1.0)
        until_scored = staticmethod(lambda trial: 1.0)

    campaign = tiny_campaign("SGD+C", studies=1, trials=2, seeds=1)

    def rows(share: Share | None) -> list[tuple[str, str, int]]:
        plan = make_plan(Standing(Ledger(store), Search(campaign, digests, share)), Quick)
        return [(row.corpus, row.variant, row.trials) for row in plan.rows]

    parts = [row for part in (1, 2, 3) for row in rows(Share(part, 3))]
    assert sorted(parts) == sorted(rows(None))
