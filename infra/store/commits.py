"""Commits: immutable sets of objects, which exist as soon as their manifest is written.

    commit = objects, then manifest.json by exclusive create

The name of an object contains the digest of its bytes, so that two writers of one prefix never overwrite each other's
objects. The first manifest wins. Every other writer gets the winner's manifest; its nonce tells them apart.

What this does not do: remove a commit (`removal.py`), or decide anything by a listing.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infra.errors import ConflictError, IntegrityError, NotFoundError
from infra.store.manifest import MANIFEST, Manifest, StoredObject, canonical_json
from infra.store.writes import Writes


class Commits(Writes):
    """The commits of a store, by prefix."""

    def commit(
        self,
        prefix: str,
        files: Mapping[str, bytes],
        *,
        kind: str,
        provenance: Mapping[str, Any],
        plain_names: bool = False,
    ) -> Manifest:
        """Write the objects, then the manifest. The prefix is committed once the manifest is written, and not before.

        Args:
            prefix: `trials/<key>`.
            files: bytes by name; names may have slashes.
            kind: kind of the commit, stored in the manifest.
            provenance: origin of the data, JSON values only, stored in the manifest.
            plain_names: keep the names unchanged, so that a browser finds `index.html`; only for prefixes without other
                writers. By default an object's physical name contains its digest.

        Returns:
            The manifest in the store: of this commit, or of another writer who was first.

        Raises:
            StoreError: a name or the prefix is not allowed, or the store refuses.
            ConflictError: with plain names, other uncommitted bytes are in the place of an object.
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
            provenance=json.loads(canonical_json(provenance)),  # the same values that a reader will get
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            nonce=secrets.token_hex(16),
        )
        if self._create(f"{prefix}/{MANIFEST}", manifest.to_bytes()):
            return manifest
        return self._winner(prefix, "its manifest appeared and vanished")

    def manifest(self, prefix: str) -> Manifest | None:
        """The manifest of a prefix, or None if nothing is committed there.

        Raises:
            IntegrityError: the manifest was changed after it was written.
        """
        found = self._stored(prefix)
        return None if found is None else Manifest.from_bytes(found, prefix)

    def committed(self, prefix: str) -> bool:
        """Whether a prefix is committed."""
        return self.manifest(prefix) is not None

    def read(self, prefix: str, name: str) -> bytes:
        """The bytes of an object, by the name it was committed with.

        Raises:
            NotFoundError: the prefix is not committed, or has no such object.
            IntegrityError: the bytes are missing, or differ from the committed ones.
        """
        return self._read(self._present(prefix), name)

    def find(self, prefix: str, name: str) -> bytes | None:
        """Like `read`, but None if the prefix is not committed; the manifest is read only once.

        Raises:
            NotFoundError: the prefix is committed, but has no such object.
            IntegrityError: the bytes are missing, or differ from the committed ones.
        """
        found = self.find_with_digest(prefix, name)
        return None if found is None else found[0]

    def find_with_digest(self, prefix: str, name: str) -> tuple[bytes, str] | None:
        """Like `find`, with the digest of the manifest, for `unchanged`."""
        found = self._stored(prefix)
        if found is None:
            return None
        return self._read(Manifest.from_bytes(found, prefix), name), hashlib.sha256(found).hexdigest()

    def unchanged(self, prefix: str, digest: str, *names: str) -> bool:
        """Whether the manifest of a prefix still has this digest, and these objects have the committed bytes.

        Bytes of that digest were read as a manifest before, and are not checked as one again.
        """
        found = self._stored(prefix)
        if found is None or hashlib.sha256(found).hexdigest() != digest:
            return False
        objects = {item["name"]: StoredObject(**item) for item in json.loads(found)["objects"]} if names else {}
        return all(name in objects and self._whole(prefix, objects[name]) for name in names)

    def read_all(self, prefix: str) -> tuple[Manifest, dict[str, bytes]]:
        """A whole commit: its manifest, and the bytes of every object by name.

        Raises:
            NotFoundError: the prefix is not committed.
            IntegrityError: an object is missing or changed.
        """
        manifest = self._present(prefix)
        return manifest, {item.name: self._verified(prefix, item) for item in manifest.objects}

    def adopt(self, manifest: Manifest, files: Mapping[str, bytes]) -> bool:
        """Copy a commit of another store, with the same names and the same manifest.

        Args:
            manifest: of the other store.
            files: bytes by name, from `read_all`.

        Returns:
            Whether this call committed it; False if something is committed under the prefix already.

        Raises:
            IntegrityError: the bytes do not match the manifest.
            ConflictError: with plain names, as reports have, other uncommitted bytes are in the place of an object.
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
        """Hash every object of a commit again; returns the manifest.

        Raises:
            NotFoundError: the prefix is not committed.
            IntegrityError: an object is missing or changed; the message names the first one.
        """
        manifest = self._present(prefix)
        for item in manifest.objects:
            self._verified(prefix, item)
        return manifest

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

    def _stored(self, prefix: str) -> bytes | None:
        """The bytes of the manifest of a prefix; None if nothing is committed there."""
        self._check_names(prefix)
        stored = self._backend.read(f"{prefix}/{MANIFEST}")
        return None if stored is None else stored.data

    def _whole(self, prefix: str, item: StoredObject) -> bool:
        stored = self._backend.read(f"{prefix}/{item.path}")
        return stored is not None and item.fits(stored.data)

    def _verified(self, prefix: str, item: StoredObject) -> bytes:
        stored = self._backend.read(f"{prefix}/{item.path}")
        if stored is not None and item.fits(stored.data):
            return stored.data
        wrong = "is missing" if stored is None else "has changed"
        line = f"{self.address}: {prefix}/{item.path} {wrong}; delete {prefix} and run again"
        raise IntegrityError(line)
