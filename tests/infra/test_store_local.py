"""A directory as a store: killed writers, places that cannot be written."""

import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.errors import StoreError
from infra.store import Store
from tests.infra import writers


def crash_everywhere(directory: Path, what: str) -> list[Store]:
    """The stores of writers that were killed, each before another line of infra/store."""
    output, _ = writers.start("crash", str(directory), what).communicate()
    number, status = json.loads(output)
    assert status == 0, "the writer that nobody killed did not end well"
    assert number > 20  # else the trace counts nothing
    return [Store(f"{directory}/{n + 1}") for n in range(number)]


@pytest.mark.integration
def test_a_commit_is_whole_or_not_there_wherever_its_writer_is_killed(tmp_path: Path) -> None:
    whole = set()
    for store in crash_everywhere(tmp_path, "commit"):
        whole.add(store.committed(writers.PREFIX))
        if store.committed(writers.PREFIX):
            store.verify(writers.PREFIX)
        writers.commit(store, "1")
        store.verify(writers.PREFIX)
    assert whole == {False, True}


@pytest.mark.integration
def test_a_pointer_is_old_or_new_wherever_its_writer_is_killed(tmp_path: Path) -> None:
    numbers = set()
    for store in crash_everywhere(tmp_path, "swap"):
        value, token = store.read_pointer(writers.POINTER)
        assert value is not None
        numbers.add(value["number"])
        store.swap_pointer(writers.POINTER, {"number": 2}, token)  # the dead writer's lock is free
    assert numbers == {0, 1}


@pytest.mark.integration
def test_a_discarded_commit_is_whole_or_not_there_wherever_it_stops(tmp_path: Path) -> None:
    whole = set()
    for store in crash_everywhere(tmp_path, "discard"):
        whole.add(store.committed(writers.SCRATCH))
        if store.committed(writers.SCRATCH):
            store.verify(writers.SCRATCH)
        writers.commit_scratch(store)
        store.verify(writers.SCRATCH)
        store.discard(writers.SCRATCH)
        assert not (Path(store.address.removeprefix("file://")) / "checkpoints").exists(), "no empty folder is left"
    assert whole == {False, True}


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    for writer in ("1", "2"):
        writers.commit(store, writer)
    writers.add(store, 2)
    assert list(tmp_path.rglob(".tmp-*")) == []


def test_objects_and_their_folders_are_on_the_disk_before_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, link = os.fsync, os.link
    synced: set[int] = set()
    unsynced: list[Path] = []

    def syncing(handle: int) -> None:
        fsync(handle)
        synced.add(os.fstat(handle).st_ino)

    def there() -> list[Path]:
        return [path for path in (tmp_path, *tmp_path.rglob("*")) if path.stat().st_ino not in synced]

    def linking(temporary: Path, target: Path) -> None:
        if target.name == "manifest.json":
            unsynced.extend(there())
            synced.discard(target.parent.stat().st_ino)  # the manifest is new in it
        link(temporary, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "link", linking)
    store = Store(str(tmp_path))
    writers.commit(store, "1")
    assert unsynced == there() == []
    assert len([*(tmp_path / writers.PREFIX).iterdir()]) == 3
    synced.clear()
    writers.commit_scratch(store)
    assert synced == set(), "a checkpoint waits for no disk"


def test_a_manifest_is_gone_for_good_before_the_first_object_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    manifest = store.commit("trials/a", {"weights": b"w"}, kind="trial", provenance={})
    folder, fsync = tmp_path / "trials" / "a", os.fsync
    inode, there = folder.stat().st_ino, []

    def syncing(handle: int) -> None:
        fsync(handle)
        if os.fstat(handle).st_ino == inode:
            there.append([path.name for path in folder.iterdir()])

    monkeypatch.setattr(os, "fsync", syncing)
    store.withdraw(manifest)
    assert there[0] == [manifest.objects[0].path]
    assert list(tmp_path.iterdir()) == []


def test_where_one_object_is_refused_there_is_no_temporary_file_and_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "trials" / "key").mkdir(parents=True)
    (tmp_path / "trials" / "key" / "a").write_text("a file where a folder is wanted")
    with pytest.raises(StoreError, match=r"cannot write '.*/trials/key/a/b-"):
        Store(str(tmp_path)).commit("trials/key", {"a/b": b"", "c": b"{}"}, kind="trial", provenance={})
    assert {path.name[:2] for path in (tmp_path / "trials" / "key").iterdir()} <= {"a", "c-"}


def test_one_line_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file' is a file; a store needs a directory$"):
        Store(str(tmp_path / "file"))
    with pytest.raises(StoreError, match=r"^cannot make the directory '.*/file/x': Not a directory; choose"):
        Store(str(tmp_path / "file" / "x"))


def test_one_line_for_a_place_that_cannot_be_written() -> None:
    # Not by permissions: root may do everything, but not this.
    with pytest.raises(StoreError, match=r"^cannot make the directory '/proc/store': .*; choose another"):
        Store("/proc/store")
    store = Store("/proc/self")
    with pytest.raises(StoreError, match=r"^cannot write '/proc/self/.probe-\w+': .*; choose another"):
        store.check_writable()
    with pytest.raises(StoreError, match=r"^cannot write"):
        writers.commit(store, "1")


@pytest.mark.integration
def test_a_disk_that_is_full_or_read_only_is_one_line_and_nothing_is_half_written(tmp_path: Path) -> None:
    """A file system of the test's own, in name spaces of its own, which need no rights."""
    mounted = (
        f'mount -t tmpfs -o size=64k none "{tmp_path}" && exec "{sys.executable}" -m tests.infra.writers fill "$0"'
    )
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, str(tmp_path)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this system lets nobody have a file system of his own")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    full, read_only = outcome["told"]
    assert full.startswith(f"cannot write '{tmp_path}/trials/")
    assert full.endswith(": No space left on device; choose another store address or mend this one")
    assert read_only.endswith(": Read-only file system; choose another store address or mend this one")
    assert not [name for name in outcome["left"] if name == "manifest.json" or name.startswith(".tmp-")]
    assert outcome["committed"] == 20, "with room again it goes on"


@pytest.fixture
def of_somebody_else() -> Iterator[Path]:
    """A store of which this process is not the owner, or may not write."""
    with tempfile.TemporaryDirectory() as folder:
        Store(f"{folder}/store").check_writable()
        root = os.geteuid() == 0
        os.chmod(folder, 0o755)  # noqa: S103  # whoever comes may look
        os.chmod(f"{folder}/store", 0o755 if root else 0o555)  # noqa: S103
        if root:
            os.seteuid(65534)
        try:
            yield Path(folder) / "store"
        finally:
            if root:
                os.seteuid(0)
            os.chmod(f"{folder}/store", 0o755)  # noqa: S103


def test_a_store_of_somebody_else_is_told_with_whose_it_is_and_how_to_share_it(of_somebody_else: Path) -> None:
    store = Store(str(of_somebody_else))
    owner, me = (pwd.getpwuid(number).pw_name for number in (of_somebody_else.stat().st_uid, os.geteuid()))
    for act in (store.check_writable, lambda: writers.commit(store, "1"), lambda: writers.add(store, 1)):
        with pytest.raises(StoreError, match="Permission denied") as caught:
            act()
        line = str(caught.value)
        assert f"{str(of_somebody_else)!r} is of {owner}, group " in line or f".lock' is of {owner}, group " in line
        assert f"and you are {me}; choose another store address, or share it: `chgrp -R GROUP`" in line
        assert "umask 002" in line
        assert line.isprintable()


def test_a_place_that_nobody_may_look_into_is_one_line(of_somebody_else: Path) -> None:
    if os.geteuid() == of_somebody_else.stat().st_uid:
        pytest.skip("wants another user, which root alone can be")
    os.seteuid(0)
    of_somebody_else.parent.chmod(0o700)
    os.seteuid(65534)
    with pytest.raises(StoreError, match=r"^cannot .*Permission denied.*; choose another store address, or"):
        Store(str(of_somebody_else)).check_writable()


def test_a_commit_where_a_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "trials").write_text("")
    store = Store(str(tmp_path))
    assert not store.committed(writers.PREFIX)
    with pytest.raises(StoreError, match=r"^cannot write '.*': Not a directory"):
        writers.commit(store, "1")


def test_a_reader_makes_no_directory(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store at"):
        Store(str(tmp_path / "typo"), create=False)
    assert not (tmp_path / "typo").exists()
    Store(str(tmp_path / "there"))
    assert Store(str(tmp_path / "there"), create=False).prefixes("trials") == []
