"""What of a source was not read, and why: it is told of a corpus, and so it is an input of its ingest like the files.

Recipes get names and bytes. What was not read goes with them as one entry more, under a name that no file can have.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from infra.errors import CorpusError

UNREAD = "/unread.json"
"""The name of that entry: no file of a source has a name that begins with a slash."""


@dataclass(frozen=True)
class Unread:
    """What was not read.

    Attributes:
        refused: why, by the names of files that were wanted and could not be had: over a limit, a strange name.
        ignored: how many files were not wanted, by their ending.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.refused or self.ignored)


class Files(dict[str, bytes]):
    """Contents by name, sorted by name, and beside them in `unread` what was not read."""

    unread: Unread = Unread()

    def as_inputs(self) -> dict[str, bytes]:
        """The files as inputs of a recipe, with what was not read as one more where there is such."""
        if not self.unread:
            return dict(self)
        return {**self, UNREAD: json.dumps(asdict(self.unread), sort_keys=True).encode()}

    def whole(self, source: str) -> dict[str, bytes]:
        """The files, of a source of which all that is wanted must be had.

        Raises:
            CorpusError: one of them was refused, or there is none.
        """
        for name, what in self.unread.refused.items():
            raise CorpusError(f"{source}: {name[:200]!r}: {what}; fetch it again")
        if not self:
            raise CorpusError(f"{source}: no file in it that is of use here; give another source")
        return dict(self)


def split_unread(inputs: Mapping[str, bytes]) -> tuple[dict[str, bytes], Unread]:
    """The files among the inputs of a recipe, and what was not read.

    >>> split_unread({"a.mid": b""})
    ({'a.mid': b''}, Unread(refused={}, ignored={}))
    """
    files = {name: data for name, data in inputs.items() if name != UNREAD}
    return files, Unread(**json.loads(inputs[UNREAD])) if UNREAD in inputs else Unread()


def ending(name: str) -> str:
    """The ending of a file's name, by which those that are not wanted are counted.

    >>> ending("a/Song.MXL"), ending("a.b/LICENSE"), ending("x.tar.gz")
    ('.mxl', 'without ending', '.gz')
    """
    stem, dot, last = name.rpartition("/")[2].rpartition(".")
    return f".{last.lower()[:20]}" if dot and stem and last else "without ending"


def told_of_ignored(ignored: Mapping[str, int], wanted: str) -> list[str]:
    """A sentence where there is something to tell.

    >>> told_of_ignored({".mxl": 1, ".txt": 12}, "what ends in .mid or .midi")
    ['13 other files ignored (12 .txt, 1 .mxl): what ends in .mid or .midi is read']
    """
    if not ignored:
        return []
    count = sum(ignored.values())
    return [f"{count:,} other file{'' if count == 1 else 's'} ignored ({by_ending(ignored)}): {wanted} is read"]


def by_ending(ignored: Mapping[str, int], most: int = 6) -> str:
    """How many files have which ending, the most frequent first.

    >>> by_ending({".mxl": 1, ".txt": 12}), by_ending({".a": 2, ".b": 1, ".c": 1}, most=1)
    ('12 .txt, 1 .mxl', '2 .a, 2 others')
    """
    ranked = sorted(ignored.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{count:,} {what}" for what, count in ranked[:most]]
    others = sum(count for _, count in ranked[most:])
    if others:
        told.append(f"{others:,} other{'' if others == 1 else 's'}")
    return ", ".join(told)
