"""Read a user's file in TOML into JSON values.

What this does not do: check its keys, which is left to whoever knows them.
"""

import tomllib
from pathlib import Path
from typing import Any

from infra.errors import ConfigurationError

_MOST_BYTES = 1_000_000


def read_toml(path: Path, kind: str) -> dict[str, Any]:
    """The tables of a TOML file.

    Args:
        path: of the file.
        kind: what the file describes, for the message: `campaign`.

    Raises:
        ConfigurationError: the file cannot be read, or is not TOML.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigurationError(f"{path}: over {_MOST_BYTES:,} bytes, which no {kind} has")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}); name a file in TOML") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: byte {error.start} is no UTF-8, which TOML is written in") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not TOML: {str(error) or 'too deep'}") from error
