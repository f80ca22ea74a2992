"""One API server for all commands of this folder that do not ask for one of their own: each boots for seconds."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.server import server


def plain_environment() -> dict[str, str]:
    """The variables of this process without what would configure a command."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COUNTERPOINT_"))}


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables by which a command finds a server that is there already, as a scheduled one does."""
    home, password = tmp_path_factory.mktemp("api"), secrets.token_urlsafe(32)
    with server._process(Path(home), password) as (process, port):
        url = f"http://127.0.0.1:{port}/api"
        server._wait_until_ready(process, url, Path(home))
        yield plain_environment() | {
            "PREFECT_API_URL": url,
            "PREFECT_API_AUTH_STRING": password,
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
        }
