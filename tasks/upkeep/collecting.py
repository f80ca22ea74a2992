"""What of a store may go, in one answer: what killed writers left, and where it is asked old reports and old trials.

What this does not do: find any of it (`leftovers.py`, `retention.py`).
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
    """What may go.

    Attributes:
        left: what killed writers left.
        old: reports and trials that nobody asked to keep.
        removed: how many files are gone; None where they were only to be shown.
    """

    schema: ClassVar[str] = "gc"
    left: Sequence[Leftover]
    old: Sequence[Dispensable]
    removed: int | None

    @property
    def files(self) -> int:
        """How many files all of it is."""
        return sum(len(each.objects) for each in self.left) + sum(each.files for each in self.old)

    @property
    def size(self) -> int:
        """How many bytes."""
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
        """A row a place of leftovers, a row a report and a version of the numerics, and their sums."""
        left = [
            {"where": each.where, "why": each.why, "files": len(each.objects), "bytes": each.size} for each in self.left
        ]
        old = [{"what": each.what, "why": each.why, "files": each.files, "bytes": each.size} for each in self.old]
        return {"left": left, "old": old, "files": self.files, "bytes": self.size, "removed": self.removed}


def collect(store: Store, rule: Rule, *, older_numerics: bool, hours: float, delete: bool) -> Collected:
    """Find what may go, and remove it where that is asked.

    Args:
        store: where to look.
        rule: which reports stay.
        older_numerics: whether trials of older numerics may go.
        hours: what is younger is left alone.
        delete: whether to remove it.

    Raises:
        IntegrityError: a pointer, or a report that stays, is damaged, so that nobody knows what it names.
        StoreError: the store cannot be reached, or refuses.
    """
    listed = store.objects()
    old = [] if rule.keeps_all else old_reports(store, rule, listed)
    old += outdated_trials(store, old, listed, hours) if older_numerics else []
    left = leftovers(store, hours, listed)
    return Collected(left, old, remove(store, left) + withdraw_all(store, old) if delete else None)
