"""The interface of a storage backend: atomic create, conditional replace, whole reads.

The backends are `local.py`, `s3.py` and `memory.py`. A new backend is a file with the methods of `Backend` and a line
in `places.py`; the suite in tests/infra/test_store.py then runs over it. A place without conditional writes cannot be a
store.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

SCRATCH = "checkpoints"
"""The only folder whose commits and pointers may be discarded. Its objects may be lost in a power failure."""


class Stored(NamedTuple):
    """An object as read: its bytes, and a token that changes whenever the bytes change."""

    data: bytes
    token: str


class Listed(NamedTuple):
    """An object in a listing.

    Attributes:
        path: relative to the store.
        size: bytes.
        modified: time of writing, in seconds since 1970 by the backend's clock.
    """

    path: str
    size: int
    modified: float


class Backend(Protocol):
    """A place that holds objects. Paths are relative to the store; every method raises a one-line StoreError."""

    def check(self, create: bool) -> None:
        """Check within seconds that the place exists and answers; with `create`, a missing directory is made."""

    def read(self, path: str) -> Stored | None:
        """The whole object, or None if it does not exist."""

    def create(self, path: str, data: bytes) -> bool:
        """Write a new object, durably. If there is one already, write nothing and return False."""

    def create_all(self, files: Mapping[str, bytes]) -> list[str]:
        """Like `create` for several objects, in parallel if possible; returns the paths that existed already.

        All objects are durable when it returns. The order of writing is not defined; if one is refused, others may have
        been written.
        """

    def replace(self, path: str, data: bytes, token: str) -> bool:
        """Replace an object that still has this token. If it has another, write nothing and return False."""

    def delete(self, path: str) -> None:
        """Remove the object if it exists."""

    def children(self, parent: str, name: str) -> list[str]:
        """Every CHILD with an object `parent/CHILD/name`, sorted. For display, not for decisions."""

    def listing(self, folder: str) -> list[Listed]:
        """Every object below a folder, sorted; of the whole store if `folder` is "". For display, not for decisions."""
