"""Read a file over http(s), from any position on.

Why httpx and not fsspec's http file system: fsspec requests every block separately and without If-Range. If a file were
replaced meanwhile, it would join the halves of two files. It also hides that a server ignores Range.
"""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import httpx

from infra.errors import CorpusError
from tasks.ingest.sources.address import SourceAddress
from tasks.ingest.sources.body import Body, Held, Interrupted

_TIMEOUT = httpx.Timeout(30, connect=10)
_MOST_REDIRECTS = 5
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


@contextmanager
def open_http(address: SourceAddress, held: Held) -> Iterator[Body]:
    """The missing part of a file; see `open_remote`.

    Raises:
        CorpusError: the file does not exist, or cannot be reached or read.
    """
    try:
        url, auth = _without_credentials(address)
        with httpx.Client(
            timeout=_TIMEOUT, follow_redirects=True, max_redirects=_MOST_REDIRECTS, auth=auth, verify=_trusted()
        ) as client:
            for here in (held, Held()):
                with client.stream("GET", url, headers=_headers(here)) as answer:
                    body = _body(address, answer, here)
                    if body is not None:
                        yield body
                        return
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = type(error).__name__
        raise CorpusError(f"{address}: out of reach ({why}); check the address and the network") from error
    raise CorpusError(f"{address}: the server gives a part where all was asked for; take another address")


@cache
def _trusted() -> ssl.SSLContext:
    """The certificate authorities that httpx trusts; cached, since loading them takes longer than a small file."""
    return httpx.create_ssl_context()


def _without_credentials(address: SourceAddress) -> tuple[httpx.URL, tuple[str, str] | None]:
    # Credentials are taken out of the URL, since httpx logs the URL of every request.
    url = httpx.URL(address.location)
    auth = (url.username, url.password) if url.userinfo else None
    return url.copy_with(userinfo=b""), auth


def _headers(held: Held) -> dict[str, str]:
    # identity: a position in a compressed response is not a position in the file.
    headers = {"Accept-Encoding": "identity"}
    if held.complete:
        headers["If-None-Match" if held.version.startswith('"') else "If-Modified-Since"] = held.version
    elif held.size:
        headers |= {"Range": f"bytes={held.size}-", "If-Range": held.version}
    return headers


def _body(address: SourceAddress, answer: httpx.Response, held: Held) -> Body | None:
    """The server's response as a body; None if the whole file must be requested again."""
    if answer.status_code == 304 and held.complete:
        return Body(held.size, held.version, held.size)
    if answer.status_code == 206:
        # Checked here too: not every server knows If-Range.
        place = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if place is None or (int(place[1]), _version(answer)) != (held.size, held.version) or held.complete:
            return None
        total = int(place[2])
        return Body(held.size, held.version, total, _blocks(answer)) if held.total in (None, total) else None
    if answer.status_code == 416 and held.size:
        return None
    if answer.status_code != 200:
        raise CorpusError(f"{address}: {_why(answer.status_code)}")
    length = answer.headers.get("Content-Length", "")
    return Body(0, _version(answer), int(length) if length.isdecimal() else None, _blocks(answer))


def _version(answer: httpx.Response) -> str:
    # A weak ETag promises equivalent contents, not equal bytes.
    tag = str(answer.headers.get("ETag", ""))
    return tag if tag.startswith('"') else str(answer.headers.get("Last-Modified", ""))


def _why(status: int) -> str:
    if status in (404, 410):
        return f"there is no such file ({status}); check the address"
    if status in (401, 403):
        return f"the server refuses it ({status}); check the address and its name and password"
    if status >= 500 or status == 429:
        return f"the server cannot give it now ({status}); try again later"
    return f"the server does not give it ({status}); check the address"


def _blocks(answer: httpx.Response) -> Iterator[bytes]:
    # raw: a .tgz served with Content-Encoding gzip must not be uncompressed.
    try:
        yield from answer.iter_raw()
    except httpx.TransportError as error:
        raise Interrupted(type(error).__name__) from error
