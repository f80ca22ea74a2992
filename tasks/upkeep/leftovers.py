"""What killed writers left in a store and nothing reads: found, and removed where that is asked.

    temporary files             of a directory's writers, and of the checks whether a store can be written
    checkpoints                 of trials that are stored, which a killed search by rungs kept as well; and all but
                                the newest of the others
    objects without a manifest  in the folders of commits

What is younger than some hours may be in writing and is left alone, with all that lies beside it. What a manifest or a
pointer names, and what is not ours, is never touched.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.errors import IntegrityError
from infra.store import MANIFEST, SCRATCH, TEMPORARY, Listed, Store
from tasks.telling.readable import is_digest
from tasks.trials.records import trial_prefix
from tasks.upkeep.verify import prefix_of

HOURS = 24.0
"""How old something is that nobody is at any more."""


@dataclass(frozen=True)
class Leftover:
    """Objects of one kind in one place.

    Attributes:
        where: the folder or the file.
        why: what they are.
        objects: what is there.
    """

    where: str
    why: str
    objects: tuple[Listed, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(item.size for item in self.objects)

    def __str__(self) -> str:
        return f"{self.where}: {len(self.objects)} files, {self.size:,} bytes, {self.why}"


def leftovers(store: Store, hours: float = HOURS, listed: Iterable[Listed] | None = None) -> list[Leftover]:
    """What may go; nothing is changed.

    Args:
        store: where to look.
        hours: what is younger is left alone.
        listed: all that is in the store, where somebody has listed it just now.

    Raises:
        StoreError: the store cannot be reached.
    """
    before = time.time() - 3600 * hours
    temporary: list[Listed] = []
    checkpoints, commits = _Places(), _Places()
    for item in store.objects() if listed is None else listed:
        top, _, rest = item.path.partition("/")
        key = rest.partition("/")[0].removesuffix(".json")
        if item.path.rpartition("/")[2].startswith(TEMPORARY):
            temporary.append(item)
        elif top == SCRATCH and is_digest(key):
            checkpoints.add(f"{SCRATCH}/{key}", item)
        elif (prefix := prefix_of(item.path)) is not None:
            commits.add(prefix, item)
    found = [Leftover(i.path, "a temporary file", (i,)) for i in temporary if i.modified < before]
    for folder, items in checkpoints.older_than(before):
        found += _of_checkpoints(store, folder, items)
    for prefix, items in commits.older_than(before):
        found += _of_commit(store, prefix, items)
    return found


def remove(store: Store, found: Iterable[Leftover]) -> int:
    """Remove leftovers; how many files are gone.

    Raises:
        StoreError: the store refuses.
    """
    gone = 0
    for leftover in found:
        if leftover.where.startswith(f"{SCRATCH}/"):
            store.discard_pointer(f"{leftover.where}.json")
            store.discard_all(leftover.where)
            gone += len(leftover.objects)
            continue
        for item in leftover.objects:
            if (prefix := prefix_of(item.path)) is None or item.path == leftover.where:
                store.discard_temporary(item.path)
                gone += 1
            else:
                gone += store.discard_left(prefix, item.path.removeprefix(f"{prefix}/"))
    return gone


class _Places(dict[str, list[Listed]]):
    """Objects by the place that they lie in."""

    def add(self, place: str, item: Listed) -> None:
        self.setdefault(place, []).append(item)

    def older_than(self, before: float) -> Iterator[tuple[str, list[Listed]]]:
        """The places in which nothing is younger: nobody is at work there."""
        return ((place, items) for place, items in self.items() if max(i.modified for i in items) < before)


def _of_checkpoints(store: Store, folder: str, items: list[Listed]) -> list[Leftover]:
    key = folder.removeprefix(f"{SCRATCH}/")
    try:
        if store.committed(trial_prefix(key)):
            return [Leftover(folder, "the checkpoint of a trial that is stored", tuple(items))]
        value, _ = store.read_pointer(f"{folder}.json")
    except IntegrityError:  # the trial is damaged, or the pointer: its next run will tell
        return []
    newest = None if value is None else value.get("newest")
    each = _Places()
    for item in items:
        update, slash, _ = item.path.removeprefix(f"{folder}/").partition("/")
        if slash and f"{folder}/{update}" != newest and item.path != f"{folder}.json":
            each.add(f"{folder}/{update}", item)
    return [Leftover(place, "a checkpoint that no pointer names", tuple(left)) for place, left in each.items()]


def _of_commit(store: Store, prefix: str, items: list[Listed]) -> list[Leftover]:
    try:
        manifest = store.manifest(prefix)
    except IntegrityError:  # nobody knows what it named: `verify` tells
        return []
    named = {f"{prefix}/{MANIFEST}", *(f"{prefix}/{item.path}" for item in (manifest.objects if manifest else ()))}
    left = tuple(item for item in items if item.path not in named)
    why = "left by a killed writer" if manifest is None else "that the commit does not name"
    return [Leftover(prefix, why, left)] if left else []
