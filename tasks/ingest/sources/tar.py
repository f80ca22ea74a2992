"""Read the members of a .tar with the standard library, hardened against hostile archives.

A `TarInfo` subclass checks every header before `tarfile` acts on it. An archive with sparse files or other special
members is refused as a whole; a link, a device or a pipe is refused by itself. Headers that carry a long name (GNU `L`,
PAX `x` and `g`) are read here, as if they were small files. `tarfile` would search them with regular expressions that
take quadratic time on a hostile header (CVE-2024-6232), and would follow chains of them by recursion. It would also
take a damaged header in the middle for the end of the archive.
"""

import tarfile
from io import BytesIO
from typing import Self

from infra.errors import CorpusError
from tasks.ingest.sources.members import LINK, MEMBERS, NO_FILE, Members
from tasks.telling.wording import short

LONGEST_HEADER = 2**16
"""Largest size in bytes of a header that carries a long name."""
EXTENDED_BYTES = 2**24
"""Largest size in bytes of all such headers together, which bounds the time."""
_LONG_NAME, _PAX, _PAX_FOR_ALL = tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE
_EXTENDED = (_LONG_NAME, _PAX, _PAX_FOR_ALL)
_END = bytes(tarfile.BLOCKSIZE)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_LINKS = (tarfile.LNKTYPE, tarfile.SYMTYPE)
_DEVICES = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)


class _Header(tarfile.TarInfo):
    """A header of a file, a folder, a link or a device; every other type is hidden from `tarfile`, or refused."""

    extension = b""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if bytes(buf) == _END:  # tarfile recognises the end by the error that this raises
            return super().frombuf(buf, encoding, errors)
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            raise _Damaged(f"a damaged header, or no end: {error}") from error
        if header.size < 0:
            raise _Damaged("a size below zero")
        if header.type in _EXTENDED:
            header.extension, header.type = header.type, tarfile.REGTYPE
            header.name = header.name.rstrip("/")
        elif header.type not in (*_FILES, *_LINKS, *_DEVICES, tarfile.DIRTYPE):
            raise _Refused(header.name)
        return header


class _Damaged(Exception):
    """The data is not a .tar, or is truncated."""


class _Refused(Exception):
    """A sparse file or another special member."""


def read_tar(source: str, data: bytes, members: Members) -> None:
    """Add every file of a .tar to `members`.

    Args:
        source: name of the archive, for messages.
        data: its uncompressed bytes.
        members: collects the files, and enforces the limits.

    Raises:
        CorpusError: the archive is damaged, over a limit, or has special members.
    """
    try:
        with tarfile.open(fileobj=BytesIO(data), mode="r:", tarinfo=_Header, encoding="utf-8") as archive:
            _read_members(source, archive, members)
    except _Refused as error:
        raise members.breach(str(error), "is a sparse file, or of a form that is not read") from error
    except (_Damaged, tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise CorpusError(f"{source}: a damaged .tar ({short(error)}); fetch it again") from error


def _read_members(source: str, archive: tarfile.TarFile, members: Members) -> None:
    long_name = None
    headers = extended = 0
    while (header := archive.next()) is not None:
        headers += 1
        if headers > 3 * MEMBERS:
            raise CorpusError(f"{source}: over {3 * MEMBERS:,} headers; nothing of it is read: split it")
        name = long_name or header.name
        if isinstance(header, _Header) and header.extension:
            extended += header.size
            if header.size > LONGEST_HEADER or extended > EXTENDED_BYTES:
                raise members.breach(
                    name, f"has headers of over {LONGEST_HEADER:,} bytes, or {EXTENDED_BYTES:,} in all"
                )
            long_name = _long_name(header.extension, _content(archive, header)) or long_name
            continue
        long_name = None
        members.count()
        if header.type in _LINKS or header.type in _DEVICES:
            members.refuse(members.safe_name(name), LINK if header.type in _LINKS else NO_FILE)
        elif header.isdir():
            members.safe_name(name)
        elif (entered := members.enter(name, header.size)) is not None:
            members.check_size(header.size)
            members.add(entered, _content(archive, header))


def _content(archive: tarfile.TarFile, header: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(header)
    data = b"" if file is None else file.read()
    if len(data) != header.size:
        raise _Damaged("it ends within a file")
    return data


def _long_name(kind: bytes, data: bytes) -> str | None:
    """The name that an extended header gives to the next member; None if the header holds no name."""
    if kind == _LONG_NAME:
        return data.rstrip(b"\0").decode()
    name, place = None, 0
    while place < len(data):  # records `LENGTH KEY=VALUE\n`; LENGTH counts the whole record
        blank = data.find(b" ", place, place + len(str(LONGEST_HEADER)) + 1)
        length = data[place:blank] if blank > 0 else b""
        if not length.isdigit() or not len(length) < int(length) <= len(data) - place:
            raise _Damaged("an extended header of no known form")
        key, _, value = data[blank + 1 : place + int(length) - 1].partition(b"=")
        if kind == _PAX and key == b"path":
            name = value.decode()
        elif key in (b"size", b"path", b"linkpath") or key.startswith(b"GNU.sparse"):
            raise _Damaged(f"an extended header with {key.decode(errors='replace')!r}")
        place += int(length)
    return name
