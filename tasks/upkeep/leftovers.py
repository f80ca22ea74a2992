"""Find leftovers of killed writers in a store, which nothing reads, and remove them on request.

    temporary files             of writers to a directory, and of checks whether a store is writable
    checkpoints                 of trials that are stored, as a killed search by rungs leaves them; and for other
    trials,
                                all except the newest one
    objects without a manifest  in the folders of commits

Objects younger than some hours may still be being written. They are kept, with everything beside them. Objects that a
manifest or a pointer names, and foreign files, are never removed.
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
"""Objects older than this are taken to be abandoned."""


@dataclass(frozen=True)
class Leftover:
    """Objects of one kind in one place.

    Attributes:
        where: the folder or the file.
        why: description of the objects.
        objects: the objects.
    """

    where: str
    why: str
    objects: tuple[Listed, ...]

    @property
    def size(self) -> int:
        """Size in bytes."""
        return sum(item.size for item in self.objects)

    def __str__(self) -> str:
        return f"{self.where}: {len(self.objects)} files, {self.size:,} bytes, {self.why}"


def leftovers(store: Store, hours: float = HOURS, listed: Iterable[Listed] | None = None) -> list[Leftover]:
    """The leftovers in a store; nothing is changed.

    Args:
        store: to search.
        hours: younger objects are left out.
        listed: all objects of the store, if they have just been listed.

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
    """Remove leftovers; returns the number of removed files.

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
    """Objects by place: a folder or a prefix."""

    def add(self, place: str, item: Listed) -> None:
        self.setdefault(place, []).append(item)

    def older_than(self, before: float) -> Iterator[tuple[str, list[Listed]]]:
        """The places whose youngest object is older, so that no writer is active there."""
        return ((place, items) for place, items in self.items() if max(i.modified for i in items) < before)


def _of_checkpoints(store: Store, folder: str, items: list[Listed]) -> list[Leftover]:
    key = folder.removeprefix(f"{SCRATCH}/")
    try:
        if store.committed(trial_prefix(key)):
            return [Leftover(folder, "the checkpoint of a trial that is stored", tuple(items))]
        value, _ = store.read_pointer(f"{folder}.json")
    except IntegrityError:  # the trial or the pointer is damaged, which its next run will report
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
    except IntegrityError:  # the manifest's objects are unknown; `verify` reports it
        return []
    named = {f"{prefix}/{MANIFEST}", *(f"{prefix}/{item.path}" for item in (manifest.objects if manifest else ()))}
    left = tuple(item for item in items if item.path not in named)
    why = "left by a killed writer" if manifest is None else "that the commit does not name"
    return [Leftover(prefix, why, left)] if left else []
