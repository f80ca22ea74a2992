"""How many files may be set aside before a corpus is refused, and the error that names them.

A file that cannot be used is set aside. One file may always be; a corpus that lacks many of its files would be a
different corpus, and is made only if the user asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from infra.errors import CorpusError
from tasks.corpus.set_aside import by_reason
from tasks.telling.wording import first_line

MOST_LOST = 0.05
"""Largest share of the files that may be set aside, unless the user gives another; one file always may."""
_MOST_NAMES, _LONGEST = 20, 200


@dataclass(frozen=True)
class Selection:
    """The user's choices for a set of own files.

    Attributes:
        most_lost: the share of the files that may be set aside, 0..1; None for `MOST_LOST`.
        by_content: split by content, and ignore splits that the file names give.
    """

    most_lost: float | None = None
    by_content: bool = False


NO_WISHES = Selection()


def check_lost(
    name: str, what: str, count: int, quarantined: Mapping[str, str], most_lost: float | None, own: bool = True
) -> None:
    """Refuse a corpus that lost too many files.

    Args:
        name: of the corpus.
        what: the kind of files, in the plural: `MIDI files`.
        count: number of all files.
        quarantined: the reason for each lost file, by its name.
        most_lost: see `Selection`.
        own: whether these are a user's own files; the user may then allow more to be lost.

    Raises:
        CorpusError: too many files are lost, or all of them. It names them by reason, and says how to go on.
    """
    lost, most = len(quarantined), MOST_LOST if most_lost is None else most_lost
    if lost < count and lost <= max(1, most * count):
        return
    groups, names = [], _MOST_NAMES
    for group in by_reason({"quarantined": quarantined}):
        shown, names = group.names[: max(names, 1)], names - len(group.names)
        more = len(group.names) - len(shown)
        told = ", ".join(first_line(file, _LONGEST) for file in shown) + (f" and {more:,} more" if more else "")
        groups.append(f"{told}: {first_line(group.reason, _LONGEST)}")
    of = f"{lost:,} of {count:,} {what} cannot be used" if lost < count else f"none of {count:,} {what} can be used"
    raise CorpusError(f"{name}: {of}. {'; '.join(groups)}. {_way_on(lost, count, most, own)}")


def _way_on(lost: int, count: int, most: float, own: bool) -> str:
    if lost == count:
        return "Give others, or do what the reasons say"
    if not own:
        return f"Over {most:.0%} are too many for this set: fetch it again"
    share = ceil(100 * lost / count) / 100
    return f"Over {most:.0%} are too many: take them out, or go on without them by --most-lost {share:g}"
