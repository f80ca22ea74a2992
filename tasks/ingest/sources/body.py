"""Values for resuming a download: the part that is held already, and the body that a server returns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

DownloadProgress = Callable[[int, int | None], None]
"""Called with the bytes that are done and the bytes in all, None if the server does not say how many."""


class Interrupted(Exception):
    """The connection broke within the file; the bytes received so far are good."""


@dataclass(frozen=True)
class Held:
    """The part of a file that is on this disk already.

    Attributes:
        size: number of bytes, from the start of the file.
        version: the server's ETag or date of the file at that time. Without a version nothing counts as held.
        total: size of the whole file in bytes; None if the server did not say.
        complete: whether the whole file is held.
    """

    size: int = 0
    version: str = ""
    total: int | None = None
    complete: bool = False


@dataclass(frozen=True)
class Body:
    """The body of a server's response.

    Attributes:
        start: position in the file of the first byte.
        version: ETag or date of the file; empty if the server gives neither.
        total: size of the whole file in bytes, or None.
        blocks: iterator over the bytes; raises `Interrupted` if the connection breaks.
    """

    start: int
    version: str
    total: int | None
    blocks: Iterator[bytes] = field(default_factory=lambda: iter(()))
