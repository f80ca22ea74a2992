"""A campaign that is killed before any write to its store, or whose store refuses once, ends with the same bytes.

One undisturbed run keeps what its store held before every write: that is what a run which is killed there leaves. Each
of these stores is then gone on from, undisturbed; and by a run whose first write fails, before it is done or after it,
and which is then run again. Records are equal but for the seconds, manifests but for who wrote them and when. Of the
operations that fail every so manieth is taken; every one where the variable CHAOS is `whole`, as `make chaos` sets it.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from prefect.logging import disable_run_logger

from infra.errors import CounterpointError, StoreError
from infra.provenance import provenance
from infra.store import Store
from models.trial import Trial
from tasks.ingest import ingest_corpus
from tasks.ingest.building.recipe import Recipe
from tasks.publishing.fingerprint import made_from
from tasks.publishing.publish import newest_made_from, publish
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.data import data_of
from tasks.trials.job import run_job
from tasks.trials.ledger import Ledger
from tasks.upkeep.leftovers import leftovers, remove
from tasks.upkeep.verify import verify_store
from tests.tasks.conftest import tiny_campaign, tiny_music
from tests.tasks.place import Place

SECONDS = count()
WHOLE = os.environ.get("CHAOS") == "whole"
NAME, ADDRESS, NOON = "bach-chorales", "memory://killed", datetime(2026, 1, 2, 12, tzinfo=UTC)
RECIPE = Recipe(NAME, "music", 1, lambda source: {"a.mid": b"a"}, lambda *parts: tiny_music())
CAMPAIGN = tiny_campaign("SGD+C", variants={NAME: ("rnn/bernoulli/SGD+C",)}, kinds={NAME: "music"}, trials=1, seeds=1)
CLEAN = provenance() | {"commit": "c" * 40, "dirty": False}


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The only place that there is; a checkpoint at every update."""
    only = Place()
    monkeypatch.setattr("infra.store.store.open_backend", lambda address: only)
    monkeypatch.setattr("tasks.trials.train.CHECKPOINT_SECONDS", 0.0)
    with disable_run_logger():
        yield only


def run(address: str = ADDRESS) -> dict[str, str]:
    """The campaign in this process, as `flows/reproduce.py` wires it; the reasons of what is missing at its end."""
    data_of.cache_clear()  # which another process has not
    store = Store(address)
    digests, ledger = {NAME: ingest_corpus(store, RECIPE)}, Ledger(store)
    search = Search(CAMPAIGN, digests).trials({})
    reasons = _round(ledger, search, score=False)
    finals = Search(CAMPAIGN, digests).finals(ledger.records(search))
    reasons |= _round(ledger, finals, score=True)
    digest = made_from(Standing(ledger, Search(CAMPAIGN, digests)), CLEAN)
    if digest is None or newest_made_from(store, CAMPAIGN.name, digest) is None:
        document = {"campaign": {"preset": CAMPAIGN.name}, "failures": sorted(reasons)}
        now = NOON + timedelta(seconds=next(SECONDS))
        publish(store, {"results.json": json.dumps(document).encode()}, {"made_from": digest}, now=now)
    return reasons


def _round(ledger: Ledger, trials: list[Trial], *, score: bool) -> dict[str, str]:
    values = [trial.to_json() for trial in ledger.unfinished(trials, scored=score)]
    told = run_job.fn(ledger.store.address, values, NAME, "a job", score) if values else []
    reasons = {failure["key"]: failure["reason"] for failure in told}
    return {trial.key: reasons[trial.key] for trial in ledger.unfinished(trials, scored=score)}


def committed(files: Mapping[str, bytes]) -> dict[str, Any]:
    """All that is committed for good, without times and nonces; of the reports those that are pointed to."""
    told: dict[str, Any] = {}
    for path in (path for path in files if not path.startswith("checkpoints/")):
        folder, _, last = path.rpartition("/")
        if last == "manifest.json":
            for item in json.loads(files[path])["objects"]:
                told[f"{folder}/{item['name']}"] = _timeless(item["name"], files[f"{folder}/{item['path']}"])
        elif folder in ("", "corpora"):
            told[path] = json.loads(files[path])["value"]
    for pointer in (path for path in told if path.startswith("latest")):
        told[pointer] = told[f"{told[pointer]['prefix']}/results.json"]
    return {path: content for path, content in told.items() if not path.startswith("reports/")}


def _timeless(name: str, content: bytes) -> Any:
    return json.loads(content) | {"seconds": None} if name == "record.json" else content


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Tells a line for `make chaos`, past what pytest captures."""

    def say(line: str) -> None:
        if WHOLE:
            with capfd.disabled():
                print(f" {line}", flush=True)

    return say


@pytest.fixture
def undisturbed(place: Place) -> tuple[list[dict[str, bytes]], dict[str, Any]]:
    """What the store held before each write, and what it holds in the end."""
    assert run() == {}
    history, place.history = place.history, []
    return [*history, place.files], committed(place.files)


def _some(history: list[dict[str, bytes]], step: int) -> list[dict[str, bytes]]:
    """Every so manieth of the stores, and all from the final trial's record on: there its score and sample are made."""
    late = next(at for at, files in enumerate(history) if any(path.startswith("scores/") for path in files)) - 3
    return [files for at, files in enumerate(history) if WHOLE or at >= late or at % step == 0]


@pytest.mark.integration
def test_killed_before_any_write_a_campaign_goes_on_to_the_same_bytes(place, undisturbed, say):
    history, expected = undisturbed
    assert {path.split("/")[0] for path in expected} == {
        *("data", "ingests", "corpora", "trials", "scores", "samples", "latest.json", "latest-smoke.json"),
    }
    for files in history:
        place.files = dict(files)
        assert run() == {}
        assert committed(place.files) == expected
        store = Store(ADDRESS)
        remove(store, leftovers(store))
        assert _number(place.files) == _number(history[-1]), "what is left over goes, and nothing else"
        assert committed(place.files) == expected
        assert verify_store(store).damaged == ()
    say(f"killed before each of {len(history)} writes: all equal")


def _number(files: Mapping[str, bytes]) -> int:
    # A report that was committed and not pointed to stays: the next run makes another one.
    return sum(not path.startswith("reports/") for path in files)


@pytest.mark.integration
@pytest.mark.parametrize("after", [False, True], ids=["not-done", "answer-lost"])
def test_a_write_that_fails_is_told_and_the_next_run_ends_with_the_same_bytes(place, undisturbed, say, after):
    history, expected = undisturbed
    some = _some(history[:-1], 3)
    for files in some:
        place.files = dict(files)
        told = _run_with_failure(place, "write", 0, after)
        assert told or committed(place.files) == expected, "what is lacking is told"
        assert run() == {}
        assert committed(place.files) == expected
    say(f"an error {'after' if after else 'in place of'} {len(some)} of {len(history) - 1} writes: all equal")


@pytest.mark.integration
@pytest.mark.parametrize("good", [False, True], ids=["once", "for-good"])
def test_a_read_that_fails_is_told_and_the_next_run_ends_with_the_same_bytes(place, undisturbed, say, good):
    _, expected = undisturbed
    reads = place.reads
    some = range(0, reads, 1 if WHOLE else reads // 4)
    for at in some:
        place.files = {}
        told = _run_with_failure(place, "read", at, after=False, good=good)
        assert told or committed(place.files) == expected, "what is lacking is told"
        assert run() == {}
        assert committed(place.files) == expected
    say(f"an error of {'all operations from ' if good else ''}{len(some)} of {reads} reads{' on' * good}: all equal")


def _run_with_failure(place: Place, what: str, at: int, after: bool, good: bool = False) -> dict[str, str]:
    """What a run tells of whose operation of that number fails: once, or with all that come after it."""
    left = at

    def fail(name: str, done: bool) -> None:
        nonlocal left
        if (name == what or (good and left < 0)) and done == after:
            left -= 1
            if left == -1 or (good and left < 0):
                raise StoreError("the store is out of reach")

    place.fail = fail
    try:
        return run()
    except CounterpointError as error:
        return {"the run": str(error)}
    finally:
        assert left < 0, "it was not reached"
        place.fail = lambda what, done: None
