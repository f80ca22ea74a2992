"""The files of a source that were not read, with reasons.

The list is part of a corpus's description, so it must be an input of the ingest, just like the files. Recipes get a
mapping from names to bytes. The list is one more entry of it, under a name that no file can have.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from infra.errors import CorpusError

UNREAD = "/unread.json"
"""Name of the entry with the list; no file of a source has a name that begins with a slash."""


@dataclass(frozen=True)
class Unread:
    """The files that were not read.

    Attributes:
        refused: the reason for each file that was wanted but could not be used: over a limit, a strange name.
        ignored: number of files that were not wanted, by ending.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.refused or self.ignored)


class Files(dict[str, bytes]):
    """Contents by name, sorted by name; the attribute `unread` lists the files that were not read."""

    unread: Unread = Unread()

    def as_inputs(self) -> dict[str, bytes]:
        """The files as inputs of a recipe, with one more entry for the unread files if there are any."""
        if not self.unread:
            return dict(self)
        return {**self, UNREAD: json.dumps(asdict(self.unread), sort_keys=True).encode()}

    def whole(self, source: str) -> dict[str, bytes]:
        """The files, for a source of which every wanted file is required.

        Raises:
            CorpusError: a wanted file was refused, or there is no file.
        """
        for name, what in self.unread.refused.items():
            raise CorpusError(f"{source}: {name[:200]!r}: {what}; fetch it again")
        if not self:
            raise CorpusError(f"{source}: no file in it that is of use here; give another source")
        return dict(self)


def split_unread(inputs: Mapping[str, bytes]) -> tuple[dict[str, bytes], Unread]:
    """The files among the inputs of a recipe, and the list of unread files.

    >>> split_unread({"a.mid": b""})
    ({'a.mid': b''}, Unread(refused={}, ignored={}))
    """
    files = {name: data for name, data in inputs.items() if name != UNREAD}
    return files, Unread(**json.loads(inputs[UNREAD])) if UNREAD in inputs else Unread()


def ending(name: str) -> str:
    """The ending of a file's name, in lower case; unwanted files are counted by it.

    >>> ending("a/Song.MXL"), ending("a.b/LICENSE"), ending("x.tar.gz")
    ('.mxl', 'without ending', '.gz')
    """
    stem, dot, last = name.rpartition("/")[2].rpartition(".")
    return f".{last.lower()[:20]}" if dot and stem and last else "without ending"


def told_of_ignored(ignored: Mapping[str, int], wanted: str) -> list[str]:
    """A sentence for the user about ignored files; none if there are none.

    >>> told_of_ignored({".mxl": 1, ".txt": 12}, "what ends in .mid or .midi")
    ['13 other files ignored (12 .txt, 1 .mxl): what ends in .mid or .midi is read']
    """
    if not ignored:
        return []
    count = sum(ignored.values())
    return [f"{count:,} other file{'' if count == 1 else 's'} ignored ({by_ending(ignored)}): {wanted} is read"]


def by_ending(ignored: Mapping[str, int], most: int = 6) -> str:
    """A text with the number of files of each ending, the most frequent first.

    >>> by_ending({".mxl": 1, ".txt": 12}), by_ending({".a": 2, ".b": 1, ".c": 1}, most=1)
    ('12 .txt, 1 .mxl', '2 .a, 2 others')
    """
    ranked = sorted(ignored.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{count:,} {what}" for what, count in ranked[:most]]
    others = sum(count for _, count in ranked[most:])
    if others:
        told.append(f"{others:,} other{'' if others == 1 else 's'}")
    return ", ".join(told)
