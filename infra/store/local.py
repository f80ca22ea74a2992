"""Objects as files of a directory: whole or not there, also when the writer is killed or the power fails.

Exclusive create is `link(2)` of a finished, synced temporary file: it fails where the name exists, and a
reader sees either no file or all of it. Replacing is `rename(2)` under a lock file. A killed writer leaves at
most a temporary file, `.tmp-...`, that nothing ever reads.
"""

import contextlib
import errno
import fcntl
import grp
import hashlib
import os
import pwd
import secrets
from collections.abc import Iterator
from pathlib import Path

from infra.errors import StoreError
from infra.store.backend import Listed, Stored

_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_TRIES = 5


class LocalBackend:
    """A directory of this machine, or of a network file system that has hard links and locks."""

    def __init__(self, directory: str) -> None:
        self._root = Path(directory)

    def check(self, create: bool) -> None:
        """Make the directory where it is missing, if `create`. An existing one may be read-only, for readers."""
        if not create and not self._root.exists():
            raise StoreError(f"there is no store at {str(self._root)!r}; check the address")
        with _told("make the directory", self._root):
            _make_directory(self._root)
        if not self._root.is_dir():
            raise StoreError(f"{str(self._root)!r} is a file; a store needs a directory")

    def read(self, path: str) -> Stored | None:
        """The whole object, or None where there is none."""
        with _told("read", self._root / path):
            try:
                data = (self._root / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Stored(data, hashlib.sha256(data).hexdigest())

    def create(self, path: str, data: bytes) -> bool:
        """Write if there is none, durably; False if there is one."""
        target = self._root / path
        with _told("write", target):
            temporary = _temporary_in_new(target.parent, data)
            try:
                os.link(temporary, target)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno in _NO_HARD_LINKS:
                    raise StoreError(f"{str(self._root)!r}: its file system has no hard links, take another") from error
                raise
            finally:
                temporary.unlink()
                _sync_directory(target.parent)
        return True

    def replace(self, path: str, data: bytes, token: str) -> bool:
        """Write if the present object has this token; False if not."""
        target = self._root / path
        with _told("write", target), self._locked():
            present = self.read(path)
            if present is None or present.token != token:
                return False
            _temporary(target.parent, data).replace(target)
            _sync_directory(target.parent)
        return True

    def delete(self, path: str) -> None:
        """Remove the object if it is there, and the folders in the store that are empty without it."""
        target = self._root / path
        with _told("delete", target):
            target.unlink(missing_ok=True)
        # A folder that is not empty refuses; so may one that another process has just removed.
        with contextlib.suppress(OSError):
            for folder in target.parents[: len(target.parents) - len(self._root.parents) - 1]:
                folder.rmdir()

    def children(self, parent: str, name: str) -> list[str]:
        """Every CHILD for which `parent/CHILD/name` is there, sorted."""
        with _told("list", self._root / parent):
            return sorted(file.parent.name for file in (self._root / parent).glob(f"*/{name}"))

    def listing(self, folder: str) -> list[Listed]:
        """Every file below a folder, the temporary ones of writers too, sorted."""
        found = []
        with _told("list", self._root / folder):
            for parent, _, names in os.walk(self._root / folder):
                for path in (Path(parent, name) for name in names):
                    with contextlib.suppress(FileNotFoundError):  # gone since
                        told = path.lstat()
                        found.append(Listed(path.relative_to(self._root).as_posix(), told.st_size, told.st_mtime))
        return sorted(found)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # The kernel frees the lock of a killed process. The file stays: to remove it would let two writers
        # in.
        handle = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


@contextlib.contextmanager
def _told(what: str, where: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise StoreError(f"cannot {what} {str(where)!r}: {_not_allowed(where)}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        line = f"cannot {what} {str(where)!r}: {reason}; choose another store address or mend this one"
        raise StoreError(line) from error


def _not_allowed(where: Path) -> str:
    """Whose it is that refuses, and how it can be shared."""
    try:
        there = next(path for path in (where, *where.parents) if path.exists())
        told = there.stat()
    except (OSError, StopIteration):  # not even looking is allowed
        return "Permission denied; choose another store address, or have its owner share it"
    whose = f"{_user(told.st_uid)}, group {_group(told.st_gid)}, mode {told.st_mode & 0o7777:o}"
    return (
        f"Permission denied: {str(there)!r} is of {whose}, and you are {_user(os.geteuid())}; choose another store"
        " address, or share it: `chgrp -R GROUP`, `chmod -R g+rwX`, `chmod g+s` on its folders, and `umask 002`"
        " for all who write (docs/storage.md)"
    )


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _make_directory(directory: Path) -> None:
    if directory.is_dir():
        return
    _make_directory(directory.parent)
    # Another writer was first, or it is a file, which the next step will tell.
    with contextlib.suppress(FileExistsError):
        directory.mkdir()
    _sync_directory(directory.parent)


def _temporary_in_new(directory: Path, data: bytes) -> Path:
    # Whoever deletes the last object of a folder removes the folder, perhaps just now.
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):
            _make_directory(directory)
            return _temporary(directory, data)
    _make_directory(directory)
    return _temporary(directory, data)


def _temporary(directory: Path, data: bytes) -> Path:
    # In the same directory: a link cannot cross file systems.
    path = directory / f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # a full disk should not be left fuller
        raise
    return path


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems cannot sync a directory.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
