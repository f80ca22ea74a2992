"""The backend of a local directory: an object is a whole file or none, even after a killed writer or a power failure.

Exclusive create is `link(2)` of a finished, synced temporary file. It fails if the name exists, and a reader sees
either no file or all of it. Replacing is `rename(2)` under a lock file. A killed writer leaves at most a temporary
file, `.tmp-...`, which is never read.

A write mostly waits for the disk. Files that are written together are therefore synced in parallel, and each folder is
synced once for all of them. Checkpoints are not synced: after a power failure a trial starts again.
"""

import contextlib
import errno
import fcntl
import grp
import hashlib
import os
import pwd
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.errors import StoreError
from infra.store.backend import SCRATCH, Listed, Stored
from infra.store.side_by_side import side_by_side

_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_TRIES = 5


class LocalBackend:
    """A directory of this machine, or of a network file system that has hard links and locks."""

    def __init__(self, directory: str) -> None:
        self._root = Path(directory)

    def check(self, create: bool) -> None:
        """With `create`, make the directory if it is missing. An existing one may be read-only, for readers."""
        if not create and not self._root.exists():
            raise StoreError(f"there is no store at {str(self._root)!r}; check the address")
        with _told("make the directory", self._root):
            for folder in _make_directory(self._root):
                _sync_directory(folder)
        if not self._root.is_dir():
            raise StoreError(f"{str(self._root)!r} is a file; a store needs a directory")

    def read(self, path: str) -> Stored | None:
        """The whole object, or None if it does not exist."""
        where = f"{self._root}/{path}"  # as text: ten thousand paths are half of the time of as many small reads
        with _told("read", where):
            try:
                with open(where, "rb", buffering=0) as file:
                    data = file.readall()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Stored(data, hashlib.sha256(data).hexdigest())

    def create(self, path: str, data: bytes) -> bool:
        """Write a new object, durably; False if it exists already."""
        return not self.create_all({path: data})

    def create_all(self, files: Mapping[str, bytes]) -> list[str]:
        """Write the objects that do not exist, durably; returns the paths of those that do."""
        if any(map(_is_synced, files)):
            unsynced = side_by_side(self._link, list(files.items()))
        else:
            unsynced = list(map(self._link, files.items()))
        for folder in set().union(*filter(None, unsynced)):
            with _told("write", folder):
                _sync_directory(folder)
        return [path for path, folders in zip(files, unsynced, strict=True) if folders is None]

    def _link(self, file: tuple[str, bytes]) -> set[Path] | None:
        """Write a new file; returns the folders to sync for it, or None if the file exists already."""
        path, data = file
        target, synced = self._root / path, _is_synced(path)
        with _told("write", target):
            temporary, made_in = _temporary_in_new(target.parent, data, synced)
            try:
                os.link(temporary, target)
            except FileExistsError:
                return None
            except OSError as error:
                if error.errno in _NO_HARD_LINKS:
                    raise StoreError(f"{str(self._root)!r}: its file system has no hard links, take another") from error
                raise
            finally:
                temporary.unlink()
        return {target.parent, *made_in} if synced else set()

    def replace(self, path: str, data: bytes, token: str) -> bool:
        """Replace an object that still has this token; False if it has not."""
        target = self._root / path
        with _told("write", target), self._locked():
            present = self.read(path)
            if present is None or present.token != token:
                return False
            _temporary(target.parent, data, _is_synced(path)).replace(target)
            if _is_synced(path):
                _sync_directory(target.parent)
        return True

    def delete(self, path: str) -> None:
        """Remove the object if it exists, and the folders of the store that this leaves empty."""
        target = self._root / path
        with _told("delete", target):
            target.unlink(missing_ok=True)
            if _is_synced(path) and not target.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):  # another process has removed the folder
                    # Synced, since a manifest that reappears after a power failure would name deleted objects.
                    _sync_directory(target.parent)
        # rmdir fails for a folder that is not empty, or that another process has just removed.
        with contextlib.suppress(OSError):
            for folder in target.parents[: len(target.parents) - len(self._root.parents) - 1]:
                folder.rmdir()

    def children(self, parent: str, name: str) -> list[str]:
        """Every CHILD with an object `parent/CHILD/name`, sorted."""
        with _told("list", self._root / parent):
            try:
                with os.scandir(self._root / parent) as entries:
                    return sorted(entry.name for entry in entries if os.path.exists(f"{entry.path}/{name}"))
            except (FileNotFoundError, NotADirectoryError):
                return []

    def listing(self, folder: str) -> list[Listed]:
        """Every file below a folder, sorted, including writers' temporary files."""
        found = []
        with _told("list", self._root / folder):
            for parent, _, names in os.walk(self._root / folder):
                for path in (Path(parent, name) for name in names):
                    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                        status = path.lstat()
                        found.append(Listed(path.relative_to(self._root).as_posix(), status.st_size, status.st_mtime))
        return sorted(found)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # The kernel frees a killed process's lock. The lock file stays, since removing it would let two writers in.
        handle = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


@contextlib.contextmanager
def _told(what: str, where: Path | str) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise StoreError(f"cannot {what} {str(where)!r}: {_not_allowed(Path(where))}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        line = f"cannot {what} {str(where)!r}: {reason}; choose another store address or mend this one"
        raise StoreError(line) from error


def _not_allowed(where: Path) -> str:
    """The end of an error line: who owns the path, and how it can be shared."""
    try:
        there = next(path for path in (where, *where.parents) if path.exists())
        status = there.stat()
    except (OSError, StopIteration):  # not even stat is allowed
        return "Permission denied; choose another store address, or have its owner share it"
    whose = f"{_user(status.st_uid)}, group {_group(status.st_gid)}, mode {status.st_mode & 0o7777:o}"
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


def _is_synced(path: str) -> bool:
    return not path.startswith(f"{SCRATCH}/")


def _make_directory(directory: Path) -> list[Path]:
    """Make a directory and its missing parents; returns the folders that got a new entry."""
    if directory.is_dir():
        return []
    above = _make_directory(directory.parent)
    # Another writer was first, or it is a file; in that case the next step fails.
    with contextlib.suppress(FileExistsError):
        directory.mkdir()
    return [*above, directory.parent]


def _temporary_in_new(directory: Path, data: bytes, synced: bool) -> tuple[Path, list[Path]]:
    # Another process may remove the folder right now, if it deletes the folder's last object.
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):
            made_in = _make_directory(directory)
            return _temporary(directory, data, synced), made_in
    made_in = _make_directory(directory)
    return _temporary(directory, data, synced), made_in


def _temporary(directory: Path, data: bytes, synced: bool) -> Path:
    # In the same directory, since a link cannot cross file systems.
    path = directory / f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        with path.open("xb") as file:
            file.write(data)
            if synced:
                file.flush()
                os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # do not leave an incomplete file on a full disk
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
