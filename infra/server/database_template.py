"""A copy of Prefect's empty database, so that a throw-away server need not run its migrations, 4 s, every time.

The copy is taken from the first server that is ready, kept in the user's cache folder under Prefect's version, and put
into the home of later ones. It is a cache: without it, or where it cannot be written, a server starts as it always did.
So it does where the copy, or the folder that it is in, is not ours alone: a database can hold what a server then does.
"""

import logging
import os
import sqlite3
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path

from infra.machine.home import cache_folder
from infra.machine.ownership import read_ours, replacing_ours

_log = logging.getLogger(__name__)


def template_path() -> Path:
    """Where the copy is kept."""
    return cache_folder() / "counterpoint" / f"prefect-{version('prefect')}.db"


def put(database: Path) -> bool:
    """Start a database from the copy; False where there is none, or one that is not ours, or a damaged one.

    A damaged one is removed; one that is not ours is told in the log.
    """
    template = template_path()
    try:
        data = read_ours(template)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as problem:
        _log.warning("Prefect's server starts without its kept database: %s", problem)
        return False
    database.write_bytes(data)
    if not _sound(database):
        database.unlink()
        template.unlink(missing_ok=True)
        return False
    return True


def _sound(database: Path) -> bool:
    """Whether every page is whole and the migrations were run."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            whole = connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            return bool(whole and connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,))
    except sqlite3.DatabaseError:
        return False


def keep(database: Path) -> None:
    """Keep a copy of the database of a server that is ready, unless there is one; the last writer of many wins."""
    template = template_path()
    if os.path.lexists(template):
        return
    # a home that cannot be written or is not ours, a disk that is full: every server then runs its migrations
    with suppress(OSError, sqlite3.Error), replacing_ours(template) as copy:
        _copy(database, copy)


def _copy(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without the two that the server's mode has beside it
