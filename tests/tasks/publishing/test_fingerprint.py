"""The digest of what a report is made from: the same for the same, another for anything else, none where in doubt."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from infra.provenance import provenance
from infra.store import Store
from tasks.publishing.fingerprint import made_from
from tasks.publishing.publish import newest_made_from, publish
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger
from tasks.trials.records import sample_prefix, score_prefix, trial_prefix
from tests.tasks.conftest import Finished, fill, record_of, tiny_campaign

CLEAN = provenance() | {"commit": "c" * 40, "dirty": False}
FILES = {"results.json": json.dumps({"campaign": {"preset": "smoke"}}).encode()}


def _digest(finished: Finished, code=CLEAN, **changes):
    campaign = replace(finished.campaign, **changes)
    return made_from(Standing(Ledger(finished.store), Search(campaign, finished.digests)), code)


def test_it_is_the_same_whenever_it_is_asked_and_whoever_asks(finished):
    first = _digest(finished)
    assert first is not None
    assert len(first) == 64
    assert _digest(finished, CLEAN | {"flow_run": "another", "cores": 64}) == first


@pytest.mark.parametrize("other", [{"commit": "d" * 40}, {"lock": "another"}, {"versions": {"torch": "3.0"}}])
def test_other_code_makes_another_report(finished, other):
    assert _digest(finished, CLEAN | other) != _digest(finished)


def test_another_name_of_the_preset_makes_another_report(finished):
    another = replace(finished.campaign.preset, name="another")
    assert _digest(finished, preset=another) not in (None, _digest(finished))


def test_code_without_a_name_and_gaps_have_none(finished, store, digests):
    assert _digest(finished, CLEAN | {"dirty": True}) is None
    assert _digest(finished, seeds=finished.campaign.seeds + 1) is None
    assert made_from(Standing(Ledger(store), Search(tiny_campaign("SGD"), digests)), CLEAN) is None


def test_another_score_or_sample_makes_another_report_and_without_them_there_are_gaps():
    """The records are the same: what is made of them is told by the bytes that are stored."""
    store, campaign = Store(f"memory://{uuid4().hex}"), tiny_campaign("SGD+C")
    digests = fill(store)
    records = {trial.key: record_of(trial) for trial in Search(campaign, digests).trials({})}
    finals = Search(campaign, digests).finals(records)
    records |= {trial.key: record_of(trial) for trial in finals}
    for key, record in records.items():
        files = {"record.json": json.dumps(record.to_json()).encode()}
        store.commit(trial_prefix(key), files, kind="trial", provenance={})
    found = []
    for score, sample in ((b"1", b"1"), (b"1", b"2"), (b"2", b"1")):
        commits = {score_prefix(t.key): score for t in finals} | {sample_prefix(t.key): sample for t in finals}
        found.append(made_from(Standing(Ledger(_with(store, commits)), Search(campaign, digests)), CLEAN))
    assert len({digest for digest in found if digest is not None}) == 3
    for place in (score_prefix, sample_prefix):
        half = _with(store, {place(t.key): b"1" for t in finals})
        assert made_from(Standing(Ledger(half), Search(campaign, digests)), CLEAN) is None


def _with(store: Store, commits: Mapping[str, bytes]) -> Store:
    """A copy of a store, with some commits more."""
    other = Store(f"memory://{uuid4().hex}")
    files, (here, there) = MemoryFileSystem(), (each.address.removeprefix("memory://") for each in (store, other))
    for path in files.find(f"/{here}"):
        files.pipe_file(path.replace(here, there), files.cat_file(path))
    for prefix, data in commits.items():
        other.commit(prefix, {"made": data}, kind="made", provenance={})
    return other


def test_the_newest_of_the_preset_is_found_by_it(store: Store):
    assert newest_made_from(store, "smoke", "a") is None
    first = publish(store, FILES, {"made_from": "a"}, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert newest_made_from(store, "smoke", "a") == first
    assert newest_made_from(store, "smoke", "b") is None
    assert newest_made_from(store, "default", "a") is None
    publish(store, FILES, {"made_from": None}, now=datetime(2026, 1, 2, tzinfo=UTC))
    assert newest_made_from(store, "smoke", "a") is None
