"""A temporary Prefect API server for one command; or the configured server.

The temporary server keeps its database and its home in a temporary directory. So two simultaneous commands do not lock
each other's SQLite, and nothing is left behind. It listens on a free port of the loopback, and asks for a random
password that only this process and its children know. It sends no telemetry. It stops when its standard input closes,
which the system ensures even after a kill -9 of the command. It runs in its own session: Ctrl-C reaches the command
first, which reports to the server and then stops it.

What this does not do: serve deployments. Schedules need a permanent server, see docs/operations.md.
"""

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import certifi
import httpx
from prefect import settings
from prefect.context import refresh_global_settings_context
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import get_current_settings, temporary_settings

from infra.errors import CounterpointError
from infra.machine.scratch import MEND, is_full, no_room, scratch_folder
from infra.server import database_template
from infra.server.configured import TEMPORARY_VARIABLE, check_server, loopback_without_proxy

DATABASE = "prefect.db"
STARTUP_SECONDS = 120.0
ANSWER_SECONDS = 10.0
DRAIN_SECONDS = 5.0

_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit): ")
_FATAL = "Fatal Python error: "


@contextmanager
def api_server() -> Iterator[Callable[[], None]]:
    """Point Prefect at one API server for the duration of the block.

    The temporary server boots in the background, which takes some seconds of one core. Do heavy imports inside the
    block, then call the yielded function, which waits until the server answers.

    Returns:
        A context manager that yields the function to call before the first flow.

    Raises:
        CounterpointError: the configured server cannot be reached, or the temporary server did not start.

    Example::

        with api_server() as wait_until_ready:
            from flows.ingest import ingest
            wait_until_ready()
            ingest(...)
    """
    configured = get_current_settings().api.url
    with _environment(loopback_without_proxy(os.environ)):
        if configured:
            check_server(configured)
            with _settings(_fewer_tries()), _drained():
                yield lambda: None
            return
        with ExitStack() as stack:
            password = secrets.token_urlsafe(32)
            folder = tempfile.TemporaryDirectory(prefix="api-", dir=scratch_folder(), ignore_cleanup_errors=True)
            home = Path(stack.enter_context(folder))
            try:
                process, port = stack.enter_context(_process(home, password))
            except OSError as problem:
                raise no_room(problem) from problem
            variables = {
                "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
                "PREFECT_API_AUTH_STRING": password,
                "PREFECT_LOGGING_TO_API_ENABLED": "false",
                "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
                "PREFECT_API_SSL_CERT_FILE": str(_one_authority(home)),
            }
            # No automation watches heartbeats on a temporary server, and the heartbeat thread takes a second to end.
            without = {settings.PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
            temporary = _environment({TEMPORARY_VARIABLE: "yes"})
            with temporary, _settings(variables), temporary_settings(without), _drained():
                yield lambda: _wait_until_ready(process, variables["PREFECT_API_URL"], home)


def _one_authority(home: Path) -> Path:
    """A file with a single certificate, in place of the full list of certificate authorities.

    Each task makes two clients, and each client reads the full list: 25 ms of a core that should train. A server on the
    loopback needs no TLS.
    """
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    first = Path(certifi.where()).read_text(encoding="ascii", errors="ignore").partition(begin)[2].partition(end)[0]
    path = home / "authority.pem"
    path.write_text(f"{begin}{first}{end}\n")
    return path


@contextmanager
def _process(home: Path, password: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start the server's process with only these settings, without those of the user's profile."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home / DATABASE}",
        "PREFECT_SERVER_API_AUTH_STRING": password,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        # Block types are only for the web page, and registering them imports Dask, which takes a second.
        "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
        "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
        # The records that these services write are never read on a temporary server.
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    if database_template.put(home / DATABASE):
        environment["PREFECT_SERVER_DATABASE_MIGRATE_ON_START"] = "false"
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
                process.wait(timeout=DRAIN_SECONDS)
                raise _not_started(process, home)
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
    raise _not_started(process, home)


def _not_started(process: subprocess.Popen[bytes], home: Path) -> CounterpointError:
    code = process.poll()
    ended = f"no answer within {STARTUP_SECONDS:.0f} s" if code is None else f"its process ended with {code}"
    reason = reason_in((home / "server.log").read_text(errors="replace"))
    if is_full(home):  # then the log is cut off, too
        reason = f"{home} has no space left; {MEND}"
    return CounterpointError(
        f"the temporary Prefect server on 127.0.0.1 did not start, {ended}: {reason}; or set PREFECT_API_URL to a "
        "server that runs"
    )


def reason_in(log: str) -> str:
    r"""The reason why a Python process ended, from its output: the last line of an exception, or else the last line.

    >>> reason_in("Traceback ...\nOSError: [Errno 28] No space left on device\n\n<no Python frame>\n")
    'OSError: [Errno 28] No space left on device'

    A fatal error after the exception, from the thread that reads standard input, is ignored; alone it is the reason.

    >>> reason_in("ImportError: no x\nFatal Python error: could not acquire lock\n  <no Python frame>")
    'ImportError: no x'
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    raised = [line for line in lines if _EXCEPTION.match(line)] or [line for line in lines if line.startswith(_FATAL)]
    return (raised or lines or ["it said nothing"])[-1]


@contextmanager
def _environment(updates: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for this process and the ones it starts (Dask workers)."""
    before = {name: os.environ.get(name) for name in updates}
    os.environ.update(updates)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _settings(variables: Mapping[str, str]) -> Iterator[None]:
    """Set Prefect's variables, in this process and the ones it starts."""
    try:
        with _environment(variables):
            refresh_global_settings_context()
            # a profile chosen with `prefect --profile` hides the global settings
            with temporary_settings({getattr(settings, name): value for name, value in variables.items()}):
                yield
    finally:
        refresh_global_settings_context()


def _fewer_tries() -> dict[str, str]:
    """Variables that lower the retries of a request: a lost server is given up after 15 s instead of a minute.

    A server that restarts within that time is still found. A number of retries that the user has set is kept.
    """
    default = type(get_current_settings().client).model_fields["max_retries"].default
    return {"PREFECT_CLIENT_MAX_RETRIES": "3"} if get_current_settings().client.max_retries == default else {}


@contextmanager
def _drained() -> Iterator[None]:
    """Send remaining logs and events before the server stops; otherwise the exit would wait a minute for them."""
    try:
        yield
    finally:
        APILogWorker.drain_all(timeout=DRAIN_SECONDS)
        EventsWorker.drain_all(timeout=DRAIN_SECONDS)
