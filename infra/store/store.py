"""The store: immutable commits, and pointers that are changed by compare-and-swap.

Commits are in `commits.py`, pointers in `pointers.py`, removal in `removal.py`. This file opens, checks and lists a
store. What this does not do: know any kind of record, or decide anything by a listing.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from infra.errors import StoreError
from infra.store.address import parse_address
from infra.store.backend import Listed
from infra.store.manifest import MANIFEST, plain_name
from infra.store.places import open_backend
from infra.store.pointers import Pointers
from infra.store.removal import Removal


class Store(Removal, Pointers):
    """A store at an address.

    Args:
        address: as typed.
        create: make a missing local directory; otherwise a missing one is an error, for commands that only read.
        known: skip the checks, since another process has opened the store and passed on its address.

    Attributes:
        address: normalised, absolute and without secrets, so that a worker process can open the same store.

    Raises:
        StoreError: the address is invalid, a local directory cannot be made, the bucket does not exist, or the endpoint
            does not answer within seconds.

    >>> store = Store("memory://example")
    >>> manifest = store.commit("trials/1a2b", {"record.json": b"{}"}, kind="trial", provenance={"seed": 1})
    >>> store.read("trials/1a2b", "record.json")
    b'{}'
    """

    def __init__(self, address: str, *, create: bool = True, known: bool = False) -> None:
        parsed = parse_address(address)
        super().__init__(str(parsed), open_backend(parsed))
        if not known:
            self._backend.check(create)

    def __repr__(self) -> str:
        return f"Store({self.address!r})"

    def check_writable(self) -> None:
        """Check with real writes that the place can be a store: write, read, delete, and both conditional writes.

        Raises:
            StoreError: one of these is refused, or the place ignores the condition of a conditional write.
        """
        path = f".probe-{secrets.token_hex(8)}"
        first, second = (secrets.token_bytes(16) for _ in range(2))
        created = self._create(path, first)
        try:
            stored = self._backend.read(path)
            if not created or stored is None or stored.data != first:
                raise StoreError(f"{self.address}: does not give back what was written; take another store")
            exclusive = not self._backend.create(path, second)
            swapped = self._replace(path, second, stored.token)
            compared = not self._backend.replace(path, first, stored.token)
        finally:
            self._backend.delete(path)
        if not (exclusive and swapped and compared):
            raise StoreError(
                f"{self.address}: ignores the conditions of writes, so that two writers would lose work;"
                " take a store that honours If-None-Match and If-Match"
            )

    @contextmanager
    def beacon(self) -> Iterator[str]:
        """Keep a small object in the store during the block, and yield its name: who `sees` it has the same store."""
        name = f".beacon-{secrets.token_hex(8)}"
        self._create(name, b"")
        try:
            yield name
        finally:
            self._backend.delete(name)

    def sees(self, beacon: str) -> bool:
        """Whether another process's beacon is in this store."""
        return self._backend.read(beacon) is not None

    def objects(self, folder: str = "") -> list[Listed]:
        """All objects below a folder, or in the whole store, sorted, foreign ones included. For display only."""
        return self._backend.listing(folder)

    def prefixes(self, parent: str) -> list[str]:
        """The committed children of `reports`, `trials`, ..., sorted: `["reports/2026..."]`.

        For display only, since a listing may lag behind; decisions must read the manifest. Folders whose names are not
        allowed here, such as a file manager's copy of a folder, are left out.
        """
        self._check_names(parent)
        return [f"{parent}/{child}" for child in self._backend.children(parent, MANIFEST) if plain_name(child)]
