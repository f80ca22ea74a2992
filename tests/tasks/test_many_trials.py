"""Of many trials each is drawn, hashed, asked for and read once: this is counted, and no time is taken."""

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from infra.store import Store
from models.trial import Trial
from tasks.campaign import Campaign
from tasks.ingest.corpora import find_recipe
from tasks.ingest.names import Named, give_name
from tasks.publishing import finished as module
from tasks.publishing.finished import finished as known
from tasks.publishing.noting import note_finished
from tasks.publishing.publish import publish
from tasks.search.dispatch import run_all
from tasks.search.foresight import work_is_left
from tasks.search.plan import make_plan
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger
from tests.tasks.conftest import Finished, tiny_campaign
from tests.tasks.publishing.test_fingerprint import _with
from tests.tasks.publishing.test_finished import CLEAN, DOCUMENT, FILES, REQUEST
from tests.tasks.search.test_plan import EvenTimes

NOBODY: Any = SimpleNamespace(processes=1)
"""In place of workers: nothing is sent to them."""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[Store], Counter[str]]:
    """Counts, from now on, the reads of a store by folder."""

    def counted(store: Store) -> Counter[str]:
        counts, read = Counter[str](), store._backend.read

        def counting(path: str) -> Any:
            counts[path.split("/")[0]] += 1
            return read(path)

        monkeypatch.setattr(store._backend, "read", counting)
        return counts

    return counted


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the trials that are made, and the keys that are computed."""
    counts, check, key_of = Counter[str](), Trial.__post_init__, Trial._key_of

    def checking(trial: Trial) -> None:
        counts["trials"] += 1
        check(trial)

    def hashing(trial: Trial, version: int) -> str:
        counts["keys"] += 1
        return key_of(trial, version)

    monkeypatch.setattr(Trial, "__post_init__", checking)
    monkeypatch.setattr(Trial, "_key_of", hashing)
    return counts


@pytest.fixture
def many() -> Campaign:
    return tiny_campaign("SGD+C", trials=12, studies=2)


def _named(store: Store, digests: dict[str, str]) -> None:
    for name, digest in digests.items():
        recipe = find_recipe(name)
        assert recipe is not None
        give_name(store, name, Named(digest, recipe.kind, recipe.rules))


def test_before_anything_is_stored(store, digests, many, reads, made) -> None:
    counts = reads(store)
    search = Search(many, digests)
    drawn = sum(len(bracket.draws) for bracket in search.brackets)
    make_plan(Standing(Ledger(store), search), EvenTimes())
    assert drawn == made["trials"] == made["keys"] == counts["trials"]


def test_a_trial_is_made_once_for_each_rung(digests, made) -> None:
    campaign = tiny_campaign("SGD+C", trials=12, rungs=2)
    made.clear()  # of the check of its ranges
    search = Search(campaign, digests)
    rungs = [rung for bracket in search.brackets for rung in bracket.by_rung]
    assert len(rungs) > len(search.brackets)
    assert made["trials"] == sum(map(len, rungs))


def test_whether_a_new_campaign_has_work_asks_for_a_trial_of_each_bracket(store, digests, many, reads) -> None:
    _named(store, digests)
    counts = reads(store)
    assert work_is_left(store, many)
    assert counts["trials"] == len(Search(many, digests).brackets)


def test_when_all_is_stored(finished: Finished, reads, made) -> None:
    store = _with(finished.store, {})
    counts, trials = reads(store), len(finished.search) + len(finished.finals)
    standing = Standing(Ledger(store), Search(finished.campaign, finished.digests))
    make_plan(standing, EvenTimes())
    assert counts["trials"] == 2 * trials, "manifest and record"
    assert (counts["scores"], counts["samples"]) == (len(finished.finals),) * 2
    assert made["keys"] == trials
    counts.clear()
    assert run_all(standing, EvenTimes(), NOBODY) == {}
    assert not counts, "the plan has found all there is to know"


def test_a_note_is_made_of_what_was_read_and_checked_by_two_reads_a_trial(
    finished: Finished, reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "provenance", lambda: CLEAN)
    store = _with(finished.store, {})
    _named(store, finished.digests)
    version = publish(store, FILES, {"made_from": "a"})
    standing = Standing(Ledger(store), Search(finished.campaign, finished.digests))
    assert standing.whole
    counts = reads(store)
    note_finished(standing, REQUEST, version, "a", DOCUMENT)
    assert (counts["trials"], counts["scores"], counts["samples"]) == (0, 0, 0)
    counts.clear()
    monkeypatch.setattr(module, "_same_corpora", lambda *_: True)
    assert known(store, REQUEST) is not None
    finals = len(finished.finals)
    assert counts["trials"] == 2 * (len(finished.search) + finals), "manifest and record"
    assert (counts["scores"], counts["samples"]) == (finals, finals)
