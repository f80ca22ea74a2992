"""A web server for tests on a free port of this machine, that gives parts, or does not, or breaks off."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """One file, and how it is served.

    Attributes:
        data: its bytes.
        tag: its ETag; empty for none.
        date: its Last-Modified; empty for none.
        parts: whether Range is understood.
        careless: whether If-Range is taken for true.
        cuts: after how many bytes each of the next answers breaks off.
        status: an error to answer with, 0 for none.
        pause: seconds that an answer takes.
        lengthless: whether the size is not said.
        asked: the Range of each request, empty where there was none.
        authorization: that of the last request.
    """

    data: bytes = b""
    tag: str = '"one"'
    date: str = ""
    parts: bool = True
    careless: bool = False
    cuts: list[int] = field(default_factory=list)
    status: int = 0
    pause: float = 0.0
    lengthless: bool = False
    asked: list[str] = field(default_factory=list)
    authorization: str = ""
    address: str = ""


@contextlib.contextmanager
def running_site(data: bytes) -> Iterator[Site]:
    """A server that gives this file at every path, but for `/moved`, which leads to it."""
    site = Site(data)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            site.asked.append(wanted)
            time.sleep(site.pause)
            site.authorization = self.headers.get("Authorization", "")
            if self.path == "/moved":
                return self.answer(302, b"", location=site.address)
            if site.status:
                return self.answer(site.status, b"")
            if site.tag and self.headers.get("If-None-Match") == site.tag:
                return self.answer(304, b"")
            same = self.headers.get("If-Range", site.tag or site.date) == (site.tag or site.date)
            if not (site.parts and wanted and (same or site.careless)):
                return self.answer(200, site.data)
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(site.data):
                return self.answer(416, b"")
            return self.answer(206, site.data[start:], f"bytes {start}-{len(site.data) - 1}/{len(site.data)}")

        def answer(self, status: int, body: bytes, place: str = "", location: str = "") -> None:
            self.send_response(status)
            headers = {"ETag": site.tag, "Last-Modified": site.date, "Content-Range": place, "Location": location}
            if not site.lengthless:
                headers["Content-Length"] = str(len(body))
            for name, value in headers.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: site.cuts.pop(0)] if site.cuts else body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        site.address = f"http://127.0.0.1:{listening.server_address[1]}/songs/a%20b.zip"
        yield site
        listening.shutdown()
        thread.join()
