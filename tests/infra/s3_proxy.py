"""A proxy before the S3 server of `s3.py`: it keeps account of the requests, and answers some badly or not at all."""

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

SILENCE_SECONDS = 60.0


class Asked(NamedTuple):
    """A request, and how it was answered.

    Attributes:
        method: `GET`; `LIST` for one of a listing.
        key: of the object, without the bucket; of a listing what all that it names begins with.
        status: 0 where there was no answer.
    """

    method: str
    key: str
    status: int


@dataclass
class LossyProxy:
    """Passes requests on, except for the next few.

    Attributes:
        endpoint: where it listens.
        lose: so many successful PUTs are done, and get no answer. The client cannot know; its second try is
            told 412.
        cut: so many GETs get half of their body.
        damaged: so many GETs have a checksum that is not that of their body.
        conflict: so many PUTs are not done, and are told 409: try again.
        refused: the next requests, whatever they are, are told these: status and code.
        reset: so many requests find their connection reset.
        silent: so many requests are taken, and never answered.
        refusal: what every request is told instead: status, code, further elements and headers; None for nothing.
        refuse_after: so many requests are passed on before that.
        stormy: of so many requests in turn one is told 503 and one finds its connection reset; 0 for none.
        requests: what was asked for.
        statuses: what the server said to each PUT.
    """

    endpoint: str = ""
    lose: int = 0
    cut: int = 0
    damaged: int = 0
    conflict: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    reset: int = 0
    silent: int = 0
    refusal: tuple[int, str, str, dict[str, str]] | None = None
    refuse_after: int = 0
    stormy: int = 0
    requests: list[Asked] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: LossyProxy
    server_netloc: str
    ended: threading.Event

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = self.proxy
        if proxy.stormy and len(proxy.requests) % proxy.stormy == 0:
            proxy.refused.append((503, "SlowDown"))
        if proxy.stormy and len(proxy.requests) % proxy.stormy == proxy.stormy // 2:
            proxy.reset += 1
        if proxy.refusal is not None and proxy.refuse_after:
            proxy.refuse_after -= 1
        elif proxy.refusal is not None:
            status, code, more, headers = proxy.refusal
            return self._answer(status, f"<Error><Code>{code}</Code>{more}</Error>".encode(), headers)
        if proxy.reset:
            proxy.reset -= 1
            return self._break_off()
        if proxy.silent:
            proxy.silent -= 1
            self._note(0)
            self.ended.wait(SILENCE_SECONDS)
            self.close_connection = True
            return None
        if proxy.refused:
            status, code = proxy.refused.pop(0)
            return self._answer(status, f"<Error><Code>{code}</Code></Error>".encode(), {})
        if self.command == "PUT" and proxy.conflict:
            proxy.conflict -= 1
            return self._answer(409, b"<Error><Code>ConditionalRequestConflict</Code></Error>", {})
        try:
            status, headers, data = self._asked_upstream(body)
        except (OSError, http.client.HTTPException):  # the server is not there, or goes away
            return self._break_off()
        if self.command == "PUT":
            proxy.statuses.append(status)
            if proxy.lose and status == 200:
                proxy.lose -= 1
                return self._break_off()
        if self.command == "GET" and status in (200, 206) and proxy.damaged:
            proxy.damaged -= 1
            headers = {n: v for n, v in headers.items() if not n.lower().startswith("x-amz-checksum")}
            headers["x-amz-checksum-crc32"] = "AAAAAA=="
        return self._answer(status, data, headers)

    def _asked_upstream(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        with contextlib.closing(http.client.HTTPConnection(self.server_netloc, timeout=60)) as upstream:
            # The headers as they are: the signature covers them.
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "expect":
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def _answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self._note(status)
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.command == "GET" and status in (200, 206) and self.proxy.cut:
            self.proxy.cut -= 1
            data = data[: len(data) // 2]
            self.close_connection = True
        self.wfile.write(data)

    def _break_off(self) -> None:
        """End the connection with a reset, and without an answer."""
        self._note(0)
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _note(self, status: int) -> None:
        parts = urlsplit(self.path)
        key = unquote(parts.path).lstrip("/").partition("/")[2]
        asked = parse_qs(parts.query)
        listing = self.command == "GET" and "list-type" in asked
        prefix = "".join(asked.get("prefix", [])) if listing else key
        self.proxy.requests.append(Asked("LIST" if listing else self.command, prefix, status))

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = pass_on

    def log_message(self, *arguments: object) -> None:
        pass


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone, or killed, is no news."""


@contextlib.contextmanager
def lossy_proxy(server: str) -> Iterator[LossyProxy]:
    """A proxy before the S3 server at this endpoint."""
    proxy, ended = LossyProxy(), threading.Event()
    its = {"proxy": proxy, "server_netloc": urlsplit(server).netloc, "ended": ended}
    with _Listening(("127.0.0.1", 0), type("Handler", (_Handler,), its)) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        proxy.endpoint = f"http://127.0.0.1:{listening.server_address[1]}"
        try:
            yield proxy
        finally:
            ended.set()
            listening.shutdown()
            thread.join()
