"""Addresses of data: parsed as typed, and printed without secrets.

An address is a path, `file://PATH`, `http(s)://HOST/PATH` or `s3://BUCKET/KEY`. Credentials for S3 come only from the
standard AWS variables. An http address may hold a name and a password, or a token in its query; these are used, but
never shown.
"""

import os.path
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from infra.errors import CorpusError

_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|::)")
_ACCEPTED = "use a path, file://PATH, http(s)://HOST/PATH or s3://BUCKET/KEY"


@dataclass(frozen=True)
class SourceAddress:
    """The address of some data.

    Attributes:
        protocol: `file`, `http`, `https` or `s3`.
        location: an absolute path; the whole URL; or bucket and key.

    >>> parse_source("s3://bucket/music/songs.zip").name
    'songs.zip'
    """

    protocol: str
    location: str

    @property
    def name(self) -> str:
        """The last part of the path, `JSB Chorales.zip`."""
        path = unquote(urlsplit(self.location).path) if self.protocol.startswith("http") else self.location
        return path.rstrip("/").rpartition("/")[2] or "data"

    def __str__(self) -> str:
        """The address for messages: without user name, password, query and fragment."""
        if self.protocol == "file":
            return self.location
        if self.protocol == "s3":
            return f"s3://{self.location}"
        parts = urlsplit(self.location)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def parse_source(text: str) -> SourceAddress:
    """Parse an address as typed.

    Raises:
        CorpusError: the address is empty, its protocol is not supported, or an s3 address holds credentials. The
            message repeats no part that may be secret.

    >>> str(parse_source("https://me:hush@example.org/a.zip?token=hush"))
    'https://example.org/a.zip'
    """
    text = text.strip()
    match = _PROTOCOL.match(text)
    protocol, rest = (match[1].lower(), text[match.end() :]) if match else ("file", text)
    if protocol not in ("file", "http", "https", "s3"):
        raise CorpusError(f"data address: protocol {protocol!r} is not known; {_ACCEPTED}")
    if not rest.strip("/") and not (protocol == "file" and rest):
        raise CorpusError(f"data address: it is empty; {_ACCEPTED}")
    if not text.isprintable():
        raise CorpusError(f"data address: it holds a character that cannot be printed; {_ACCEPTED}")
    if protocol == "file":
        path = unquote(rest.removeprefix("localhost")) if match else rest
        return SourceAddress("file", os.path.abspath(os.path.expanduser(path)))
    if protocol == "s3":
        return SourceAddress("s3", _object(rest))
    return SourceAddress(protocol, _url(f"{protocol}://{rest}"))


def _object(rest: str) -> str:
    if "@" in rest or "?" in rest:
        raise CorpusError(
            "data address: s3:// with '@' or '?', which is how credentials look, is refused;"
            " set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL in the environment"
        )
    bucket, _, key = rest.partition("/")
    if not bucket or not key.strip("/"):
        raise CorpusError("data address: s3:// wants a bucket and the key of one object, s3://BUCKET/KEY")
    return f"{bucket}/{key}"


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise CorpusError("data address: it is not a URL with a host; use http(s)://HOST/PATH")
    return url
