"""One Prefect API server for one command, thrown away at its end; or the server that is configured.

The throw-away server keeps everything it writes (database, home) in a temporary directory, so that two commands at
once do not lock each other's SQLite and nothing is left behind. It listens on a free port of the loopback, sends no
telemetry, and stops when its standard input closes, which the system does for us even after a kill -9 of the command.
It lives in its own session: Ctrl-C reaches the command first, which reports to the server and then stops it.

What this does not do: serve deployments. Schedules need a server that stays, see docs/operations.md.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from prefect.client.orchestration import get_client
from prefect.context import refresh_global_settings_context
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from infra import database_template
from infra.errors import CounterpointError

DATABASE = "prefect.db"
STARTUP_SECONDS = 120.0
ANSWER_SECONDS = 10.0
DRAIN_SECONDS = 5.0


@contextmanager
def api_server() -> Iterator[Callable[[], None]]:
    """Point Prefect at one API server for the length of the block.

    The throw-away server boots in the background, some seconds of one core: import what is heavy inside the block,
    then call what was yielded, which waits until the server answers.

    Returns:
        A context manager of the function to call before the first flow.

    Raises:
        CounterpointError: the configured server cannot be reached, or the throw-away server did not start.

    Example::

        with api_server() as wait_until_ready:
            from flows.ingest import ingest
            wait_until_ready()
            ingest(...)
    """
    configured = get_current_settings().api.url
    if configured:
        _check_reachable(configured)
        with _drained():
            yield lambda: None
        return
    with (
        tempfile.TemporaryDirectory(prefix="counterpoint-api-", ignore_cleanup_errors=True) as home,
        _process(Path(home)) as (process, port),
    ):
        url = f"http://127.0.0.1:{port}/api"
        with _environment({"PREFECT_API_URL": url, "PREFECT_LOGGING_TO_API_ENABLED": "false"}), _drained():
            yield lambda: _wait_until_ready(process, url, Path(home))


def shown(url: str) -> str:
    """Host and port of a server's address: the rest may hold a password.

    >>> shown("https://me:hush@example.org:4200/api?key=hush")
    'example.org:4200'
    """
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _check_reachable(url: str) -> None:
    with get_client(sync_client=True, httpx_settings={"timeout": ANSWER_SECONDS}) as client:
        problem = client.api_healthcheck()
    if problem is not None:
        raise CounterpointError(
            f"no Prefect server answers at {shown(url)} ({type(problem).__name__}): start it, or unset PREFECT_API_URL "
            "for a temporary one"
        )


@contextmanager
def _process(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start the server's process; its settings are these alone, not the ones of the user's profile."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home / DATABASE}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    database_template.put(home / DATABASE)
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", str(Path(__file__).with_name("api_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=home,
            env=environment,
            start_new_session=True,
        )
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    with process:
        try:
            port = process.stdout.readline()
            if not port.strip():
                raise CounterpointError(f"the temporary Prefect server did not start: {_last_line(home)}")
            yield process, int(port)
        finally:
            process.stdin.close()
            try:
                process.wait(timeout=DRAIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, home: Path) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    with httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get(f"{url}/health").is_success:
                    database_template.keep(home / DATABASE)
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            time.sleep(0.05)
    raise CounterpointError(f"the temporary Prefect server did not start: {_last_line(home)}")


def _last_line(home: Path) -> str:
    lines = (home / "server.log").read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


@contextmanager
def _environment(updates: Mapping[str, str]) -> Iterator[None]:
    """Set variables for this process and for those it starts (Dask workers), and let Prefect read them again."""
    before = {name: os.environ.get(name) for name in updates}
    os.environ.update(updates)
    refresh_global_settings_context()
    try:
        # a profile chosen with `prefect --profile` hides the global settings
        with temporary_settings({PREFECT_API_URL: updates["PREFECT_API_URL"]}):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        refresh_global_settings_context()


@contextmanager
def _drained() -> Iterator[None]:
    """Send what is left of logs and events before the server goes, or the exit waits a minute for it."""
    try:
        yield
    finally:
        APILogWorker.drain_all(timeout=DRAIN_SECONDS)
        EventsWorker.drain_all(timeout=DRAIN_SECONDS)
