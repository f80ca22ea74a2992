"""The files of a source, taken in one by one under limits: names, number, sizes, no archive within an archive.

A breach is a `CorpusError` for the whole source: an archive with such a member is not to be trusted. Which formats
there are, and why these limits, is in docs/sources.md.
"""

import re
from collections.abc import Callable, Mapping

from infra.errors import CorpusError
from tasks.corpus import SPLITS

Wanted = Callable[[str], bool]

MEMBERS = 20_000
"""Most members, folders included."""
MEMBER_BYTES = 8 * 2**20
"""Most bytes of a member, unless the caller says otherwise."""
TOTAL_BYTES = 512 * 2**20
"""Most bytes of all members."""
RATIO = 200
"""Most bytes that one compressed byte may become, over a whole archive and over each member."""
RATIO_FROM = 2**20
"""Bytes from which on the ratio is judged: a short file of blanks is no attack."""

_DRIVE = re.compile(r"[A-Za-z]:")
_ZIP, _GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
_ARCHIVE_STARTS = (*_ZIP, _GZIP, b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
_ARCHIVE_NAMES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst")
_TAR_MAGIC = slice(257, 262)


def any_file(name: str) -> bool:
    """Every file is wanted."""
    return True


def is_zip(data: bytes) -> bool:
    """Whether bytes begin as a .zip does."""
    return data.startswith(_ZIP)


def is_gzip(data: bytes) -> bool:
    """Whether bytes begin as a .gz does."""
    return data.startswith(_GZIP)


def is_tar(data: bytes) -> bool:
    """Whether bytes begin as a .tar does."""
    return data[_TAR_MAGIC] == b"ustar"


def is_archive(name: str, data: bytes) -> bool:
    """Whether a file is an archive or compressed, by its name or by its first bytes."""
    return name.lower().endswith(_ARCHIVE_NAMES) or data.startswith(_ARCHIVE_STARTS) or is_tar(data)


def is_hidden(name: str) -> bool:
    """Whether a part of the name begins with a dot, or it is what macOS puts beside the files of an archive.

    >>> is_hidden("train/.DS_Store"), is_hidden("__MACOSX/a.mid"), is_hidden("train/a.mid")
    (True, True, False)
    """
    parts = name.split("/")
    return parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)


class Members:
    """Files by name, with the limits kept.

    Args:
        source: the name of the source, for messages.
        largest: most bytes of a member.
        wanted: says of a name whether the file is read; the others are judged by what they are and not unpacked.
    """

    def __init__(self, source: str, largest: int, wanted: Wanted) -> None:
        self._source = source
        self._largest = largest
        self._wanted = wanted
        self._seen = 0
        self.total = 0
        """Bytes taken in so far."""
        self._names: set[str] = set()
        self._files: dict[str, bytes] = {}

    def breach(self, name: str, what: str) -> CorpusError:
        """The error for a member: what is wrong with it, and the mend."""
        return CorpusError(
            f"{self._source}: {name[:200]!r} {what}; nothing of it is read: take it out, or another source"
        )

    def count(self) -> None:
        """One more member, of whatever kind.

        Raises:
            CorpusError: there are too many.
        """
        self._seen += 1
        if self._seen > MEMBERS:
            raise CorpusError(f"{self._source}: over {MEMBERS:,} members; nothing of it is read: split it")

    def safe_name(self, name: str, folder: bool = False) -> str:
        """The name in its normal form, without `./`; that of a folder may be empty.

        Raises:
            CorpusError: it leads out of the archive, belongs to one kind of machine, or cannot be shown.
        """
        if not name.isprintable():
            raise self.breach(name, "has a name that cannot be printed")
        if name.startswith("/") or "\\" in name or _DRIVE.match(name):
            raise self.breach(name, "has an absolute name, a drive or a backslash in it")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts or not (parts or folder):
            raise self.breach(name, "has a name that leads out of the archive, or none")
        return "/".join(parts)

    def check_size(self, name: str, size: int) -> None:
        """Before and while a member is read: its size, and that of all with it.

        Raises:
            CorpusError: it is over a limit.
        """
        if size > self._largest:
            raise self.breach(name, f"is over the limit of {self._largest:,} bytes")
        if self.total + size > TOTAL_BYTES:
            raise CorpusError(f"{self._source}: over {TOTAL_BYTES:,} bytes in all; nothing of it is read: split it")

    def check_ratio(self, name: str, size: int, compressed: int) -> None:
        """While something is uncompressed: how much came out of so many compressed bytes.

        Raises:
            CorpusError: too much.
        """
        if size > RATIO_FROM and size > RATIO * compressed:
            raise self.breach(name, f"grows to over {RATIO} times its compressed size")

    def enter(self, name: str) -> str | None:
        """The normal name of a file that is to be read; None for a hidden one, or one that is not wanted.

        Raises:
            CorpusError: its name, or it is there twice.
        """
        name = self.safe_name(name)
        if name in self._names:
            raise self.breach(name, "is there twice")
        self._names.add(name)
        return None if is_hidden(name) or not self._wanted(name) else name

    def add(self, name: str, data: bytes) -> None:
        """Take in a file that was entered.

        Raises:
            CorpusError: its size, or that it is an archive itself.
        """
        self.check_size(name, len(data))
        if is_archive(name, data):
            raise self.breach(name, "is an archive within")
        self.total += len(data)
        self._files[name] = data

    def files(self) -> dict[str, bytes]:
        """The files sorted by name, without the folders that all of them share.

        Raises:
            CorpusError: there is none.
        """
        if not self._files:
            raise CorpusError(f"{self._source}: no file in it that is of use here; give another source")
        return dict(sorted(without_shared_folders(self._files).items()))


def without_shared_folders(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Names without the folders above all of them; those of a split stay.

    >>> list(without_shared_folders({"songs/train/a": b"", "songs/test/b": b""}))
    ['train/a', 'test/b']
    >>> list(without_shared_folders({"songs/train/a": b""}))
    ['train/a']
    """
    while True:
        first = {name.partition("/")[0] for name in files}
        if len(first) != 1 or first & set(SPLITS) or not all("/" in name for name in files):
            return files
        files = {name.partition("/")[2]: data for name, data in files.items()}
