"""One API server for all commands of this folder that do not ask for one of their own: each boots for seconds."""

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.server import database_template, server
from tests.integration.stays import QUICK, Patient, answers, background, prefect
from tests.waiting import wait_until


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


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of `lasting`, and of what asks it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    database_template.put(home / "prefect.db")  # else the server runs its migrations, for seconds
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return (
        mine
        | QUICK
        | {
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
    )


@pytest.fixture(scope="session")
def lasting(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """A server that stays, with all its services, and a client for it."""
    port = environment["PREFECT_API_URL"].split(":")[2].split("/")[0]
    with (
        background(environment, "server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui") as started,
        httpx.Client(base_url=environment["PREFECT_API_URL"], transport=Patient(), timeout=30) as client,
    ):
        wait_until(lambda: started.process.poll() is not None or answers(client), "the server answers")
        assert started.process.poll() is None, started.said()[-2000:]
        yield client


@pytest.fixture(scope="session")
def deployments(lasting: httpx.Client, environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The deployments of prefect.yaml on it, by name."""
    prefect(environment, "work-pool", "create", "counterpoint", "--type", "process")
    prefect(environment, "deploy", "--all")
    found = lasting.post("/deployments/filter", json={}).raise_for_status().json()
    return {deployment["name"]: deployment for deployment in found}
