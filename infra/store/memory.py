"""The backend in this process's memory, on fsspec's memory:// files. It is for tests; other processes cannot see it."""

import hashlib
import threading
from collections.abc import Mapping

from fsspec.implementations.memory import MemoryFileSystem

from infra.store.backend import Listed, Stored

# One lock for the process, since fsspec's files are process-wide. Reads take it too, as they move a shared position.
_LOCK = threading.RLock()


class MemoryBackend:
    """A name in fsspec's process-wide memory."""

    def __init__(self, name: str) -> None:
        self._root = name
        self._files = MemoryFileSystem()

    def check(self, create: bool) -> None:
        """Nothing to check: memory is always there."""

    def read(self, path: str) -> Stored | None:
        """The whole object, or None if it does not exist."""
        with _LOCK:
            try:
                data: bytes = self._files.cat_file(f"{self._root}/{path}")
            except FileNotFoundError:
                return None
            return Stored(data, hashlib.sha256(data).hexdigest())

    def create(self, path: str, data: bytes) -> bool:
        """Write a new object; False if it exists already."""
        with _LOCK:
            if self._files.exists(f"{self._root}/{path}"):
                return False
            self._files.pipe_file(f"{self._root}/{path}", data)
            return True

    def create_all(self, files: Mapping[str, bytes]) -> list[str]:
        """Write the objects that do not exist; returns the paths of those that do."""
        return [path for path, data in files.items() if not self.create(path, data)]

    def replace(self, path: str, data: bytes, token: str) -> bool:
        """Replace an object that still has this token; False if it has not."""
        with _LOCK:
            present = self.read(path)
            if present is None or present.token != token:
                return False
            self._files.pipe_file(f"{self._root}/{path}", data)
            return True

    def delete(self, path: str) -> None:
        """Remove the object if it exists."""
        with _LOCK:
            if self._files.exists(f"{self._root}/{path}"):
                self._files.rm_file(f"{self._root}/{path}")

    def children(self, parent: str, name: str) -> list[str]:
        """Every CHILD with an object `parent/CHILD/name`, sorted."""
        start = f"/{self._root}/{parent}/"
        with _LOCK:
            found = [path.removeprefix(start) for path in self._files.find(start)]
        return sorted(path.removesuffix(f"/{name}") for path in found if path.split("/")[1:] == [name])

    def listing(self, folder: str) -> list[Listed]:
        """Every object below a folder, sorted."""
        with _LOCK:
            found = self._files.find(f"/{self._root}/{folder}".rstrip("/"), detail=True)
        start = f"/{self._root}/"
        entries = [(path.removeprefix(start), item["size"], float(item["created"])) for path, item in found.items()]
        return sorted(Listed(*entry) for entry in entries)
