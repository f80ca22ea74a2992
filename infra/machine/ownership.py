"""Check that a file or folder belongs to this user, and that nobody else can write to it.

Files kept between commands are used only if nobody else could have put them there. `models/native/build.py` has the
same check for compiled code, since `models` imports nothing from `infra`, and `infra` must not load torch.
`tests/infra/machine/test_ownership.py` tests both with the same cases.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def ours(path: Path, kind: int = 0, folder: int | None = None) -> Iterator[int]:
    """Open a file or folder that belongs to this user, that nobody else can write to, and that is not a symbolic link.

    Args:
        path: of the file or folder.
        kind: `os.O_DIRECTORY` for a folder.
        folder: descriptor of the folder that `path` is relative to, so that the checked folder is also the one used.

    Raises:
        PermissionError: it belongs to somebody else, or others can write to it.
        OSError: it does not exist, is a link, or cannot be read.
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
    """The contents of a file that, like its folder, is ours alone. The checked descriptor is the one that is read.

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
    """Yield a path to write to; at the end of the block that file atomically replaces `path`, with mode 600.

    Raises:
        OSError: the folder cannot be made or written, or is not ours alone.
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
