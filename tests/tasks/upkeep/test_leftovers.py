"""What killed writers left goes, and nothing else: no commit, no newest checkpoint, nothing young, nothing foreign."""

import os
from pathlib import Path

import pytest

from flows.cli import commands
from infra.errors import IntegrityError, StoreError
from infra.store import Store
from tasks.upkeep.leftovers import leftovers, remove
from tasks.upkeep.verify import verify_store

STORED, UNDER_WAY, KILLED = (letter * 64 for letter in "abc")
HOUR = 3600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stored trial whose checkpoint was forgotten, one under way with two, and some remains; days old."""
    store = Store(str(tmp_path / "store"))
    store.commit(f"trials/{STORED}", {"record.json": b"{}", "weights": b"w"}, kind="trial", provenance={})
    for key, update in ((STORED, "4-aa"), (UNDER_WAY, "4-aa"), (UNDER_WAY, "8-bb")):
        store.commit(f"checkpoints/{key}/{update}", {"tensors": b"t"}, kind="checkpoint", provenance={})
    store.swap_pointer(f"checkpoints/{STORED}.json", {"newest": f"checkpoints/{STORED}/4-aa"}, None)
    store.swap_pointer(f"checkpoints/{UNDER_WAY}.json", {"newest": f"checkpoints/{UNDER_WAY}/8-bb"}, None)
    for path in (
        ".probe-00",
        f"trials/{KILLED}/.tmp-1-00",
        f"trials/{KILLED}/record-0123456789ab.json",
        f"trials/{STORED}/record-0123456789ab.json",
        f"checkpoints/{UNDER_WAY}/6-cc/tensors-0123456789ab",
        "mybackup/record.json",
        f"trials/{STORED} (copy)/record.json",
        "corpora/x.json",
    ):
        (tmp_path / "store" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "store" / path).write_bytes(b"{}")
    for path in (tmp_path / "store").rglob("*"):
        os.utime(path, (path.stat().st_mtime - 48 * HOUR,) * 2)
    return tmp_path / "store"


def _paths(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_nobody_reads_goes_and_all_else_stays(folder: Path) -> None:
    store, before = Store(str(folder)), _paths(folder)
    found = leftovers(store)
    assert _paths(folder) == before, "it is only shown"
    assert {each.where: len(each.objects) for each in found} == {
        ".probe-00": 1,
        f"trials/{KILLED}/.tmp-1-00": 1,
        f"trials/{KILLED}": 1,
        f"trials/{STORED}": 1,
        f"checkpoints/{STORED}": 3,
        f"checkpoints/{UNDER_WAY}/4-aa": 2,
        f"checkpoints/{UNDER_WAY}/6-cc": 1,
    }
    gone = {item.path for each in found for item in each.objects}
    assert remove(store, found) == len(gone) == 10
    assert _paths(folder) == before - gone
    assert leftovers(store) == []
    assert store.read(f"trials/{STORED}", "weights") == b"w"
    assert store.read(f"checkpoints/{UNDER_WAY}/8-bb", "tensors") == b"t"


def test_the_command_removes_only_where_it_is_asked_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands.gc(store=str(folder))
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 8
    assert f"checkpoints/{STORED}: 3 files, " in "".join(shown)
    assert shown[-1].endswith("nothing was removed: `--delete` does it")
    commands.gc(store=str(folder), delete=True)
    assert capsys.readouterr().out.splitlines() == [*shown[:-1], "removed 10 files"]
    commands.gc(store=str(folder))
    assert capsys.readouterr().out == "nothing is left over\n"


def test_what_is_young_and_what_lies_beside_it_stays(folder: Path) -> None:
    for path in (f"trials/{KILLED}/weights-0123456789ab", f"checkpoints/{UNDER_WAY}/9-dd/manifest.json"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(b"{}")
    found = {each.where for each in leftovers(Store(str(folder)))}
    assert not {where for where in found if where.startswith((f"trials/{KILLED}", f"checkpoints/{UNDER_WAY}"))} - {
        f"trials/{KILLED}/.tmp-1-00"
    }
    assert len(found) == 4
    assert len(leftovers(Store(str(folder)), hours=72)) == 0


def test_of_a_damaged_manifest_nobody_knows_what_it_named(folder: Path) -> None:
    (folder / f"trials/{STORED}/manifest.json").write_bytes(b"x")
    found = {each.where for each in leftovers(Store(str(folder)), hours=-1)}
    assert not {where for where in found if STORED in where}
    assert len(verify_store(Store(str(folder))).damaged) == 2


def test_what_is_committed_meanwhile_is_put_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer of the same bytes finds the object, takes it over, and commits while it is being removed."""
    store, prefix = Store(str(folder)), f"trials/{KILLED}"
    delete = store._backend.delete
    path = store.commit(prefix, {"weights": b"w"}, kind="trial", provenance={}).objects[0].path
    (folder / prefix / "manifest.json").rename(folder / "kept")

    def meanwhile(path: str) -> None:
        delete(path)
        (folder / "kept").rename(folder / prefix / "manifest.json")

    monkeypatch.setattr(store._backend, "delete", meanwhile)
    assert not store.discard_left(prefix, path)
    assert store.read(prefix, "weights") == b"w"
    assert not store.discard_left(prefix, path), "it is named"
    assert not store.discard_left(prefix, "manifest.json")


def test_what_is_for_good_is_never_removed_by_these(folder: Path) -> None:
    store = Store(str(folder))
    for path in (f"trials/{STORED}/weights", "latest.json", f"trials/{STORED}/manifest.json"):
        with pytest.raises(StoreError, match="is no temporary file"):
            store.discard_temporary(path)
    for path in (f"trials/{STORED}", "trials", "checkpoints/../trials"):
        with pytest.raises(StoreError):
            store.discard_all(path)
    (folder / f"trials/{STORED}/manifest.json").write_bytes(b"x")
    with pytest.raises(IntegrityError):
        store.discard_left(f"trials/{STORED}", "record-0123456789ab.json")
