"""The result of a command: one value, printed as text for people or as a JSON object for programs.

    {"schema": "counterpoint.disk", "schema_version": 1, ...}

docs/programs.md lists the fields of each schema. What this does not do: choose between the two forms (`output.py`).
"""

import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar


class Answer(ABC):
    """A result with a text form and a JSON form.

    Attributes:
        schema: name of the schema, after `counterpoint.`.
        schema_version: raised when a field changes its meaning or disappears; a new field does not raise it.
    """

    schema: ClassVar[str]
    schema_version: ClassVar[int] = 1

    @abstractmethod
    def __str__(self) -> str:
        """The text, which may be empty."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON values; a missing number is None."""

    def document(self) -> str:
        """The JSON object in one line of ASCII, which every locale can print."""
        head = {"schema": f"counterpoint.{self.schema}", "schema_version": self.schema_version}
        return json.dumps(head | self.to_json(), allow_nan=False)
