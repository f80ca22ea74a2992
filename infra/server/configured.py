"""Check the Prefect server that PREFECT_API_URL names: whether it answers, and has a compatible version.

Every problem is reported as one line with the mend, before any work starts. An empty PREFECT_API_URL overrides an
address in a profile, `.env` or `prefect.toml`, so the suggested mend always works.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from prefect.client.base import ServerType
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings

from infra.errors import ConfigurationError, CounterpointError
from infra.machine import scratch

ANSWER_SECONDS = 10.0
MEND = "start it, or run with PREFECT_API_URL= (empty) for a temporary one"
TEMPORARY_VARIABLE = "COUNTERPOINT_TEMPORARY_SERVER"
"""Set for the processes of a command while its server is a temporary one."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def shown(url: str) -> str:
    """Host and port of a server's address, for messages; the rest may hold a password.

    >>> shown("https://me:hush@example.org:4200/api?key=hush")
    'example.org:4200'
    """
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def server_stays() -> bool:
    """Whether there is a server that outlives this process, so that somebody may ask it for events."""
    return bool(get_current_settings().api.url) and not os.environ.get(TEMPORARY_VARIABLE)


def configured_server() -> str:
    """The address of the configured server.

    Raises:
        ConfigurationError: there is none.
    """
    url = get_current_settings().api.url
    if not url:
        raise ConfigurationError("wants a Prefect server that stays: PREFECT_API_URL=http://HOST:4200/api names one")
    return url


def check_server(url: str) -> None:
    """Ask the configured server for its version.

    Raises:
        CounterpointError: the address is malformed, nothing answers there, the server is not a Prefect server of a
            compatible version, or it asks for a password.
    """
    if not _is_address(url):
        given = f"{url!r}" if url.isprintable() and "@" not in url else "something"
        raise CounterpointError(f"PREFECT_API_URL is {given}, and no address as http://HOST:PORT/api: {MEND}")
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 1}),
        get_client(sync_client=True, httpx_settings={"timeout": ANSWER_SECONDS}) as client,
    ):
        try:
            if client.server_type == ServerType.CLOUD:
                if (problem := client.api_healthcheck()) is not None:
                    raise problem
                return
            theirs = str(client.api_version())
        except (PrefectHTTPStatusError, ValueError) as error:  # a page that is no JSON is a ValueError
            raise CounterpointError(_stranger(url, error)) from error
        except httpx.HTTPError as error:
            raise CounterpointError(
                f"no Prefect server answers at {shown(url)} ({type(error).__name__}): {MEND}"
            ) from error
    ours = version("prefect")
    if theirs.split(".")[0] != ours.split(".")[0]:
        raise CounterpointError(
            f"the Prefect server at {shown(url)} is of version {theirs[:40]}, and here is {ours}: take one of the same "
            "major version, or run with PREFECT_API_URL= (empty) for a temporary one"
        )


def absence(error: httpx.HTTPError) -> str:
    """The start of an error line about this process's server, after a request to it failed."""
    url = get_current_settings().api.url or ""
    status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
    what = f"is gone ({type(error).__name__})" if status is None else f"answers with status {status}"
    temporary = Path(tempfile.gettempdir())
    if urlsplit(url).hostname in _LOOPBACK and scratch.is_full(temporary):  # a temporary server's database is there
        why = f", for {temporary} has no space left ({scratch.MEND})"
    else:
        why = "" if status is None else "; its log says why"
    return f"the Prefect server at {shown(url)} {what}{why}"


_RUN_LOST = (
    ", and did not learn how this run ended; what is stored is kept, and a report that is named above is whole: the"
    " same command goes on from there"
)


@contextmanager
def server_watched(lost: str = _RUN_LOST) -> Iterator[None]:
    """Report in one line, instead of Prefect's traceback, that the server was lost, by default during a flow run.

    Args:
        lost: the end of the line, after what became of the server.

    Raises:
        CounterpointError: the server is gone, or does not work any more.
    """
    try:
        yield
    except httpx.HTTPError as error:
        raise CounterpointError(f"{absence(error)}{lost}") from error


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


def _stranger(url: str, error: Exception) -> str:
    status = error.response.status_code if isinstance(error, PrefectHTTPStatusError) else None
    if status in (401, 403):
        return (
            f"the Prefect server at {shown(url)} refuses us ({status}): set PREFECT_API_AUTH_STRING or PREFECT_API_KEY"
        )
    what = f"status {status}" if status else "no JSON"
    hint = "" if urlsplit(url).path.rstrip("/").endswith("/api") else ", which as a rule ends with /api"
    return f"{shown(url)} answers, but not as a Prefect server ({what} for its version): check PREFECT_API_URL{hint}"


def loopback_without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment variables that exempt the loopback from any proxy; Prefect's clients read them.

    >>> loopback_without_proxy({"http_proxy": "http://proxy:3128", "NO_PROXY": "example.org"})["no_proxy"]
    'example.org,127.0.0.1,localhost,::1'
    """
    names = ("no_proxy", "NO_PROXY")
    given = next((environment[name] for name in names if environment.get(name)), "")
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    return dict.fromkeys(names, ",".join([*hosts, *(host for host in _LOOPBACK if host not in hosts)]))
