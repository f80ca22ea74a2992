"""The folder of this process for what it needs only while it runs: the throw-away server's home, spilled data of Dask.

It is made at the first question, readable by its owner alone, and removed as the process ends. What a process leaves
that had no chance to tidy up (kill -9, no power) is removed by the next one: a folder in use is locked, and the system
takes the lock away with the process, whatever became of its number.
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
"""Bytes: who finds less has run into it, or is about to."""
MEND = "free some, or set TMPDIR to another folder"
_LOCK = "in-use"


@cache
def scratch_folder() -> Path:
    """The folder, in the system's folder for temporary files; those of dead processes there are removed first.

    Raises:
        CounterpointError: no folder can be made there.
    """
    try:
        parent = Path(tempfile.gettempdir())
        remove_leftovers(parent)
        # locked before it has its name, so that nobody takes it for a leftover
        unnamed = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
        lock = os.open(unnamed / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)  # held until the process ends
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = unnamed.rename(unnamed.with_name(unnamed.name.removeprefix(".")))
    except OSError as problem:
        raise no_room(problem) from problem
    atexit.register(_remove, folder, os.getpid())
    return folder


def no_room(problem: OSError) -> CounterpointError:
    """What to tell where temporary files cannot be written."""
    return CounterpointError(
        f"no temporary folder: {problem.strerror or problem}; free some space, or set TMPDIR to another folder"
    )


def is_full(folder: Path) -> bool:
    """Whether there is no room any more where a folder lies, for a database that grows at least."""
    return shutil.disk_usage(folder).free < ROOM


def remove_leftovers(parent: Path) -> None:
    """Remove the folders there that are ours and that no process holds any more."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # not one of these, in use, or gone by now
            if folder.lstat().st_uid == os.geteuid():
                with (folder / _LOCK).open("rb+") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a fork has the same atexit
        shutil.rmtree(folder, ignore_errors=True)
