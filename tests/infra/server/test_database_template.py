import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infra.server import database_template


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def migrated(path: Path, revision: str = "abc") -> Path:
    """A database as a server leaves it: in WAL mode, and still open."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        connection.commit()
    return path


def revision(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_there_is_nothing_to_start_from_at_first(tmp_path: Path) -> None:
    assert not database_template.put(tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_what_was_kept_is_started_from_and_is_one_file(tmp_path: Path, cache: Path) -> None:
    database_template.keep(migrated(tmp_path / "first.db"))
    assert database_template.put(tmp_path / "second.db")
    assert revision(tmp_path / "second.db") == "abc"
    assert list((cache / "counterpoint").iterdir()) == [database_template.template_path()]


def test_the_first_copy_is_kept(tmp_path: Path) -> None:
    database_template.keep(migrated(tmp_path / "first.db"))
    database_template.keep(migrated(tmp_path / "other.db", "def"))
    database_template.put(tmp_path / "second.db")
    assert revision(tmp_path / "second.db") == "abc"


@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_a_copy_that_others_may_write_to_is_not_used(
    tmp_path: Path, what: str, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The same cases as for compiled code, tests/models/native/test_build.py."""
    path = _kept(tmp_path, what)
    path.chmod(path.stat().st_mode | mode)
    assert not database_template.put(tmp_path / "second.db")
    assert not (tmp_path / "second.db").exists()
    assert "can be written to by others: chmod go-w it, or remove it" in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_copy_of_another_user_is_not_used(tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    os.chown(_kept(tmp_path, what), 54321, -1)
    assert not database_template.put(tmp_path / "second.db")
    assert "is not ours: remove it, or set XDG_CACHE_HOME" in caplog.text


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_symbolic_link_is_never_followed(tmp_path: Path, what: str) -> None:
    path = _kept(tmp_path, what)
    path.symlink_to(path.rename(tmp_path / "elsewhere"))
    assert not database_template.put(tmp_path / "second.db")


def test_nothing_is_kept_in_a_folder_that_others_may_write_to(tmp_path: Path, cache: Path) -> None:
    (cache / "counterpoint").mkdir(parents=True)
    (cache / "counterpoint").chmod(0o777)
    database_template.keep(migrated(tmp_path / "first.db"))
    assert list((cache / "counterpoint").iterdir()) == []


def test_what_is_kept_is_ours_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        _kept(tmp_path, "file")
    finally:
        os.umask(before)
    assert database_template.put(tmp_path / "second.db")


def _kept(tmp_path: Path, what: str) -> Path:
    database_template.keep(migrated(tmp_path / "first.db"))
    template = database_template.template_path()
    return {"file": template, "folder": template.parent}[what]


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_copy_is_not_used_and_is_removed(tmp_path: Path, damage: bytes) -> None:
    database_template.keep(migrated(tmp_path / "first.db"))
    database_template.template_path().write_bytes(damage)
    assert not database_template.put(tmp_path / "second.db")
    assert not database_template.template_path().exists()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, cache: Path) -> None:
    cache.write_text("a file where the folder would be")
    database_template.keep(migrated(tmp_path / "first.db"))
    assert not database_template.put(tmp_path / "second.db")


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    """As on a full disk; here the source is what cannot be copied."""
    (tmp_path / "bad.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4000)
    database_template.keep(tmp_path / "bad.db")
    assert list((cache / "counterpoint").iterdir()) == []


def test_the_copy_is_of_one_version_of_prefect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    database_template.keep(migrated(tmp_path / "first.db"))
    monkeypatch.setattr(database_template, "version", lambda _: "99")
    assert not database_template.put(tmp_path / "second.db")
