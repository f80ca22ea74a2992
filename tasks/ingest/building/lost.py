"""How many files may be lost before a corpus is refused, and the line that names them all.

A file that cannot be used is set aside, and one always may be; but a corpus that lacks many of its files is another
one, which is made only where a user says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from infra.errors import CorpusError
from tasks.corpus.set_aside import by_reason
from tasks.telling.wording import first_line

MOST_LOST = 0.05
"""Most files that may be set aside, of all, unless a user says another share; one always may."""
_MOST_NAMES, _LONGEST = 20, 200


@dataclass(frozen=True)
class Selection:
    """What a user says of his own files as a whole.

    Attributes:
        most_lost: the share of the files that may be set aside; None for `MOST_LOST`.
        by_content: split by content, whatever the names say.
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
        what: the files are, `MIDI files`.
        count: of all of them.
        quarantined: reasons by the names of those that are lost.
        most_lost: see `Selection`.
        own: whether the files are a user's own, who may go on without those.

    Raises:
        CorpusError: more are lost than may be, or all; it names them by their reasons, and the way on.
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
