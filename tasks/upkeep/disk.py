"""The command `disk`: the size of each kind of object in a store, and how much of it could be removed.

What this does not do: measure overhead of the backend, such as disk blocks or old versions in a bucket.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from infra.errors import IntegrityError
from infra.machine.answer import Answer
from infra.store import SCRATCH, Listed, Store
from tasks.upkeep.leftovers import HOURS, leftovers
from tasks.upkeep.retention import Dispensable, Rule, old_reports, outdated_trials, trials_by_numerics
from tasks.upkeep.verify import KINDS, prefix_of

RULE = Rule(reports=30, days=90)
"""The reports assumed to be kept."""
_KINDS = {
    "data": "corpora",
    "ingests": "ingests",
    "trials": "trials",
    "scores": "scores",
    "samples": "samples",
    "reports": "reports",
}


@dataclass(frozen=True)
class Usage:
    """The space of one kind of object.

    Attributes:
        kind: name of the kind.
        count: number of commits, of trials with a checkpoint, or of files.
        size: bytes.
        free: bytes that could be removed.
        command: that removes them; "" if there is none.
    """

    kind: str
    count: int
    size: int
    free: int = 0
    command: str = ""


@dataclass(frozen=True)
class Disk(Answer):
    """The space of every kind of object in a store."""

    schema: ClassVar[str] = "disk"
    kinds: Sequence[Usage]

    def __str__(self) -> str:
        return "\n".join(table(self.kinds))

    def to_json(self) -> dict[str, Any]:
        """A row for each kind, and the sums."""
        rows: list[dict[str, Any]] = [
            {"kind": row.kind, "count": row.count, "bytes": row.size, "could_go": row.free, "command": row.command}
            for row in self.kinds
        ]
        return {"kinds": rows} | {name: sum(row[name] for row in rows) for name in ("count", "bytes", "could_go")}


def usage(store: Store, tell: Callable[[str], None]) -> list[Usage]:
    """The kinds of objects in a store; every byte of the store is in exactly one of them.

    Args:
        store: to measure.
        tell: called with a line if a pointer or a kept report is damaged, so that removable commits are unknown.

    Raises:
        StoreError: the store cannot be reached.
    """
    from models.trial import NUMERICS_VERSION

    listed = store.objects()
    left = {item.path: item.size for each in leftovers(store, HOURS, listed) for item in each.objects}
    sizes: dict[str, int] = {}
    checkpoints: dict[str, int] = {}
    others: dict[str, int] = {}
    for item in listed:
        if item.path in left:
            continue
        prefix, (top, _, rest) = prefix_of(item.path), item.path.partition("/")
        if prefix is not None:
            sizes[prefix] = sizes.get(prefix, 0) + item.size
        elif top == SCRATCH:
            key = rest.partition("/")[0].removesuffix(".json")
            checkpoints[key] = checkpoints.get(key, 0) + item.size
        else:
            others[item.path] = item.size
    trials = trials_by_numerics(store)
    free = {prefix: sizes.get(prefix, 0) for each in _going(store, listed, trials, tell) for prefix in each.prefixes}
    of_trials, of_reports = "gc --older-numerics", f"gc --keep-reports {RULE.reports} --keep-days {RULE.days}"
    rows = []
    for folder in KINDS:
        if folder == "trials":
            for numerics, keys in sorted(trials.items(), key=lambda each: -(each[0] or 0)):
                title = "trials, numerics unknown here" if numerics is None else f"trials, numerics {numerics}"
                title += " (today's)" if numerics == NUMERICS_VERSION else ""
                rows.append(_row(title, [f"trials/{key}" for key in keys], sizes, free, of_trials))
            continue
        command = {"scores": of_trials, "samples": of_trials, "reports": of_reports}.get(folder, "")
        prefixes = [prefix for prefix in sizes if prefix.startswith(f"{folder}/")]
        rows.append(_row(_KINDS[folder], prefixes, sizes, free, command))
    rows += [
        Usage("checkpoints", len(checkpoints), sum(checkpoints.values())),
        Usage("names, pointers, others", len(others), sum(others.values())),
        Usage("leftovers", len(left), sum(left.values()), sum(left.values()), "gc"),
    ]
    return [row for row in rows if row.count]


def table(rows: Iterable[Usage]) -> list[str]:
    """The rows as lines of a table, with a heading and the sum."""
    rows = list(rows)
    total = Usage("together", sum(row.count for row in rows), sum(row.size for row in rows), sum(r.free for r in rows))
    cells = [("", "number", "bytes", "could go", "")]
    for row in (*rows, total):
        command = f"prefect run {row.command} --delete" if row.free and row.command else ""
        cells.append((row.kind, f"{row.count:,}", f"{row.size:,}", f"{row.free:,}" if row.free else "-", command))
    widths = [max(len(line[place]) for line in cells) for place in range(4)]
    return [
        "  ".join([line[0].ljust(widths[0]), *(line[i].rjust(widths[i]) for i in (1, 2, 3)), line[4]]).rstrip()
        for line in cells
    ]


def _row(kind: str, prefixes: list[str], sizes: dict[str, int], free: dict[str, int], command: str) -> Usage:
    there = [prefix for prefix in prefixes if prefix in sizes]
    size, goes = sum(sizes[prefix] for prefix in there), sum(free.get(prefix, 0) for prefix in there)
    return Usage(kind, len(there), size, goes, command)


def _going(
    store: Store, listed: list[Listed], trials: Mapping[int | None, list[str]], tell: Callable[[str], None]
) -> list[Dispensable]:
    try:
        reports = old_reports(store, RULE, listed)
        return [*reports, *outdated_trials(store, reports, listed, HOURS, trials)]
    except IntegrityError as error:
        tell(f"what could go is not known: {error}")
        return []
