"""Whether a file or folder is ours alone: what is kept between commands is used only if nobody else could have put it.

`models/native/build.py` has the same rule for compiled code, since `models` imports nothing of ours, and this may
not load torch. `tests/infra/machine/test_ownership.py` holds both to the same cases.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def ours(path: Path, kind: int = 0, folder: int | None = None) -> Iterator[int]:
    """Open a file or folder that belongs to us, to which nobody else may write, and that is no symbolic link.

    Args:
        path: of it.
        kind: `os.O_DIRECTORY` for a folder.
        folder: descriptor of the folder that `path` is in, so that what was checked is what is opened.

    Raises:
        PermissionError: it is somebody else's, or others may write to it.
        OSError: it is not there, is a link, or cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=folder)
    try:
        about = os.fstat(descriptor)
        right_kind = stat.S_ISDIR(about.st_mode) if kind else stat.S_ISREG(about.st_mode)
        if not right_kind or about.st_uid != os.geteuid():
            raise PermissionError(f"{path} is not ours: remove it, or set XDG_CACHE_HOME to a folder of your own")
        if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(f"{path} can be written to by others: chmod go-w it, or remove it")
        yield descriptor
    finally:
        os.close(descriptor)


def read_ours(path: Path) -> bytes:
    """The contents of a file that, as the folder it is in, is ours alone; what was checked is what is read.

    Raises:
        OSError: as for `ours`.
    """
    with (
        ours(path.parent, os.O_DIRECTORY) as folder,
        ours(Path(path.name), 0, folder) as file,
        open(file, "rb", closefd=False) as source,
    ):
        return source.read()


@contextmanager
def replacing_ours(path: Path) -> Iterator[Path]:
    """A place to write a file to, which then takes the other one's place at once, ours alone whatever the umask.

    Raises:
        OSError: its folder cannot be made or written, or is not ours alone.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        ours(path.parent, os.O_DIRECTORY),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".part-") as folder,
    ):
        whole = Path(folder) / path.name
        yield whole
        whole.chmod(0o600)
        os.replace(whole, path)
