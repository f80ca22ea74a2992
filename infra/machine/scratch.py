"""The process's scratch folder: the temporary server's home, and data that Dask spills to disk.

The folder is made at its first use, is readable only by its owner, and is removed when the process ends. Folders left
by killed processes (kill -9, power loss) are removed by the next process. A folder in use is locked, and the system
releases the lock with its process, so a reused process id cannot mislead it.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from infra.errors import CounterpointError

PREFIX = "counterpoint-"
ROOM = 1 << 20
"""Bytes; a disk with less free space than this counts as full."""
MEND = "free some, or set TMPDIR to another folder"
_LOCK = "in-use"


@cache
def scratch_folder() -> Path:
    """The scratch folder, in the system's temporary folder; folders of dead processes there are removed first.

    Raises:
        CounterpointError: no folder can be made there.
    """
    try:
        parent = Path(tempfile.gettempdir())
        remove_leftovers(parent)
        # Locked before it gets its final name, so that no other process takes it for a leftover.
        unnamed = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
        lock = os.open(unnamed / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)  # held until the process ends
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = unnamed.rename(unnamed.with_name(unnamed.name.removeprefix(".")))
    except OSError as problem:
        raise no_room(problem) from problem
    atexit.register(_remove, folder, os.getpid())
    return folder


def no_room(problem: OSError) -> CounterpointError:
    """The error for a temporary folder that cannot be written."""
    return CounterpointError(
        f"no temporary folder: {problem.strerror or problem}; free some space, or set TMPDIR to another folder"
    )


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder is full, at least for a growing database."""
    return shutil.disk_usage(folder).free < ROOM


def remove_leftovers(parent: Path) -> None:
    """Remove this user's scratch folders there that no process has locked."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # not a scratch folder, in use, or removed meanwhile
            if folder.lstat().st_uid == os.geteuid():
                with (folder / _LOCK).open("rb+") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # forks inherit this exit handler, and must not remove the folder
        shutil.rmtree(folder, ignore_errors=True)
