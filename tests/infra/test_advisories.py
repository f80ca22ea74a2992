"""Whether vulnerability data can be had: what answers nothing, or knows nothing, does not pass for it."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.advisories import KNOWN, main, why_not

SOME = json.dumps({"vulns": [{"id": "PYSEC-2014-8"}]})


@contextmanager
def answering(body: str, status: int = 200) -> Iterator[tuple[str, list[bytes]]]:
    """The address of a service that answers so, and what it was asked."""
    asked: list[bytes] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        thread.join()


def test_a_service_that_knows_a_known_vulnerability_is_asked_further() -> None:
    with answering(SOME) as (address, asked):
        assert why_not(address) is None
    assert [json.loads(each) for each in asked] == [KNOWN]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("{}", 200, "it answers, and knows no vulnerability of a package that has some"),
        ("[]", 200, "it answers, and knows no vulnerability of a package that has some"),
        ("<html>", 200, "JSONDecodeError: Expecting value"),
        (SOME, 503, "Service Unavailable"),
    ],
)
def test_any_other_answer_is_a_reason(body: str, status: int, reason: str) -> None:
    with answering(body, status) as (address, _):
        assert reason in str(why_not(address))


def test_where_nothing_answers_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    monkeypatch.setattr(why_not, "__defaults__", (f"http://127.0.0.1:{port}",))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("audit: the advisory data could not be had (")
    assert line.endswith("): the pins are not audited")
