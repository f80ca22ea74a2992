"""Hash everything in a store again, and name what is not what was committed."""

import json
from dataclasses import dataclass

from infra.errors import IntegrityError, NotFoundError
from infra.store import Store
from tasks.ingest.cache import corpus_prefix

KINDS = ("data", "ingests", "trials", "scores", "samples", "reports")
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


def _orphans(store: Store, prefixes: list[str]) -> list[str]:
    """Ingests whose corpus was deleted: the next run makes it anew."""
    named = {prefix: store.find(prefix, "record.json") for prefix in prefixes if prefix.startswith("ingests/")}
    corpora = {prefix: json.loads(record)["corpus"] for prefix, record in named.items() if record is not None}
    return [
        f"{store.address}: {prefix} is of the corpus {digest[:12]}, which is not there; run again"
        for prefix, digest in corpora.items()
        if not store.committed(corpus_prefix(digest))
    ]


def verify(store: Store) -> Verified:
    """Read every object of every commit, and compare it with its manifest.

    Raises:
        StoreError: the store cannot be reached.
    """
    prefixes = [prefix for kind in KINDS for prefix in store.prefixes(kind)]
    damaged = []
    for prefix in prefixes:
        try:
            store.verify(prefix)
        except (IntegrityError, NotFoundError) as error:
            damaged.append(str(error))
    damaged += _orphans(store, prefixes)
    return Verified(len(prefixes), tuple(damaged))
