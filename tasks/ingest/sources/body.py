"""What is held of a file that comes over a network, and what its server gives: values, and nothing that reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field


class Interrupted(Exception):
    """The connection broke inside the file; what came before is good."""


@dataclass(frozen=True)
class Held:
    """What there is already of a file.

    Attributes:
        size: bytes from the start on.
        version: what the server called the file then: its ETag or its date. Without one nothing counts as held.
        total: size of the whole file in bytes, None where the server did not say.
        complete: whether nothing is missing.
    """

    size: int = 0
    version: str = ""
    total: int | None = None
    complete: bool = False


@dataclass(frozen=True)
class Body:
    """What a server gives.

    Attributes:
        start: place of the first byte in the file.
        version: ETag or date of the file; empty where the server gives none.
        total: size of the whole file in bytes, or None.
        blocks: the bytes; raises `Interrupted` where the connection breaks.
    """

    start: int
    version: str
    total: int | None
    blocks: Iterator[bytes] = field(default_factory=lambda: iter(()))
