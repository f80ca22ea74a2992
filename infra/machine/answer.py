"""What a command comes to: text for people, or one JSON object for programs, made of the same value.

    {"schema": "counterpoint.disk", "schema_version": 1, ...}

docs/programs.md has the fields of each. What this does not do: decide who is told which (`output.py`).
"""

import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar


class Answer(ABC):
    """A value that can be told both ways.

    Attributes:
        schema: its name behind `counterpoint.`.
        schema_version: raised when a field changes its meaning or disappears; a new one does not raise it.
    """

    schema: ClassVar[str]
    schema_version: ClassVar[int] = 1

    @abstractmethod
    def __str__(self) -> str:
        """The text, which may be empty."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The fields, JSON values alone; a number that does not exist is None."""

    def document(self) -> str:
        """The object in one line of ASCII, which any locale can write."""
        head = {"schema": f"counterpoint.{self.schema}", "schema_version": self.schema_version}
        return json.dumps(head | self.to_json(), allow_nan=False)
