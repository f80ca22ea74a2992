"""Which reports there are, which one was pulled, and which were made again from their tables."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from infra.machine.answer import Answer
from tasks.publishing.publish import PublishedReport


@dataclass(frozen=True)
class Listing(Answer):
    """The versions in a store, the oldest first."""

    schema: ClassVar[str] = "list"
    reports: Sequence[PublishedReport]

    def __str__(self) -> str:
        return "\n".join(map(str, self.reports))

    def to_json(self) -> dict[str, Any]:
        """A row a version."""
        return {"reports": [asdict(report) | {"changes": list(report.changes)} for report in self.reports]}


@dataclass(frozen=True)
class Pulled(Answer):
    """A version that was copied out of a store.

    Attributes:
        version: which.
        path: of its page, or of the folder where only its tables were copied.
    """

    schema: ClassVar[str] = "pull"
    version: str
    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def to_json(self) -> dict[str, Any]:
        """Which version, and where it is now."""
        return {"version": self.version, "path": str(self.path)}


@dataclass(frozen=True)
class Rebuilt(Answer):
    """Reports that were made again from folders of tables.

    Attributes:
        pages: their pages.
    """

    schema: ClassVar[str] = "rebuilt"
    pages: Sequence[Path]

    def __str__(self) -> str:
        return "\n".join(map(str, self.pages))

    def to_json(self) -> dict[str, Any]:
        """Where the pages are."""
        return {"pages": [str(page) for page in self.pages]}
