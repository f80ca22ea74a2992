"""A place for a store that keeps its history: what is there before each write is what a process killed there leaves."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.store.backend import Listed, Stored


@dataclass
class Place:
    """A backend that keeps its history: what it held before each write."""

    files: dict[str, bytes] = field(default_factory=dict)
    history: list[dict[str, bytes]] = field(default_factory=list)
    fail: Callable[[str, bool], None] = lambda what, done: None
    """Called before (done is False) and after each operation, with its name; may raise."""
    reads: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def check(self, create: bool) -> None:
        """It is there."""

    def read(self, path: str) -> Stored | None:
        """The whole object."""
        return self._done("read", lambda: Stored(d, d.hex()) if (d := self.files.get(path)) is not None else None)

    def create(self, path: str, data: bytes) -> bool:
        """Write if there is none."""
        return self._write(lambda: path not in self.files and self.files.update({path: data}) is None)

    def create_all(self, files: Mapping[str, bytes]) -> list[str]:
        """Write one after the other, so that a process can be killed between two."""
        return [path for path, data in files.items() if not self.create(path, data)]

    def replace(self, path: str, data: bytes, token: str) -> bool:
        """Write if it has this token."""
        fits = lambda: path in self.files and self.files[path].hex() == token  # noqa: E731
        return self._write(lambda: fits() and self.files.update({path: data}) is None)

    def delete(self, path: str) -> None:
        """Remove it."""
        self._write(lambda: self.files.pop(path, None))

    def children(self, parent: str, name: str) -> list[str]:
        """Every CHILD with that name in it."""
        start, end = f"{parent}/", f"/{name}"
        found = [p[len(start) : -len(end)] for p in self.files if p.startswith(start) and p.endswith(end)]
        return self._done("read", lambda: sorted(child for child in found if "/" not in child))

    def listing(self, folder: str) -> list[Listed]:
        """All below a folder."""
        found = [Listed(path, len(data), 0.0) for path, data in self.files.items() if path.startswith(folder)]
        return self._done("read", lambda: sorted(found))

    def _write(self, act: Callable[[], Any]) -> Any:
        with self.lock:
            self.history.append(dict(self.files))
            return self._done("write", act)

    def _done(self, what: str, act: Callable[[], Any]) -> Any:
        with self.lock:
            self.reads += what == "read"
            self.fail(what, False)
            made = act()
            self.fail(what, True)
            return made
