"""Collect the files of a source one by one, under limits on names, number and sizes, without nested archives.

A file that cannot be used is refused by itself, with its reason: a strange name, a link, a size over the limit, a
nested archive. A sign of an attack, such as a path out of the archive or a decompression bomb, is a `CorpusError` for
the whole source. The supported formats and the reasons for the limits are in docs/sources.md.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

from infra.errors import CorpusError
from tasks.ingest.sources.split_names import folder_split
from tasks.ingest.sources.unread import Files, Unread, ending

Wanted = Callable[[str], bool]

MEMBERS = 20_000
"""Largest number of members, folders included."""
MEMBER_BYTES = 8 * 2**20
"""Largest size of a member in bytes, unless the caller gives another."""
TOTAL_BYTES = 512 * 2**20
"""Largest size of all members together, in bytes."""
RATIO = 200
"""Largest ratio of uncompressed to compressed bytes, for the whole archive and for each member."""
RATIO_FROM = 2**20
"""Uncompressed bytes above which the ratio is checked: a short file of blanks is no attack."""

LINK = "is a link that is not followed: it leads to a folder, out of the source or nowhere"
NO_FILE = "is a device or a pipe, no file"
# Unicode categories not allowed in a name: control characters, surrogates, separators of lines and paragraphs.
_NO_NAME = frozenset(("Cc", "Cs", "Zl", "Zp"))
_DRIVE = re.compile(r"[A-Za-z]:")
_ZIP, _GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
_ARCHIVE_STARTS = (*_ZIP, _GZIP, b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
_ARCHIVE_NAMES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst")
_TAR_MAGIC = slice(257, 262)


def any_file(name: str) -> bool:
    """A predicate that wants every file."""
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
    """Whether a part of the name begins with a dot, or the file is in the folder that macOS adds to archives.

    >>> is_hidden("train/.DS_Store"), is_hidden("__MACOSX/a.mid"), is_hidden("train/a.mid")
    (True, True, False)
    """
    parts = name.split("/")
    return parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)


class Members:
    """The files of a source by name, collected within the limits.

    Args:
        source: name of the source, for messages.
        largest: most bytes in a member.
        wanted: predicate on a name; files that fail it are not unpacked, only counted by ending.
        packed: whether the source is an archive, whose names can be hostile; in a folder they are only odd.
    """

    def __init__(self, source: str, largest: int, wanted: Wanted, packed: bool = True) -> None:
        self._source = source
        self._largest = largest
        self._wanted = wanted
        self._packed = packed
        self._seen = 0
        self.total = 0
        """Number of bytes collected so far."""
        self._names: set[str] = set()
        self._files: dict[str, bytes] = {}
        self._refused: dict[str, str] = {}
        self._ignored: Counter[str] = Counter()

    def breach(self, name: str, what: str) -> CorpusError:
        """The error for a member that looks hostile: what is wrong with it, and the mend."""
        return CorpusError(
            f"{self._source}: {name[:200]!r} {what}; nothing of it is read: take it out, or another source"
        )

    def count(self) -> None:
        """Count one more member, of any kind.

        Raises:
            CorpusError: there are too many members.
        """
        self._seen += 1
        if self._seen > MEMBERS:
            raise CorpusError(f"{self._source}: over {MEMBERS:,} members; nothing of it is read: split it")

    def safe_name(self, name: str) -> str:
        """The normalised name, without `./` parts; empty for the root folder.

        Raises:
            CorpusError: the name leads out of the archive.
        """
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if self._packed and (name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name)):
            raise self.breach(name, "has a name that leads out of the archive, or is absolute")
        return "/".join(parts)

    def refuse(self, name: str, what: str) -> None:
        """Leave a file out. A wanted file is listed with the reason, any other is only counted."""
        if not self._wanted(name):
            self._ignored[ending(name)] += 1
        elif not is_hidden(name):
            self._refused[shown(name)] = what

    def ignore(self, what: str) -> None:
        """Count an entry that is not a usable file."""
        self._ignored[what] += 1

    def enter(self, name: str, size: int) -> str | None:
        """The normalised name of a file to read; None for a file that is hidden, not wanted, or refused.

        Args:
            name: in the source.
            size: of the contents in bytes, as declared before they are read.

        Raises:
            CorpusError: the name leads out of an archive, or occurs twice.
        """
        name = self.safe_name(name)
        if name in self._names:
            raise self.breach(name, "is there twice")
        self._names.add(name)
        if not name or is_hidden(name):
            return None
        wrong = self._wrong(name, size)
        if wrong or not self._wanted(name):
            self.refuse(name, wrong)
            return None
        return name

    def _wrong(self, name: str, size: int) -> str:
        """The reason why a file must be refused; "" if it need not be."""
        if any(unicodedata.category(sign) in _NO_NAME for sign in name):
            return "its name has a control character, or bytes that are no text"
        if self._packed and ("\\" in name or _DRIVE.match(name)):
            return "its name has a backslash in it, or begins like a drive"
        return f"over the limit of {self._largest:,} bytes" if size > self._largest else ""

    def check_size(self, size: int) -> None:
        """Check the total size, before and while a member is read.

        Args:
            size: bytes of the member so far.

        Raises:
            CorpusError: all members together are over the limit.
        """
        if self.total + size > TOTAL_BYTES:
            raise CorpusError(f"{self._source}: over {TOTAL_BYTES:,} bytes in all; nothing of it is read: split it")

    def check_ratio(self, name: str, size: int, compressed: int) -> None:
        """Check the compression ratio, while data is uncompressed.

        Args:
            name: for the message.
            size: uncompressed bytes so far.
            compressed: the compressed bytes that they came from.

        Raises:
            CorpusError: the ratio is over the limit.
        """
        if size > RATIO_FROM and size > RATIO * compressed:
            raise self.breach(name, f"grows to over {RATIO} times its compressed size")

    def add(self, name: str, data: bytes) -> None:
        """Add the contents of a file that `enter` accepted, unless it is an archive itself.

        Raises:
            CorpusError: all members together are over the size limit.
        """
        self.check_size(len(data))
        if is_archive(name, data):
            self.refuse(name, "an archive or compressed, which is not unpacked within another source")
            return
        self.total += len(data)
        self._files[name] = data

    def files(self) -> Files:
        """The files sorted by name, without the folders that all names share, with the list of unread files.

        Raises:
            CorpusError: the source is empty.
        """
        if not (self._files or self._refused or self._ignored):
            raise CorpusError(f"{self._source}: no file in it that is of use here; give another source")
        above = shared_folders([*self._files, *self._refused])
        files = Files(sorted((name[above:], data) for name, data in self._files.items()))
        refused = {name[above:]: what for name, what in sorted(self._refused.items())}
        files.unread = Unread(refused, dict(sorted(self._ignored.items())))
        return files


def shown(name: str) -> str:
    r"""A printable form of a name, which JSON can hold, whatever its bytes are.

    >>> shown("a\udcff.mid")
    'a\\udcff.mid'
    """
    return name.encode("utf-8", "backslashreplace").decode()


def shared_folders(names: Iterable[str]) -> int:
    """Length of the path that all names share, up to its last slash; it ends before a folder that names a split.

    >>> shared_folders(["songs/Train/a", "songs/test/b"]), shared_folders(["songs/train/a"]), shared_folders(["a"])
    (6, 6, 0)
    """
    folders = [name.split("/")[:-1] for name in names]
    shared = 0
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1 or folder_split(parts[0]) is not None:
            break
        shared += len(parts[0]) + 1
    return shared
