"""Addresses of stores: parsed as typed, and normalised, without secrets.

An address is a path, `file://PATH`, `s3://BUCKET/PREFIX` or `memory://NAME`. An address that may contain a secret is
refused, and is not repeated in the error.
"""

import os.path
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from infra.errors import StoreError

_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|::)")
_LOOKS_LIKE_PROTOCOL = re.compile(r"(?:s3a?|file|memory):", re.IGNORECASE)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+=-]*")
_ACCEPTED = "use a path, file://PATH, s3://BUCKET/PREFIX or memory://NAME"


@dataclass(frozen=True)
class Address:
    """The address of a store.

    Attributes:
        protocol: `file`, `s3` or `memory`.
        path: an absolute directory; a bucket with a prefix; or a name. No slash at the end.

    >>> str(parse_address("s3://bucket//runs/")), str(parse_address("/srv/my runs"))
    ('s3://bucket/runs', 'file:///srv/my%20runs')
    """

    protocol: str
    path: str

    def __str__(self) -> str:
        return Path(self.path).as_uri() if self.protocol == "file" else f"{self.protocol}://{self.path}"


def parse_address(text: str) -> Address:
    """Parse and normalise an address as typed.

    A relative path and `~` become absolute, so that the address means the same in every worker process.

    Raises:
        StoreError: the address is empty, its protocol is not supported, or it holds credentials.
    """
    text = text.strip()
    match = _PROTOCOL.match(text)
    protocol, rest = (match[1].lower(), text[match.end() :]) if match else ("file", text)
    if protocol not in ("file", "s3", "memory"):
        # The rest is not repeated: it may be https://user:password@host.
        raise StoreError(f"store address: protocol {protocol!r} is not known; {_ACCEPTED}")
    if not match and _LOOKS_LIKE_PROTOCOL.match(text):
        raise StoreError(f"store address: '//' is missing after {text.split(':')[0]!r}; {_ACCEPTED}")
    if not rest.strip("/") and not (protocol == "file" and rest):
        raise StoreError(f"store address: it is empty; {_ACCEPTED}")
    if protocol == "file":
        # A URL is percent-encoded, a path is not.
        return Address(
            "file", _directory(unquote(rest.removeprefix("localhost"), errors="surrogateescape") if match else rest)
        )
    return Address(protocol, _keys(protocol, rest))


def valid_path(path: str) -> bool:
    """Whether every segment of a path consists of letters, digits and `._+=-`, and does not start with a dot.

    >>> valid_path("trials/1a2b"), valid_path("../elsewhere"), valid_path("a//b")
    (True, False, False)
    """
    return all(_SEGMENT.fullmatch(segment) for segment in path.split("/"))


def _directory(rest: str) -> str:
    if not rest.isprintable():
        raise StoreError(f"store address: {rest!r} holds a character that cannot be printed")
    return os.path.abspath(os.path.expanduser(rest))


def _keys(protocol: str, rest: str) -> str:
    if "@" in rest or ":" in rest or "?" in rest:
        raise StoreError(
            f"store address: {protocol}:// with '@', ':' or '?', which is how credentials look, is refused;"
            " set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL in the environment"
        )
    path = "/".join(segment for segment in rest.split("/") if segment)
    bucket = path.split("/")[0]
    if protocol == "s3" and not _BUCKET.fullmatch(bucket):
        raise StoreError(f"store address: {bucket!r} cannot be the name of an S3 bucket")
    if not valid_path(path):
        raise StoreError(f"store address: {path!r} is not made of letters, digits, '._+=-' and '/' alone")
    return path
