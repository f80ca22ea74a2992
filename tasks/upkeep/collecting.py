"""The command `gc`: leftovers of killed writers and, on request, old reports and outdated trials, in one answer.

What this does not do: find any of them (`leftovers.py`, `retention.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from infra.machine.answer import Answer
from infra.store import Store
from tasks.upkeep.leftovers import Leftover, leftovers, remove
from tasks.upkeep.retention import Dispensable, Rule, old_reports, outdated_trials, withdraw_all


@dataclass(frozen=True)
class Collected(Answer):
    """The objects that may be removed.

    Attributes:
        left: leftovers of killed writers.
        old: old reports and outdated trials.
        removed: number of removed files; None if they were only listed.
    """

    schema: ClassVar[str] = "gc"
    left: Sequence[Leftover]
    old: Sequence[Dispensable]
    removed: int | None

    @property
    def files(self) -> int:
        """Number of files in all."""
        return sum(len(each.objects) for each in self.left) + sum(each.files for each in self.old)

    @property
    def size(self) -> int:
        """Number of bytes in all."""
        return sum(each.size for each in self.left) + sum(each.size for each in self.old)

    def __str__(self) -> str:
        if self.removed is not None:
            end = f"removed {self.removed} files"
        elif self.files:
            end = f"{self.files} files, {self.size:,} bytes; nothing was removed: `--delete` does it"
        else:
            end = "nothing is left over"
        return "\n".join([*map(str, self.left), *map(str, self.old), end])

    def to_json(self) -> dict[str, Any]:
        """A row for each place with leftovers, for each report and for each numerics version; and their sums."""
        left = [
            {"where": each.where, "why": each.why, "files": len(each.objects), "bytes": each.size} for each in self.left
        ]
        old = [{"what": each.what, "why": each.why, "files": each.files, "bytes": each.size} for each in self.old]
        return {"left": left, "old": old, "files": self.files, "bytes": self.size, "removed": self.removed}


def collect(store: Store, rule: Rule, *, older_numerics: bool, hours: float, delete: bool) -> Collected:
    """Find the objects that may be removed, and remove them on request.

    Args:
        store: to search.
        rule: which reports are kept.
        older_numerics: whether trials of older numerics versions may be removed.
        hours: younger objects are kept.
        delete: whether to remove the objects.

    Raises:
        IntegrityError: a pointer or a kept report is damaged, so that the objects it needs are unknown.
        StoreError: the store cannot be reached, or refuses.
    """
    listed = store.objects()
    old = [] if rule.keeps_all else old_reports(store, rule, listed)
    old += outdated_trials(store, old, listed, hours) if older_numerics else []
    left = leftovers(store, hours, listed)
    return Collected(left, old, remove(store, left) + withdraw_all(store, old) if delete else None)
