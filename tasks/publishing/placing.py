"""Write files into a new folder: all of them or none, and never over other contents.

It is for files that users copy out of a store, or make outside of one. What this does not do: write into a store
(infra/store).
"""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.errors import ConfigurationError


def place(files: Mapping[str, bytes], to: Path) -> Path:
    """Make a folder with these files; it appears whole or not at all.

    Args:
        files: bytes by name; names may contain folders.
        to: the folder to make. It may exist if it is empty, or if it has exactly these files.

    Returns:
        The folder's absolute path.

    Raises:
        ConfigurationError: the folder has other contents, or cannot be made.
    """
    to = Path(to).absolute()
    try:
        _place(files, to)
    except OSError as error:
        raise ConfigurationError(f"{to}: cannot be written ({error.strerror}); give another --to") from error
    return to


def _place(files: Mapping[str, bytes], to: Path) -> None:
    if to.is_dir() and any(to.iterdir()):
        if _contents(to) == dict(files):
            return
        raise ConfigurationError(f"{to}: holds something else already; give --to a directory that does not exist")
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = to.parent / f".{to.name}-{secrets.token_hex(8)}"
    temporary.mkdir()  # by the umask, as the files in it: `tempfile` makes folders for their owner alone
    try:
        for name, data in files.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if to.is_dir():
            to.rmdir()
        os.rename(temporary, to)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _contents(directory: Path) -> dict[str, bytes]:
    paths = [path for path in directory.rglob("*") if not path.is_dir()]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}
