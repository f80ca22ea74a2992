"""Read a folder, a .zip, a .tar, a .tar.gz or a single file into memory, as `Mapping[str, bytes]`: contents by name.

Nothing is written to disk. The format is recognised by the first bytes, not by the file name. The limits are those of
`members.py`. Sizes in headers are not trusted; bytes are counted while they are read.

What this does not do: download (`fetch.py`), or interpret the files.
"""

import os
import stat
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import NoReturn

from infra.errors import CorpusError
from tasks.ingest.sources.address import parse_source
from tasks.ingest.sources.body import DownloadProgress
from tasks.ingest.sources.fetch import fetch, is_folder, read_local
from tasks.ingest.sources.members import (
    LINK,
    MEMBER_BYTES,
    MEMBERS,
    NO_FILE,
    TOTAL_BYTES,
    Members,
    Wanted,
    any_file,
    is_archive,
    is_gzip,
    is_hidden,
    is_tar,
    is_zip,
)
from tasks.ingest.sources.tar import read_tar
from tasks.ingest.sources.unread import Files
from tasks.telling.wording import short

_BLOCK = 2**16
_CENTRAL_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1 | 0x40
_HEADERS_BYTES = 1536 * MEMBERS  # of a .tar: a header, a long name, padding
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others uncompress without a bound


def read_source(
    address: str,
    *,
    sha256: str | None = None,
    largest: int = MEMBER_BYTES,
    wanted: Wanted = any_file,
    progress: DownloadProgress | None = None,
) -> Files:
    """The files at an address: those of a local folder or of an archive, or a single file.

    Args:
        address: as for `fetch`, or a local folder.
        sha256: the checksum that the file at the address must have; not allowed for a folder.
        largest: most bytes in a file.
        wanted: predicate on a file's name, folders included; files that fail it are not read.
        progress: see `fetch`.

    Returns:
        Contents by name (`train/205.mid`), sorted by name, with the list of unread files.

    Raises:
        CorpusError: the source cannot be read, or looks hostile.
    """
    source = parse_source(address)
    if not is_folder(address):
        return unpack(source.name, fetch(address, sha256=sha256, progress=progress), largest, wanted)
    if sha256 is not None:
        raise CorpusError(f"{source}: a folder has no sha256; give the address of a file")
    return read_folder(Path(source.location), largest, wanted)


def unpack(name: str, data: bytes, largest: int = MEMBER_BYTES, wanted: Wanted = any_file) -> Files:
    """The files of an archive, or the single file itself, sorted by name, with the list of unread files.

    Args:
        name: of the archive, for messages; or of the single file.
        data: its bytes.
        largest: most bytes in a member.
        wanted: predicate on a member's name; members that fail it are not unpacked.

    Raises:
        CorpusError: the archive is damaged, over a limit, in an unsupported format, or looks hostile; see
            docs/sources.md.
    """
    members = Members(name, largest, wanted)
    if is_zip(data):
        _read_zip(name, data, members)
    elif is_gzip(data):
        content = _gunzip(name, data, members)
        if not is_tar(content):
            raise CorpusError(f"{name}: a compressed file, and no .tar.gz; uncompress it first")
        read_tar(name, content, members)
    elif is_tar(data):
        read_tar(name, data, members)
    elif is_archive(name, data):
        raise CorpusError(f"{name}: of archives .zip, .tar and .tar.gz are read, and this is another; unpack it first")
    elif (entered := members.enter(name, len(data))) is not None:
        members.add(entered, data)
    return members.files()


def read_folder(path: Path, largest: int = MEMBER_BYTES, wanted: Wanted = any_file) -> Files:
    """The files of a folder and its subfolders, sorted by name, without hidden files.

    Args:
        path: the folder.
        largest: most bytes in a file.
        wanted: predicate on a file's name; files that fail it are not read.

    Raises:
        CorpusError: the folder cannot be read, or is over a limit as a whole.
    """
    members = Members(str(path), largest, wanted, packed=False)
    for folder, folders, names in os.walk(path, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for _ in links:
            members.ignore("links to folders")
        for name in sorted(name for name in names if not is_hidden(name)):
            _read_file(Path(folder, name), path, largest, members)
    return members.files()


def _read_file(full: Path, path: Path, largest: int, members: Members) -> None:
    name = full.relative_to(path).as_posix()
    try:
        found = full.stat()
    except OSError as error:
        if not full.is_symlink():
            _unreadable(error)
        members.refuse(name, LINK)
        return
    if full.is_symlink() and not _is_within(full, path):
        members.refuse(name, LINK)
    elif not stat.S_ISREG(found.st_mode):
        members.refuse(name, NO_FILE)
    elif (entered := members.enter(name, found.st_size)) is not None:
        members.count()
        members.add(entered, read_local(full, largest))


def _unreadable(error: OSError) -> NoReturn:
    raise CorpusError(f"{error.filename}: {error.strerror}; check the address") from error


def _is_within(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _read_zip(source: str, data: bytes, members: Members) -> None:
    # Counted before opening, since `ZipFile` makes an object for every entry at once.
    if data.count(_CENTRAL_ENTRY) > MEMBERS:
        raise CorpusError(f"{source}: over {MEMBERS:,} members; nothing of it is read: split it")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for info in archive.infolist():
                members.count()
                _read_member(archive, info, len(data), members)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        OverflowError,
        NotImplementedError,
        struct.error,
    ) as error:
        raise CorpusError(f"{source}: a damaged .zip ({short(error)}); fetch it again") from error


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, archive_bytes: int, members: Members) -> None:
    name = members.safe_name(info.orig_filename)
    if info.orig_filename.endswith("/"):
        return
    if (odd := _odd(info)) is not None:
        members.refuse(name, odd)
        return
    if (entered := members.enter(name, info.file_size)) is None:
        return
    blocks, size = [], 0
    with archive.open(info) as file:
        while block := file.read(_BLOCK):
            blocks.append(block)
            size += len(block)
            members.check_size(size)
            members.check_ratio(name, size, info.compress_size)
            # Judged against the whole archive too: entries may overlap, and their declared sizes may be false.
            members.check_ratio(name, members.total + size, archive_bytes)
    members.add(entered, b"".join(blocks))


def _odd(info: zipfile.ZipInfo) -> str | None:
    """The reason why a member must not be read, whatever its name; None if it may be."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return LINK if kind == stat.S_IFLNK else NO_FILE
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    return None if info.compress_type in _READABLE else "compressed by a method other than deflate"


def _gunzip(source: str, data: bytes, members: Members) -> bytes:
    engine, content, place = zlib.decompressobj(wbits=31), bytearray(), 0
    try:
        while not engine.eof:
            given = engine.unconsumed_tail
            if not given:
                given = data[place : place + _BLOCK]
                place += len(given)
            block = engine.decompress(given, _BLOCK)
            if not given and not block:
                raise CorpusError(f"{source}: it ends too early; fetch it again")
            content += block
            members.check_ratio(source, len(content), place)
            if len(content) > TOTAL_BYTES + _HEADERS_BYTES:
                raise CorpusError(f"{source}: over {TOTAL_BYTES:,} bytes in all; nothing of it is read: split it")
    except zlib.error as error:
        raise CorpusError(f"{source}: a damaged .gz ({error}); fetch it again") from error
    if (engine.unused_data + data[place:]).strip(b"\0"):
        raise CorpusError(f"{source}: something follows its end; fetch it again, or pack it as one .tar.gz")
    return bytes(content)
