"""A copy of Prefect's empty database, so that a throw-away server need not run its migrations, 4 s, every time.

The copy is taken from the first server that is ready, kept in the user's cache folder under Prefect's version, and put
into the home of later ones. It is a cache: without it, or where it cannot be written, a server starts as it always did.
"""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path


def template_path() -> Path:
    """Where the copy is kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "counterpoint" / f"prefect-{version('prefect')}.db"


def put(database: Path) -> bool:
    """Start a database from the copy; False where there is none, or a damaged one, which is then removed."""
    template = template_path()
    if not template.exists():
        return False
    if not _sound(template):
        template.unlink(missing_ok=True)
        return False
    shutil.copyfile(template, database)
    return True


def _sound(template: Path) -> bool:
    """Whether every page is whole and the migrations were run."""
    try:
        with closing(sqlite3.connect(f"{template.as_uri()}?mode=ro", uri=True)) as connection:
            whole = connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            return bool(whole and connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,))
    except sqlite3.DatabaseError:
        return False


def keep(database: Path) -> None:
    """Keep a copy of the database of a server that is ready, unless there is one; the last writer of many wins."""
    template = template_path()
    if template.exists():
        return
    # a home that cannot be written, a disk that is full: every server then runs its migrations
    with suppress(OSError, sqlite3.Error):
        template.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=template.parent, prefix=".part-") as folder:
            _copy(database, Path(folder) / "copy.db")
            os.replace(Path(folder) / "copy.db", template)


def _copy(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without the two that the server's mode has beside it
