"""Hash everything in a store again, and name what is not what was committed."""

from dataclasses import dataclass

from infra.errors import StoreError
from infra.store import Store

KINDS = ("data", "ingests", "trials", "scores", "reports")
"""Every folder of commits, docs/storage.md."""


@dataclass(frozen=True)
class Verified:
    """What was found.

    Attributes:
        commits: how many were looked at.
        damaged: one line for each that is not whole, with the mend.
    """

    commits: int
    damaged: tuple[str, ...]


def verify(store: Store) -> Verified:
    """Read every object of every commit, and compare it with its manifest."""
    prefixes = [prefix for kind in KINDS for prefix in store.prefixes(kind)]
    damaged = []
    for prefix in prefixes:
        try:
            store.verify(prefix)
        except StoreError as error:
            damaged.append(str(error))
    return Verified(len(prefixes), tuple(damaged))
