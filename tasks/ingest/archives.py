"""A folder, a .zip, a .tar, a .tar.gz or a single file as `Mapping[str, bytes]`: names with folders, in memory.

Nothing is written to disk. What is what is told by the first bytes, not by the name. The limits are those of
`members.py`; sizes in headers are not trusted, and what is read is counted as it is read.

What this does not do: fetch (`fetch.py`), or look into the files.
"""

import os
import stat
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

from infra.errors import CorpusError
from tasks.ingest.address import parse_source
from tasks.ingest.download import Progress
from tasks.ingest.fetch import fetch, is_folder, read_local
from tasks.ingest.members import (
    MEMBER_BYTES,
    MEMBERS,
    TOTAL_BYTES,
    Members,
    Wanted,
    any_file,
    is_gzip,
    is_hidden,
    is_tar,
    is_zip,
)
from tasks.ingest.tar_members import read_tar

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
    progress: Progress | None = None,
) -> dict[str, bytes]:
    """The files at an address: of a local folder, of an archive wherever it is, or a single one.

    Args:
        address: as `fetch` takes it, or a local folder.
        sha256: what the file at the address must have; a folder has none.
        largest: most bytes of a file.
        wanted: says of a file's name, folders included, whether it is read.
        progress: see `fetch`.

    Returns:
        Contents by name, `train/205.mid`, sorted by name.

    Raises:
        CorpusError: it cannot be read, or is not to be trusted.
    """
    source = parse_source(address)
    if not is_folder(address):
        return unpack(source.name, fetch(address, sha256=sha256, progress=progress), largest, wanted)
    if sha256 is not None:
        raise CorpusError(f"{source}: a folder has no sha256; give the address of a file")
    return read_folder(Path(source.location), largest, wanted)


def unpack(name: str, data: bytes, largest: int = MEMBER_BYTES, wanted: Wanted = any_file) -> dict[str, bytes]:
    """The files of an archive, or the one file itself, sorted by name.

    Args:
        name: of the file, for messages and for a single file.
        data: its bytes.
        largest: most bytes of a member.
        wanted: says of a member's name whether it is read; the others are not unpacked.

    Raises:
        CorpusError: it is damaged, over a limit, or holds what no data set needs; see docs/sources.md.
    """
    members = Members(name, largest, wanted)
    if is_zip(data):
        _read_zip(name, data, members)
    elif is_gzip(data):
        content = _gunzip(name, data, members)
        if not is_tar(content):
            raise CorpusError(f"{name}: compressed, but no .tar.gz; uncompress it first")
        read_tar(name, content, members)
    elif is_tar(data):
        read_tar(name, data, members)
    elif members.enter(name) is not None:
        members.add(name, data)
    return members.files()


def read_folder(path: Path, largest: int = MEMBER_BYTES, wanted: Wanted = any_file) -> dict[str, bytes]:
    """The files of a folder and of those in it, sorted by name; hidden ones are left out.

    Args:
        path: the folder.
        largest: most bytes of a file.
        wanted: says of a file's name whether it is read.

    Raises:
        CorpusError: it cannot be read, is over a limit, holds a link that leads outside, a device or an archive.
    """
    members = Members(str(path), largest, wanted)
    for folder, folders, names in os.walk(path, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in [*folders, *sorted(name for name in names if not is_hidden(name))]:
            full = Path(folder, name)
            members.count()
            shown = str(full.relative_to(path))
            if full.is_symlink() and (name in folders or not _is_within(full, path)):
                raise members.breach(shown, "is a link to a folder or out of the source")
            if name not in folders and members.enter(shown) is not None:
                members.add(shown, read_local(full, largest))
    return members.files()


def _unreadable(error: OSError) -> None:
    raise CorpusError(f"{error.filename}: {error.strerror}; check the address") from error


def _is_within(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _read_zip(source: str, data: bytes, members: Members) -> None:
    # The reader makes an object of every entry before it can be stopped.
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
        raise CorpusError(f"{source}: a damaged .zip ({error}); fetch it again") from error


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, archive_bytes: int, members: Members) -> None:
    name = info.orig_filename
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise members.breach(name, "is a link, a device or a pipe")
    if name.endswith("/"):
        members.safe_name(name, folder=True)
        return
    entered = members.enter(name)
    if info.flag_bits & _ENCRYPTED:
        raise members.breach(name, "is encrypted")
    if info.compress_type not in _READABLE:
        raise members.breach(name, "is compressed by a method other than deflate")
    if entered is None:
        return
    blocks, size = [], 0
    with archive.open(info) as file:
        while block := file.read(_BLOCK):
            blocks.append(block)
            size += len(block)
            members.check_size(name, size)
            members.check_ratio(name, size, info.compress_size)
            # Entries may share their bytes, and may lie about them.
            members.check_ratio(name, members.total + size, archive_bytes)
    members.add(entered, b"".join(blocks))


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
