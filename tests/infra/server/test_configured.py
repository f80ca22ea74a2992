"""A server that PREFECT_API_URL names: what it is not is said in one line, before anything is begun."""

import http.server
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from infra.errors import ConfigurationError, CounterpointError
from infra.server.configured import (
    TEMPORARY_VARIABLE,
    check_server,
    configured_server,
    loopback_without_proxy,
    server_stays,
    server_watched,
)
from infra.server.server import _fewer_tries

EMPTY = r"run with PREFECT_API_URL= \(empty\) for a temporary one"


@contextmanager
def serving(answers: dict[str, tuple[int, str]]) -> Iterator[str]:
    """The address of a server that answers these paths, and 404 to all others."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, "nothing"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def check(url: str) -> None:
    with temporary_settings({PREFECT_API_URL: url}):
        check_server(url)


def test_a_server_of_this_version_will_do() -> None:
    with serving({"/api/admin/version": (200, f'"{version("prefect")}"')}) as address:
        check(f"{address}/api")


@pytest.mark.parametrize(
    ("answers", "path", "told"),
    [
        ({"/api/health": (200, "true")}, "/api", r"answers, but not as a Prefect server \(status 404"),
        (
            {"/admin/version": (200, "<html>")},
            "",
            r"not as a Prefect server \(no JSON.* which as a rule ends with /api",
        ),
        (
            {"/api/admin/version": (401, "{}")},
            "/api",
            r"refuses us \(401\): set PREFECT_API_AUTH_STRING or PREFECT_API_K",
        ),
        ({"/api/admin/version": (200, '"2.20.1"')}, "/api", rf"is of version 2\.20\.1, and here is .*{EMPTY}"),
    ],
)
def test_one_that_is_another_is_named_with_the_mend(answers: dict[str, tuple[int, str]], path: str, told: str) -> None:
    with serving(answers) as address, pytest.raises(CounterpointError, match=told) as caught:
        check(f"{address}{path}")
    assert "\n" not in str(caught.value)


def test_nobody_there_is_told_with_a_mend_that_holds_for_profiles_too() -> None:
    with pytest.raises(
        CounterpointError, match=rf"no Prefect server answers at 127\.0\.0\.1:9 \(ConnectError\).*{EMPTY}"
    ):
        check("http://127.0.0.1:9/api")


@pytest.mark.parametrize("given", ["nonsense", "http://", "ftp://host/api", "http://host:port/api", "localhost:4200"])
def test_what_is_no_address_is_named_as_given(given: str) -> None:
    with pytest.raises(CounterpointError, match=rf"PREFECT_API_URL is '{given}', and no address as.*{EMPTY}"):
        check_server(given)


def test_a_password_in_it_is_not_repeated() -> None:
    with pytest.raises(CounterpointError) as caught:
        check_server("me:hush@host")
    assert "hush" not in str(caught.value)


GONE = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}


def test_a_server_that_goes_away_during_a_run_is_one_line() -> None:
    with (
        temporary_settings(GONE),
        pytest.raises(
            CounterpointError, match=r"the Prefect server at 127\.0\.0\.1:9 is gone \(ConnectError\), and did"
        ),
        server_watched(),
        get_client(sync_client=True) as client,
    ):
        client.read_flow_runs()


def test_one_that_breaks_during_a_run_is_told_by_its_status() -> None:
    with (
        serving({}) as address,
        temporary_settings({PREFECT_API_URL: f"{address}/api", PREFECT_CLIENT_MAX_RETRIES: 0}),
        pytest.raises(CounterpointError, match="answers with status 501; its log says why, and did not learn"),
        server_watched(),
        get_client(sync_client=True) as client,
    ):
        client.read_flow_runs()


def test_one_whose_database_has_no_space_is_told_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of the throw-away server goes with its folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=4096))
    told = rf"status 501, for {tmp_path} has no space left \(free some, or set TMPDIR to another folder\), and did not"
    with (
        serving({}) as address,
        temporary_settings({PREFECT_API_URL: f"{address}/api", PREFECT_CLIENT_MAX_RETRIES: 0}),
        pytest.raises(CounterpointError, match=told),
        server_watched(),
        get_client(sync_client=True) as client,
    ):
        client.read_flow_runs()


def test_a_server_that_is_not_missed_for_long_is_given_up_and_whoever_asked_for_more_gets_it() -> None:
    assert _fewer_tries() == {"PREFECT_CLIENT_MAX_RETRIES": "3"}
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 9}):
        assert _fewer_tries() == {}


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Proxies of the environment at which nobody is, the one of a kind that wants a package; and the mend."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("http_proxy", "http://127.0.0.1:9"), ("all_proxy", "socks5://127.0.0.1:9")):
        monkeypatch.setenv(name, value)

    def mend() -> None:
        for name, value in loopback_without_proxy({"no_proxy": "example.org"}).items():
            monkeypatch.setenv(name, value)

    return mend


def test_what_is_on_this_machine_is_not_asked_for_through_a_proxy(proxies: Callable[[], None]) -> None:
    with serving({"/api/admin/version": (200, f'"{version("prefect")}"')}) as address:
        with pytest.raises(CounterpointError, match="no Prefect server answers"):
            check(f"{address}/api")
        proxies()
        check(f"{address}/api")


def test_a_server_stays_where_one_is_configured_and_is_not_the_temporary_one_of_a_command(monkeypatch):
    with temporary_settings({PREFECT_API_URL: None}):
        assert not server_stays()
        with pytest.raises(ConfigurationError, match="^wants a Prefect server that stays: PREFECT_API_URL="):
            configured_server()
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:4200/api"}):
        assert server_stays()
        assert configured_server() == "http://127.0.0.1:4200/api"
        monkeypatch.setenv(TEMPORARY_VARIABLE, "yes")
        assert not server_stays()
