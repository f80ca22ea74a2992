"""The files that were set aside while a corpus was made, grouped by reason."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.telling.wording import first_line, visible


@dataclass(frozen=True)
class SetAside:
    """The files, or parts of files, that were set aside for one reason."""

    reason: str
    names: tuple[str, ...]


def by_reason(source: Mapping[str, Any]) -> tuple[SetAside, ...]:
    """The groups of a corpus's `source`, the largest first; groups of equal size keep the order of the source.

    A file name at the start of a reason is dropped before grouping. Names and reasons come from foreign files, so their
    invisible characters are escaped (`visible`).

    >>> by_reason({"quarantined": {"a.mid": "a.mid: no note", "b.mid": "b.mid: no note"}})
    (SetAside(reason='no note', names=('a.mid', 'b.mid')),)
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name, reason in source.get("quarantined", {}).items():
        groups[visible(first_line(str(reason).removeprefix(f"{name}: ")))].append(visible(name))
    unordered = (SetAside(reason, tuple(names)) for reason, names in groups.items())
    return tuple(sorted(unordered, key=lambda group: -len(group.names)))
