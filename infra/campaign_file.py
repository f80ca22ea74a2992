"""The file of a person's own campaign, read as JSON values, which is how it travels in a request.

What this does not do: know its keys (`tasks/campaign/preset.py`).
"""

import tomllib
from pathlib import Path
from typing import Any

from infra.errors import ConfigurationError

_MOST_BYTES = 1_000_000


def read_campaign(path: Path) -> dict[str, Any]:
    """The tables of a file in TOML, with `name`, which is the file's own where it says none.

    Raises:
        ConfigurationError: it cannot be read, or is no TOML.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigurationError(f"{path}: over {_MOST_BYTES:,} bytes, which no campaign has")
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}); name a file in TOML") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: byte {error.start} is no UTF-8, which TOML is written in") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not TOML: {str(error) or 'too deep'}") from error
    return {"name": path.stem.lower().replace(" ", "-"), **tables}
