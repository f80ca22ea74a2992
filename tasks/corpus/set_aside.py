"""What was set aside while a corpus was made, grouped by reason."""

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
    """The groups of a corpus's `source`, the largest first; equal ones in the order of their first names.

    Reasons that begin with the name of their file are grouped by what follows it. Names and reasons come from other
    people's files: what could not be seen in them is written out (`text.visible`).

    >>> by_reason({"quarantined": {"a.mid": "a.mid: no note", "b.mid": "b.mid: no note"}})
    (SetAside(reason='no note', names=('a.mid', 'b.mid')),)
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name, reason in source.get("quarantined", {}).items():
        groups[visible(first_line(str(reason).removeprefix(f"{name}: ")))].append(visible(name))
    told = (SetAside(reason, tuple(names)) for reason, names in groups.items())
    return tuple(sorted(told, key=lambda group: -len(group.names)))
