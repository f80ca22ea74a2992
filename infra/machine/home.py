"""The user's home and cache folder, with a substitute if there is no usable home.

Containers and services may run as users without a passwd entry, or with a home that belongs to somebody else, does not
exist, or cannot be written. Prefect cannot even be imported then. Such a command uses a folder of its own in the
temporary folder.

What this does not do: place the cache of compiled code; `models/native/build.py` uses the same variables for that.
"""

import os
import sys
import tempfile
from pathlib import Path

from infra.errors import ConfigurationError
from infra.machine.ownership import ours


def provide_home() -> None:
    """Point HOME to a usable folder, for this process and its children; print a line if it is a substitute.

    Call it before Prefect is imported.

    Raises:
        ConfigurationError: no substitute can be made in the temporary folder either.
    """
    if os.environ.get("HOME") == "":
        del os.environ["HOME"]  # an empty HOME would mean /
    reason = _why_not()
    if reason is not None:
        os.environ["HOME"] = str(spare_home())
        print(f"no home folder that can be used ({reason}): {os.environ['HOME']} takes its place", file=sys.stderr)


def cache_folder() -> Path:
    """The user's cache folder: XDG_CACHE_HOME if it is an absolute path, else ~/.cache."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):
        return Path(given)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # no HOME, and a user without an entry
        return spare_home() / ".cache"


def spare_home() -> Path:
    """The user's substitute for a home, in the temporary folder; made if it is missing.

    Raises:
        ConfigurationError: the folder cannot be made, or belongs to somebody else.
    """
    folder = Path(tempfile.gettempdir()) / f"counterpoint-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with ours(folder, os.O_DIRECTORY):
            return folder
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"no home folder, and none in its place, {folder}: {reason}; set HOME") from error


def _why_not() -> str | None:
    """The problem with the home folder; None if Prefect can read its profiles there, or write them."""
    try:
        home = Path.home()
        if not home.is_absolute():
            return f"HOME is {home}, not an absolute path"
        profiles = home / ".prefect" / "profiles.toml"
        if profiles.parent.is_dir():
            if profiles.name in os.listdir(profiles.parent):
                profiles.open("rb").close()
        else:
            with tempfile.TemporaryFile(dir=home):
                pass
    except RuntimeError:
        return "HOME is not set, and this user has no entry"
    except OSError as error:
        return f"{error.filename or home}: {error.strerror}"
    return None
