"""The answers of `list`, `pull` and `report --from`: listed, pulled and rebuilt reports."""

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
        """A row for each version."""
        return {"reports": [asdict(report) | {"changes": list(report.changes)} for report in self.reports]}


@dataclass(frozen=True)
class Pulled(Answer):
    """A version that was copied out of a store.

    Attributes:
        version: of the report.
        path: of its page, or of the folder if only its tables were copied.
    """

    schema: ClassVar[str] = "pull"
    version: str
    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def to_json(self) -> dict[str, Any]:
        """The version, and its path."""
        return {"version": self.version, "path": str(self.path)}


@dataclass(frozen=True)
class Rebuilt(Answer):
    """Reports that were rebuilt from folders of tables.

    Attributes:
        pages: paths of their pages.
    """

    schema: ClassVar[str] = "rebuilt"
    pages: Sequence[Path]

    def __str__(self) -> str:
        return "\n".join(map(str, self.pages))

    def to_json(self) -> dict[str, Any]:
        """The paths of the pages."""
        return {"pages": [str(page) for page in self.pages]}
