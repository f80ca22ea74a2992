"""Put files into a folder: all of them or none, and never over something else.

For what people take out of a store, or have made beside one. What this does not do: write into a store (infra/store).
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.errors import ConfigurationError


def place(files: Mapping[str, bytes], to: Path) -> Path:
    """Make a folder with these files; it appears whole or not at all.

    Args:
        files: bytes by name, which may have folders in it.
        to: the folder to make. One that is empty, or holds these very files, will do.

    Returns:
        Its absolute path.

    Raises:
        ConfigurationError: the folder holds something else or cannot be made.
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
    temporary = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.parent))
    try:
        for name, data in files.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        temporary.chmod(0o755)
        if to.is_dir():
            to.rmdir()
        os.rename(temporary, to)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _contents(directory: Path) -> dict[str, bytes]:
    paths = [path for path in directory.rglob("*") if not path.is_dir()]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}
