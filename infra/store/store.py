"""The store: commits that are there or not, never changed, and a pointer that is compared and swapped.

Commits are in `commits.py`, pointers in `pointers.py`, and what may go in `removal.py`; here a store is opened, looked
at and listed. What this does not do: know any kind of record, or decide anything by a listing.
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
        create: make a local directory where it is missing; without, that is an error, for commands that only read.
        known: another process has opened it, and handed on its address: nothing is asked.

    Attributes:
        address: in its normal form, absolute, without secrets: what a worker process needs to open the same
            store.

    Raises:
        StoreError: the address cannot be, a local directory cannot be made, the bucket does not exist, or the
            endpoint does not answer within seconds.

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
        """Prove, by really writing, that this can be a store: write, read, delete, and both conditions hold.

        Raises:
            StoreError: something of that is refused, or the place ignores the condition of a conditional
                write.
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
        """Put up a small object while the block runs, and give its name: whoever `sees` it has this very store."""
        name = f".beacon-{secrets.token_hex(8)}"
        self._create(name, b"")
        try:
            yield name
        finally:
            self._backend.delete(name)

    def sees(self, beacon: str) -> bool:
        """Whether a beacon, put up by another process, is in this store."""
        return self._backend.read(beacon) is not None

    def objects(self, folder: str = "") -> list[Listed]:
        """All that lies below a folder, or in the whole store, ours or not, sorted. For people, as `prefixes` is."""
        return self._backend.listing(folder)

    def prefixes(self, parent: str) -> list[str]:
        """The committed children of `reports`, `trials`, ..., sorted: `["reports/2026..."]`.

        For people: a listing may lag behind. Whoever decides asks for the manifest. What cannot be a name here, as
        the copy that a file manager makes of a folder, is none of ours and not in it.
        """
        self._check_names(parent)
        return [f"{parent}/{child}" for child in self._backend.children(parent, MANIFEST) if plain_name(child)]
