"""A campaign that lacks nothing is known again by its note, and by nothing else once anything is otherwise."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.cli import commands
from flows.cli.options import Campaign
from infra.errors import IntegrityError
from infra.provenance import provenance
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.ingest.building.recipe import HERE
from tasks.ingest.corpora import find_recipe
from tasks.ingest.names import Named, find_name, give_name
from tasks.ingest.stored import hash_inputs, source_digest
from tasks.publishing import finished as module
from tasks.publishing.finished import finished as known
from tasks.publishing.finished import pointer_of
from tasks.publishing.noting import note_finished
from tasks.publishing.publish import publish
from tasks.publishing.terminal import score_table
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger
from tests.tasks.conftest import Finished
from tests.tasks.publishing.test_fingerprint import _with
from tests.tasks.publishing.test_terminal import COUNT, RICH, _document, _score

CLEAN = provenance() | {"commit": "c" * 40, "dirty": False}
REQUEST = CampaignRequest(store="memory://any", preset="smoke", variants=("SGD+C", "SGD+LM"), seed=3)
SCORES = _document(
    _score(RICH, mean=-6.0, low=-6.5, high=-5.5, difference=0.5, diff_low=0.2, diff_high=0.8), _score(COUNT, mean=-11.0)
)
DOCUMENT = {"campaign": {"preset": "smoke"}, "trials": [{"trials": 5}, {"trials": 4}], **SCORES}
FILES = {"results.json": json.dumps({"campaign": {"preset": "smoke"}}).encode()}


@pytest.fixture
def noted(_noted: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store of a campaign that lacks nothing, with its report and the note; after the test it is as it was."""
    monkeypatch.setattr(module, "provenance", lambda: CLEAN)
    files = dict(MemoryFileSystem.store)
    yield _noted
    MemoryFileSystem.store.clear()
    MemoryFileSystem.store.update(files)


@pytest.fixture(scope="module")
def _noted(finished: Finished) -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "provenance", lambda: CLEAN)
        yield _made(finished)


def _made(finished: Finished) -> Store:
    store = _with(finished.store, {})
    for name, digest in finished.digests.items():
        recipe = find_recipe(name)
        assert recipe is not None
        source = source_digest(recipe, hash_inputs(recipe.read_inputs(HERE)))
        give_name(store, name, Named(digest, recipe.kind, recipe.rules, source))
    version = publish(store, FILES, {"made_from": "a"}, now=datetime(2026, 1, 1, tzinfo=UTC))
    search = Search(finished.campaign, finished.digests)
    note_finished(Standing(Ledger(store), search), REQUEST, version, "a", DOCUMENT)
    return store


def test_it_is_told_as_its_flow_told_it(noted: Store) -> None:
    found = known(noted, REQUEST)
    assert found is not None
    outcome = found.outcome(noted)
    assert outcome.table == score_table(DOCUMENT)
    assert outcome.report == f"{noted.address}/reports/{found.version}/index.html"
    assert (outcome.trials, outcome.failures) == (9, 0)
    assert known(noted, replace(REQUEST, store="elsewhere", workers=7, cluster="tcp://a:1")) == found
    assert set(noted.prefixes("trials")) | set(noted.prefixes("scores")) <= set(found.commits)


def _remove(folder: str, name: str = "") -> Callable[[Store], object]:
    """Remove what lies in a folder: the first of its commits, or a file of all of them."""

    def remove(store: Store) -> None:
        files = MemoryFileSystem()
        paths = files.find(f"/{store.address.removeprefix('memory://')}/{folder}")
        for path in [path for path in paths if f"/{name}" in path and path.split("/")[3] == paths[0].split("/")[3]]:
            files.rm_file(path)

    return remove


def _rename(store: Store) -> None:
    named = find_name(store, "bach-chorales")
    assert named is not None
    give_name(store, "bach-chorales", replace(named, source="d" * 64))


def _publish(store: Store) -> None:
    publish(store, FILES | {"index.html": b"<p>"}, {"made_from": "b"})


@pytest.mark.parametrize(
    "change",
    [
        _remove("trials"),
        _remove("trials", "record"),
        _remove("scores", "manifest"),
        _remove("samples", "manifest"),
        _remove("data", "manifest"),
        _remove("reports", "manifest"),
        _rename,
        _publish,
    ],
)
def test_where_the_store_is_otherwise_nothing_is_known(noted: Store, change: Callable[[Store], object]) -> None:
    change(noted)
    assert known(noted, REQUEST) is None


@pytest.mark.parametrize("other", [{"commit": "d" * 40}, {"lock": "a"}, {"versions": {}}, {"dirty": True}])
def test_where_the_code_is_otherwise_nothing_is_known(noted: Store, monkeypatch, other) -> None:
    monkeypatch.setattr(module, "provenance", lambda: CLEAN | other)
    assert known(noted, REQUEST) is None


def test_where_another_body_of_the_recurrence_is_asked_for_nothing_is_known(noted: Store, monkeypatch) -> None:
    monkeypatch.setenv("COUNTERPOINT_SCAN", "reference")
    assert known(noted, REQUEST) is None


@pytest.mark.parametrize("other", [{"seed": 4}, {"variants": ("SGD+C",)}, {"trials": 9}, {"preset": "default"}])
def test_of_another_request_nothing_is_known(noted: Store, other) -> None:
    assert known(noted, replace(REQUEST, **other)) is None


def test_code_that_differs_from_its_commit_notes_nothing(noted: Store, finished: Finished, monkeypatch) -> None:
    request = replace(REQUEST, trials=9)
    search = Search(finished.campaign, finished.digests)
    monkeypatch.setattr(module, "provenance", lambda: CLEAN | {"dirty": True})
    note_finished(Standing(Ledger(noted), search), request, "v", "a", DOCUMENT)
    assert noted.read_pointer(pointer_of(request, 3)) == (None, None)


def test_a_note_that_was_changed_is_named(noted: Store) -> None:
    name = pointer_of(REQUEST, 3)
    MemoryFileSystem().pipe_file(f"/{noted.address.removeprefix('memory://')}/{name}", b"{}")
    with pytest.raises(IntegrityError, match=name):
        known(noted, REQUEST)


def test_the_command_tells_it_and_starts_nothing(noted: Store, monkeypatch, capsys) -> None:
    monkeypatch.setattr(commands, "run_flow", None)
    asked = Campaign(store=noted.address, preset="smoke", variants=("SGD+C", "SGD+LM"), seed=3)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        commands.reproduce(campaign=asked)
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == "all 9 trials are stored: nothing to train, and the report is made from them"
    assert last.startswith(f"report: {noted.address}/reports/20260101T000000Z-")
