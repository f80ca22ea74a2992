"""The digest of what a report is made from: the same for the same, another for anything else, none where in doubt."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from infra.provenance import provenance
from infra.store import Store
from tasks.ledger import Ledger
from tasks.made_from import made_from
from tasks.publish import newest_made_from, publish
from tests.tasks.conftest import Finished, tiny_campaign

CLEAN = provenance() | {"commit": "c" * 40, "dirty": False}
FILES = {"results.json": json.dumps({"campaign": {"preset": "smoke"}}).encode()}


def _digest(finished: Finished, code=CLEAN, **changes):
    campaign = replace(finished.campaign, **changes)
    return made_from(Ledger(finished.store), campaign, finished.digests, code)


def test_it_is_the_same_whenever_it_is_asked_and_whoever_asks(finished):
    first = _digest(finished)
    assert first is not None
    assert len(first) == 64
    assert _digest(finished, CLEAN | {"flow_run": "another", "cores": 64}) == first


@pytest.mark.parametrize("other", [{"commit": "d" * 40}, {"lock": "another"}, {"versions": {"torch": "3.0"}}])
def test_other_code_makes_another_report(finished, other):
    assert _digest(finished, CLEAN | other) != _digest(finished)


def test_another_name_of_the_preset_makes_another_report(finished):
    assert _digest(finished, preset="another") not in (None, _digest(finished))


def test_code_without_a_name_and_gaps_have_none(finished, store, digests):
    assert _digest(finished, CLEAN | {"dirty": True}) is None
    assert _digest(finished, seeds=finished.campaign.seeds + 1) is None
    assert made_from(Ledger(store), tiny_campaign("SGD"), digests, CLEAN) is None


def test_the_newest_of_the_preset_is_found_by_it(store: Store):
    assert newest_made_from(store, "smoke", "a") is None
    first = publish(store, FILES, {"made_from": "a"}, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert newest_made_from(store, "smoke", "a") == first
    assert newest_made_from(store, "smoke", "b") is None
    assert newest_made_from(store, "default", "a") is None
    publish(store, FILES, {"made_from": None}, now=datetime(2026, 1, 2, tzinfo=UTC))
    assert newest_made_from(store, "smoke", "a") is None
