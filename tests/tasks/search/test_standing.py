"""How a search stands: what one look at the store tells, to all who are handed it."""

from dataclasses import replace

from infra.store import Store
from models.trial import Trial
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger
from tests.tasks.conftest import Finished, by_key, record_of, tiny_campaign


def test_of_a_finished_campaign_nothing_is_missing(finished: Finished) -> None:
    standing = Standing(Ledger(finished.store), Search(finished.campaign, finished.digests))
    assert standing.whole
    assert standing.records == by_key(finished.search)
    assert standing.ended.records == by_key(finished.finals)
    assert [trial.key for trial in standing.trials] == list(standing.records)
    assert [trial.key for trial in standing.finals] == list(standing.ended.records)
    assert len(standing.ended.made) == 2 * len(standing.finals), "a score and a sample each"


def test_where_nothing_is_stored_all_of_the_first_rung_is_missing(store: Store, digests: dict[str, str]) -> None:
    search = Search(tiny_campaign("SGD+C", trials=3, rungs=2), digests)
    standing = Standing(Ledger(store), search)
    assert standing.missing == standing.trials == [trial for each in search.brackets for trial in each.by_rung[0]]
    assert (standing.finals, standing.ended.unfinished, standing.whole) == ([], [], False)


def test_a_fresh_seed_that_lacks_its_sample_is_unfinished(finished: Finished, monkeypatch) -> None:
    ledger, search = Ledger(finished.store), Search(finished.campaign, finished.digests)
    key = finished.finals[1].trial.key
    monkeypatch.setattr(ledger, "owed", lambda trials: {key: ["sample"]})
    standing = Standing(ledger, search)
    assert standing.missing == []
    assert [trial.key for trial in standing.ended.unfinished] == [key]
    assert not standing.whole


def test_what_is_stored_later_is_in_the_next_look(store: Store, digests: dict[str, str], monkeypatch) -> None:
    stored: list[Trial] = []
    ledger = Ledger(store)
    monkeypatch.setattr(ledger, "records", lambda trials: by_key(record_of(t) for t in trials if t in stored))
    search = Search(replace(tiny_campaign("SGD+C"), studies=1), digests)
    before = Standing(ledger, search)
    stored += before.missing
    assert (len(before.missing), before.finals) == (len(before.trials), [])
    after = Standing(ledger, search)
    assert (after.missing, len(after.finals)) == ([], len(search.brackets) * search.campaign.seeds)
