import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infra import database_template


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
