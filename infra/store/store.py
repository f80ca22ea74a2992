"""The store: commits that are there or not, never changed, and a pointer that is compared and swapped.

    commit = objects, then manifest.json by exclusive create

The objects of a commit carry the digest of their bytes in their name, so that two writers of one prefix never
touch each other's. The first manifest wins; everybody else gets the winner's. A request that is sent again
after a lost answer may be told "it exists" by its own success: what is there is read back, and a nonce tells
whose it is.

What is committed is never changed. What lies under `checkpoints/` is discarded when it has served; elsewhere a commit
is withdrawn only as a whole, by who has read its manifest, and no writer and no flow does that.

What this does not do: know any kind of record, or decide anything by a listing.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from infra.errors import ConflictError, IntegrityError, NotFoundError, StoreError
from infra.store.address import parse_address
from infra.store.backend import SCRATCH, Listed
from infra.store.manifest import MANIFEST, Manifest, StoredObject, canonical_json, plain_name, read_json, with_checksum
from infra.store.places import open_backend

# What a pointer was when it was read; None where there was no pointer. Opaque to callers.
Token = str | None
TEMPORARY = (".tmp-", ".probe-", ".beacon-")
"""How the names begin of files that are gone again when their writer is: of a directory, of the checks."""


class Store:
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
        self.address = str(parsed)
        self._backend = open_backend(parsed)
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

    def commit(
        self,
        prefix: str,
        files: Mapping[str, bytes],
        *,
        kind: str,
        provenance: Mapping[str, Any],
        plain_names: bool = False,
    ) -> Manifest:
        """Write the objects, then the manifest: from then on, and not before, the prefix is committed.

        Args:
            prefix: `trials/<key>`.
            files: bytes by name; names may have slashes.
            kind: what it is, kept in the manifest.
            provenance: where it comes from, JSON values only, kept in the manifest.
            plain_names: keep the names as they are, for prefixes that no other writer can have, so that a
                browser finds `index.html`. By default an object's physical name carries its digest.

        Returns:
            The manifest that is in the store: ours, or the one of the writer who was first.

        Raises:
            StoreError: a name or the prefix is not plain, or the store refuses.
            ConflictError: plain names, and other bytes are there that nobody has committed yet.
        """
        self._check_names(prefix, *files)
        if (present := self.manifest(prefix)) is not None:
            return present
        objects = tuple(StoredObject.of(name, bytes(data), plain_names) for name, data in files.items())
        written = {f"{prefix}/{item.path}": bytes(files[item.name]) for item in objects}
        if (clash := self._create_all(written)) is not None:
            return self._winner(prefix, f"uncommitted other bytes are at {clash.removeprefix(prefix + '/')}")
        manifest = Manifest(
            prefix=prefix,
            kind=kind,
            objects=objects,
            provenance=json.loads(canonical_json(provenance)),  # as every reader will see it
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            nonce=secrets.token_hex(16),
        )
        if self._create(f"{prefix}/{MANIFEST}", manifest.to_bytes()):
            return manifest
        return self._winner(prefix, "its manifest appeared and vanished")

    def manifest(self, prefix: str) -> Manifest | None:
        """The manifest of a prefix, or None where nothing is committed.

        Raises:
            IntegrityError: there is a manifest, and it is not what was written.
        """
        self._check_names(prefix)
        stored = self._backend.read(f"{prefix}/{MANIFEST}")
        return None if stored is None else Manifest.from_bytes(stored.data, prefix)

    def committed(self, prefix: str) -> bool:
        """Whether a prefix is committed."""
        return self.manifest(prefix) is not None

    def read(self, prefix: str, name: str) -> bytes:
        """The bytes of an object, by the name under which it was committed.

        Raises:
            NotFoundError: the prefix is not committed, or has no such object.
            IntegrityError: the bytes are missing, or are not those that were committed.
        """
        return self._read(self._present(prefix), name)

    def find(self, prefix: str, name: str) -> bytes | None:
        """Like `read`, but None where the prefix is not committed: one look at the manifest answers both.

        Raises:
            NotFoundError: the prefix is committed, and has no such object.
            IntegrityError: the bytes are missing, or are not those that were committed.
        """
        manifest = self.manifest(prefix)
        return None if manifest is None else self._read(manifest, name)

    def read_all(self, prefix: str) -> tuple[Manifest, dict[str, bytes]]:
        """A whole commit: its manifest, and the bytes of every object by name.

        Raises:
            NotFoundError: the prefix is not committed.
            IntegrityError: an object is missing or changed.
        """
        manifest = self._present(prefix)
        return manifest, {item.name: self._verified(prefix, item) for item in manifest.objects}

    def adopt(self, manifest: Manifest, files: Mapping[str, bytes]) -> bool:
        """Commit what another store has, as it is there: same names, same manifest.

        Args:
            manifest: of the other store.
            files: bytes by name, as `read_all` gave them.

        Returns:
            Whether it is committed by this call; False where something is committed under the prefix already.

        Raises:
            IntegrityError: the bytes are not those of the manifest.
            ConflictError: a report, and other bytes are there that nobody has committed yet.
        """
        prefix = manifest.prefix
        if self.committed(prefix):
            return False
        for item in manifest.objects:
            if not item.fits(files[item.name]):
                raise IntegrityError(f"{prefix}/{item.path}: not the bytes of its manifest")
        written = {f"{prefix}/{item.path}": files[item.name] for item in manifest.objects}
        if (clash := self._create_all(written)) is not None:
            self._winner(prefix, f"uncommitted other bytes are at {clash.removeprefix(prefix + '/')}")
            return False
        return self._create(f"{prefix}/{MANIFEST}", manifest.to_bytes())

    def verify(self, prefix: str) -> Manifest:
        """Hash every object of a commit again; its manifest.

        Raises:
            NotFoundError: the prefix is not committed.
            IntegrityError: the first object that is missing or changed.
        """
        manifest = self._present(prefix)
        for item in manifest.objects:
            self._verified(prefix, item)
        return manifest

    def discard(self, prefix: str) -> None:
        """Remove a commit under `checkpoints/`: the manifest first, so that it is whole or not there all the way.

        Objects that nobody committed stay, as after any killed writer.

        Raises:
            StoreError: it lies elsewhere, where commits are for good, or the store refuses.
        """
        self._check_scratch(prefix)
        try:
            manifest = self.manifest(prefix)
        except IntegrityError:
            manifest = None  # of a damaged one nobody knows the objects
        self._backend.delete(f"{prefix}/{MANIFEST}")
        for item in () if manifest is None else manifest.objects:
            self._backend.delete(f"{prefix}/{item.path}")

    def discard_all(self, folder: str) -> None:
        """Remove all that lies below a folder under `checkpoints/`, committed or not: the manifests first.

        Raises:
            StoreError: it lies elsewhere, or the store refuses.
        """
        self._check_scratch(folder)
        paths = [item.path for item in self._backend.listing(folder)]
        for path in sorted(paths, key=lambda path: path.rpartition("/")[2] != MANIFEST):
            self._backend.delete(path)

    def discard_pointer(self, name: str) -> None:
        """Remove a pointer under `checkpoints/`, if it is there.

        Raises:
            StoreError: it lies elsewhere, or the store refuses.
        """
        self._check_scratch(name)
        self._backend.delete(name)

    def withdraw(self, manifest: Manifest) -> bool:
        """Remove a whole commit: the manifest first, durably, then its objects.

        Whoever is stopped in between leaves what a killed writer leaves, which `discard_left` removes, and nothing that
        reads as a commit. What rests on it is the caller's to know.

        Args:
            manifest: of the commit that is meant; of another one under its prefix nothing is removed.

        Returns:
            Whether it was there.

        Raises:
            StoreError: the store refuses.
        """
        prefix = manifest.prefix
        present = self.manifest(prefix)
        if present is None or present.digest != manifest.digest:
            return False
        self._backend.delete(f"{prefix}/{MANIFEST}")
        for item in manifest.objects:
            self.discard_left(prefix, item.path)
        return True

    def withdraw_pointer(self, name: str) -> None:
        """Remove a pointer, if it is there. Nothing tells of one that was set just now: who needs it sets it again."""
        self._check_names(name)
        self._backend.delete(name)

    def discard_left(self, prefix: str, path: str) -> bool:
        """Remove what a killed writer left: an object below a prefix that no manifest of the prefix names.

        Whoever commits the same bytes just now would take the object over: then it is put back.

        Returns:
            Whether it is gone.

        Raises:
            StoreError: the store refuses.
            IntegrityError: the manifest of the prefix is damaged, so that nobody knows what it names.
        """
        if self._names(prefix, path) or (stored := self._backend.read(f"{prefix}/{path}")) is None:
            return False
        self._backend.delete(f"{prefix}/{path}")
        if not self._names(prefix, path):
            return True
        self._create(f"{prefix}/{path}", stored.data)
        return False

    def discard_temporary(self, path: str) -> None:
        """Remove a file by which a writer or a check of the store did its work, and which it should have removed.

        Raises:
            StoreError: it is none of these, or the store refuses.
        """
        if not path.rpartition("/")[2].startswith(TEMPORARY):
            raise StoreError(f"{self.address}: {path!r} is no temporary file")
        self._backend.delete(path)

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

    def read_pointer(self, name: str) -> tuple[dict[str, Any] | None, Token]:
        """The value of a pointer, None where there is none, and the token to swap it with.

        Raises:
            IntegrityError: there is something that is not a pointer.
        """
        self._check_names(name)
        stored = self._backend.read(name)
        if stored is None:
            return None, None
        try:
            document = dict(read_json(stored.data, name))
            # Those of before they had a checksum stay readable.
            whole = {"value": document["value"], "nonce": document["nonce"]}
            if stored.data not in (canonical_json(with_checksum(whole)), canonical_json(whole)):
                raise ValueError("changed after it was written")
            return dict(whole["value"]), stored.token
        except (ValueError, TypeError, KeyError, RecursionError, IntegrityError) as error:
            raise IntegrityError(f"{self.address}: {name} is not a pointer, or was changed; delete it") from error

    def swap_pointer(self, name: str, value: Mapping[str, Any], expected: Token) -> None:
        """Set a pointer if it is still what it was when `expected` was read.

        Raises:
            ConflictError: it is not; read it again, and decide again.
        """
        self._check_names(name)
        # The nonce makes every pointer's bytes new: a token from before A -> B -> A does not fit any more.
        data = canonical_json(with_checksum({"nonce": secrets.token_hex(16), "value": dict(value)}))
        done = self._create(name, data) if expected is None else self._replace(name, data, expected)
        if not done:
            raise ConflictError(f"{self.address}: {name} was changed by somebody else; run again")

    def read_page(self, path: str) -> tuple[bytes | None, Token]:
        """The bytes of a page that is renewed, None where there is none, and the token to swap it with."""
        self._check_page(path)
        stored = self._backend.read(path)
        return (None, None) if stored is None else (stored.data, stored.token)

    def swap_page(self, path: str, data: bytes, expected: Token) -> None:
        """Set a page if it is still what it was when `expected` was read. It is for browsers: nothing vouches for it.

        Args:
            path: `reports/index.html`: a page, in no commit.
            data: the whole of it.
            expected: as `read_page` gave it.

        Raises:
            StoreError: the path is none of a page.
            ConflictError: it is not; read it again, and make it again.
        """
        self._check_page(path)
        done = self._create(path, data) if expected is None else self._replace(path, data, expected)
        if not done:
            raise ConflictError(f"{self.address}: {path} was changed by somebody else; run again")

    def _create(self, path: str, data: bytes) -> bool:
        """Whether these bytes are there now, by this call, its lost first try, or an equal writer."""
        return self._backend.create(path, data) or self._holds(path, data)

    def _create_all(self, files: Mapping[str, bytes]) -> str | None:
        """Write all; the path of one where other bytes are, None where all are there now."""
        there = self._backend.create_all(files)
        return next((path for path in there if not self._holds(path, files[path])), None)

    def _replace(self, path: str, data: bytes, token: str) -> bool:
        return self._backend.replace(path, data, token) or self._holds(path, data)

    def _holds(self, path: str, data: bytes) -> bool:
        stored = self._backend.read(path)
        return stored is not None and stored.data == data

    def _names(self, prefix: str, path: str) -> bool:
        """Whether the manifest of a prefix names an object by its path, or is that object itself."""
        self._check_names(prefix)
        manifest = self.manifest(prefix)
        return path == MANIFEST or (manifest is not None and any(item.path == path for item in manifest.objects))

    def _winner(self, prefix: str, otherwise: str) -> Manifest:
        manifest = self.manifest(prefix)
        if manifest is None:
            raise ConflictError(f"{self.address}: {prefix}: {otherwise}; delete {prefix} and run again")
        return manifest

    def _present(self, prefix: str) -> Manifest:
        manifest = self.manifest(prefix)
        if manifest is None:
            raise NotFoundError(f"{self.address}: nothing is committed under {prefix}")
        return manifest

    def _read(self, manifest: Manifest, name: str) -> bytes:
        for item in manifest.objects:
            if item.name == name:
                return self._verified(manifest.prefix, item)
        raise NotFoundError(f"{self.address}: {manifest.prefix} has no {name!r}")

    def _verified(self, prefix: str, item: StoredObject) -> bytes:
        stored = self._backend.read(f"{prefix}/{item.path}")
        if stored is not None and item.fits(stored.data):
            return stored.data
        wrong = "is missing" if stored is None else "has changed"
        line = f"{self.address}: {prefix}/{item.path} {wrong}; delete {prefix} and run again"
        raise IntegrityError(line)

    def _check_page(self, path: str) -> None:
        self._check_names(path)
        if path.count("/") != 1 or not path.endswith(".html"):
            raise StoreError(f"{self.address}: {path} is no page beside commits, as reports/index.html is")

    def _check_scratch(self, path: str) -> None:
        self._check_names(path)
        if not path.startswith(f"{SCRATCH}/"):
            raise StoreError(f"{self.address}: {path} is for good; only what is under {SCRATCH}/ may be discarded")

    def _check_names(self, *paths: str) -> None:
        for path in paths:
            if not plain_name(path):
                raise StoreError(
                    f"{self.address}: {path!r} cannot be a name here; use letters, digits, '._+=-' and '/'"
                    f" with no segment that starts with a dot, and not {MANIFEST}"
                )
