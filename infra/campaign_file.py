"""Read a user's campaign file in TOML into JSON values, the form in which it travels in a request.

What this does not do: check its keys (`tasks/campaign/preset.py`).
"""

from pathlib import Path
from typing import Any

from infra.toml_file import read_toml


def read_campaign(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; without a `name` in it, the file's name is taken.

    Raises:
        ConfigurationError: the file cannot be read, or is not TOML.
    """
    return {"name": path.stem.lower().replace(" ", "-"), **read_toml(path, "campaign")}
