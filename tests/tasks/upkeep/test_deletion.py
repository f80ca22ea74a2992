"""One version of the report goes, and no pointer is left that names what is not there."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.cli import commands
from infra.errors import ConfigurationError, NotFoundError
from infra.store import Store
from tasks.publishing.publish import publish
from tasks.upkeep.deletion import delete_report
from tasks.upkeep.leftovers import leftovers, remove
from tasks.upkeep.verify import verify_store

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(f"memory://{secrets.token_hex(8)}" if request.param == "memory" else f"file://{tmp_path / 'store'}")


def report(store: Store, hour: int, preset: str = "smoke", *changes: str) -> str:
    told = {"campaign": {"preset": preset, "changes": changes}, "answers": {}, "ended": []}
    files = {"results.json": json.dumps(told).encode(), "index.html": b"<p>"}
    return publish(store, files, {}, now=NOON + timedelta(hours=hour))


def pointers(store: Store) -> dict[str, str]:
    names = [item.path for item in store.objects() if item.path.startswith("latest")]
    return {name: str((store.read_pointer(name)[0] or {})["version"]) for name in names}


def test_one_that_nothing_names_goes(store: Store) -> None:
    old, newest = report(store, 0), report(store, 1)
    store.swap_pointer(f"finished/{'a' * 64}.json", {"version": old}, None)
    assert delete_report(store, old) == [f"removed reports/{old}: 3 files"]
    assert {item.path.split("/")[1] for item in store.objects("reports")} == {newest}
    assert not store.objects("finished")
    assert not verify_store(store).damaged
    assert not leftovers(store, -1)
    with pytest.raises(NotFoundError, match=f"no report {old}; `prefect run list`"):
        delete_report(store, old)


def test_one_that_a_pointer_names_goes_by_force_alone_and_each_pointer_to_the_newest_of_its_own(store: Store) -> None:
    smoke, thorough = report(store, 0), report(store, 1, "thorough")
    changed, newest = report(store, 2, "smoke", "trials"), report(store, 3)
    assert pointers(store) == {"latest.json": newest, "latest-smoke.json": newest, "latest-thorough.json": thorough}
    before = store.objects()
    with pytest.raises(ConfigurationError, match=r"a pointer names it \(latest-smoke\.json, latest\.json\); --force"):
        delete_report(store, newest)
    assert store.objects() == before
    assert delete_report(store, newest, force=True) == [
        f"latest-smoke.json names {smoke} now",
        f"latest.json names {changed} now",
        f"removed reports/{newest}: 3 files",
    ]
    assert pointers(store) == {"latest.json": changed, "latest-smoke.json": smoke, "latest-thorough.json": thorough}
    assert not verify_store(store).damaged
    again = report(store, 4)
    assert pointers(store)["latest-smoke.json"] == again, "publishing goes on"


def test_the_last_one_takes_its_pointers_along(store: Store) -> None:
    only = report(store, 0)
    delete_report(store, only, force=True)
    assert [item.path for item in store.objects() if item.path != ".lock"] == []
    assert not verify_store(store).damaged


@pytest.mark.parametrize("after", range(6))
def test_who_is_killed_meanwhile_leaves_no_pointer_to_what_is_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    older, newest = report(store, 0), report(store, 1)
    done = iter(range(after))

    def killing(really: Any) -> Any:
        def killed(*arguments: Any) -> Any:
            if next(done, None) is None:
                raise KeyboardInterrupt
            return really(*arguments)

        return killed

    with monkeypatch.context() as patch:
        for name in ("delete", "replace"):
            patch.setattr(store._backend, name, killing(getattr(store._backend, name)))
        if after < 5:
            with pytest.raises(KeyboardInterrupt):
                delete_report(store, newest, force=True)
        else:
            delete_report(store, newest, force=True)
    known = (
        "manifest.json is missing, and its objects are there; run the campaign or the ingest again; `prefect run gc`"
    )
    assert all(known in line for line in verify_store(store).damaged), "between the manifest and the first object"
    remove(store, leftovers(store, -1))
    assert not verify_store(store).damaged
    assert set(pointers(store).values()) <= {older, newest}
    if store.committed(f"reports/{newest}"):
        delete_report(store, newest, force=True)
        assert pointers(store) == dict.fromkeys(("latest.json", "latest-smoke.json"), older)


def test_the_command_tells_in_one_line(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    version = report(store, 0)
    for wrong, code in (("latest", 2), ("20260101T000000Z-00000000", 1), (version, 2)):
        with pytest.raises(SystemExit) as ended:
            commands.delete(wrong, store=store.address)
        said = capsys.readouterr().err
        assert (ended.value.code, said.count("\n")) == (code, 1)
    commands.delete(version, force=True, store=store.address)
    assert capsys.readouterr().out.splitlines()[-1] == f"removed reports/{version}: 3 files"
