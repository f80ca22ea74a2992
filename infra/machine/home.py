"""The home and the cache folder of the user, and what takes their place where there is none that can be used.

Containers and services run as users without an entry, or with a home that is somebody else's, is not there or cannot be
written to. Prefect cannot even be imported there. Such a command gets a folder of its own in the temporary folder.

What this does not do: move the cache of compiled code, which `models/native/build.py` finds by the same variables.
"""

import os
import sys
import tempfile
from pathlib import Path

from infra.errors import ConfigurationError
from infra.machine.ownership import ours


def provide_home() -> None:
    """Point HOME to a folder that can be used, for this process and its children; a line says so where it is another.

    Call it before Prefect is imported.

    Raises:
        ConfigurationError: not even the temporary folder has room for one.
    """
    if os.environ.get("HOME") == "":
        del os.environ["HOME"]  # else the home is /
    reason = _why_not()
    if reason is not None:
        os.environ["HOME"] = str(spare_home())
        print(f"no home folder that can be used ({reason}): {os.environ['HOME']} takes its place", file=sys.stderr)


def cache_folder() -> Path:
    """The user's folder for what can be made again: XDG_CACHE_HOME where it is absolute, else ~/.cache."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):
        return Path(given)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # no HOME, and a user without an entry
        return spare_home() / ".cache"


def spare_home() -> Path:
    """A folder of this user's in the temporary folder; made where it is missing.

    Raises:
        ConfigurationError: there can be none.
    """
    folder = Path(tempfile.gettempdir()) / f"counterpoint-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with ours(folder, os.O_DIRECTORY):
            return folder
    except OSError as error:
        told = error.strerror or str(error)
        raise ConfigurationError(f"no home folder, and none in its place, {folder}: {told}; set HOME") from error


def _why_not() -> str | None:
    """What is wrong with the home folder; None where Prefect can keep its profiles in it, or read those that it has."""
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
