"""Files placed in a folder for a user: all or none, and by the umask, as what is stored is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.errors import ConfigurationError
from infra.store import Store
from tasks.publishing.placing import place


@pytest.fixture(params=[0o077, 0o027, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _modes(folder: Path) -> tuple[set[int], set[int]]:
    """Of folders, the top among them, and of files."""
    paths = [folder, *folder.rglob("*")]
    folders, files = ([path for path in paths if path.is_dir() == kind] for kind in (True, False))
    return {path.stat().st_mode & 0o777 for path in folders}, {path.stat().st_mode & 0o777 for path in files}


def test_what_is_copied_out_is_by_the_umask(umask: int, tmp_path: Path) -> None:
    to = place({"index.html": b"<p>", "samples/a/b.mid": b"m"}, tmp_path / "to")
    assert _modes(to) == ({0o777 & ~umask}, {0o666 & ~umask})


def test_what_is_stored_is_by_the_umask(umask: int, tmp_path: Path) -> None:
    store = Store(str(tmp_path / "made" / "store"))
    store.check_writable()
    for prefix in ("trials/1a2b", "checkpoints/1a2b/3-4c"):
        store.commit(prefix, {"state": b"1"}, kind="checkpoint", provenance={})
    for newest in ("one", "two"):
        _, token = store.read_pointer("latest.json")
        store.swap_pointer("latest.json", {"version": newest}, token)
    assert _modes(tmp_path / "made") == ({0o777 & ~umask}, {0o666 & ~umask})


def test_a_folder_with_something_else_stays_as_it_is_and_no_other_is_left(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mine").write_bytes(b"1")
    with pytest.raises(ConfigurationError, match="holds something else already"):
        place({"index.html": b"<p>"}, tmp_path / "to")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        place({"a": b"", "a/b": b""}, tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["to"]
