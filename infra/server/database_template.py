"""A cached copy of Prefect's empty database, which spares a temporary server its migrations of 4 s.

The copy is taken from the first server that is ready. It is kept in the user's cache folder under Prefect's version,
and copied into the home of later servers. If it is missing or cannot be written, a server runs its migrations as usual.
The same holds if the copy or its folder belongs to somebody else, or can be written by others, since the contents of a
database can make a server act.
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
    """The path of the copy."""
    return cache_folder() / "counterpoint" / f"prefect-{version('prefect')}.db"


def put(database: Path) -> bool:
    """Start a database from the copy; False if there is no copy, or it is damaged, or it is not ours alone.

    A damaged copy is removed. A copy that is not ours alone is reported in the log.
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
    """Whether every page is intact and the migrations were run."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            whole = connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            return bool(whole and connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,))
    except sqlite3.DatabaseError:
        return False


def keep(database: Path) -> None:
    """Keep a copy of the database of a ready server, unless there is one; of several writers the last wins."""
    template = template_path()
    if os.path.lexists(template):
        return
    # If the home is not ours or not writable, or the disk is full, every server runs its migrations.
    with suppress(OSError, sqlite3.Error), replacing_ours(template) as copy:
        _copy(database, copy)


def _copy(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # a single file, without the two extra ones of the server's mode
