"""What a store needs of the place where the bytes are: atomic create, conditional replace, whole reads.

Three places have it: `local.py`, `s3.py`, `memory.py`. Another one is a file with the methods of `Backend`
and a line in `places.py`; the suite in tests/infra/test_store.py then runs over it. A place without
conditional writes cannot be a store.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

SCRATCH = "checkpoints"
"""The one folder from which commits and pointers may be discarded. What lies there may be lost when the power fails."""


class Stored(NamedTuple):
    """An object as read: its bytes, and a token that changes whenever the bytes do."""

    data: bytes
    token: str


class Listed(NamedTuple):
    """An object in a listing.

    Attributes:
        path: relative to the store.
        size: bytes.
        modified: when it was written, seconds since 1970 by the clock of the place.
    """

    path: str
    size: int
    modified: float


class Backend(Protocol):
    """A place for bytes. Paths are relative to the store; every method raises StoreError, in one line."""

    def check(self, create: bool) -> None:
        """Make sure that the place exists and answers, within seconds; a directory may be made, if `create`."""

    def read(self, path: str) -> Stored | None:
        """The whole object, or None where there is none."""

    def create(self, path: str, data: bytes) -> bool:
        """Write the whole object if there is none, durably; False, and nothing written, if there is one."""

    def create_all(self, files: Mapping[str, bytes]) -> list[str]:
        """Like `create` for each, side by side where the place can; the paths of those that were there.

        All are durable when it returns. They are written in any order, and where one is refused, others may be there.
        """

    def replace(self, path: str, data: bytes, token: str) -> bool:
        """Write the whole object if the present one has this token; False, and nothing written, if not."""

    def delete(self, path: str) -> None:
        """Remove the object if it is there."""

    def children(self, parent: str, name: str) -> list[str]:
        """Every CHILD for which `parent/CHILD/name` is there, sorted. For people, not for decisions."""

    def listing(self, folder: str) -> list[Listed]:
        """Every object below a folder, of the whole store where it is empty, sorted. For people, not for decisions."""
