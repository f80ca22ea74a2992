"""The bytes of one address: a local file, http(s) or S3; limited in size, and checked against a sha256.

What this does not do: open archives (`archives.py`), or know the addresses of data sets (`known.py`).
"""

import hashlib
import os
import stat
from pathlib import Path

from infra.errors import CorpusError
from tasks.ingest.sources.address import parse_source
from tasks.ingest.sources.body import DownloadProgress
from tasks.ingest.sources.download import download

LIMIT = 512 * 2**20
"""Largest size of the file at an address."""


def fetch(
    address: str, *, sha256: str | None = None, limit: int = LIMIT, progress: DownloadProgress | None = None
) -> bytes:
    """The bytes of a file.

    Args:
        address: a path, `file://PATH`, `http(s)://HOST/PATH` or `s3://BUCKET/KEY`.
        sha256: the checksum that the file must have, 64 hexadecimal digits; None for any.
        limit: most bytes in the file.
        progress: called with (bytes done, bytes in all); the latter is None if the server does not say. Remote files
            only.

    Raises:
        CorpusError: the file cannot be read, is too large, or has another sha256. One line, without secrets.
    """
    source = parse_source(address)
    wanted = None if sha256 is None else sha256.lower()
    if source.protocol != "file":
        return download(source, wanted, limit, progress or _silent)
    data = read_local(Path(source.location), limit)
    if wanted is not None and (found := hashlib.sha256(data).hexdigest()) != wanted:
        raise CorpusError(f"{source}: its sha256 is {found}, not {wanted}: damaged, or another file")
    return data


def read_local(path: Path, limit: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        CorpusError: it is not a regular file, is too large, or cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # reading from a pipe without a writer would never end
            what = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
            raise CorpusError(f"{path}: {what}; give the address of a file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}; check the address") from error
    if len(data) > limit:
        raise CorpusError(f"{path}: over the limit of {limit:,} bytes")
    return data


def is_folder(address: str) -> bool:
    """Whether an address is a local folder.

    Raises:
        CorpusError: the address is malformed.
    """
    source = parse_source(address)
    return source.protocol == "file" and os.path.isdir(source.location)


def _silent(done: int, total: int | None) -> None:
    """Report no progress."""
