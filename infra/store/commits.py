"""Commits: objects, and then their manifest by exclusive create, from when on they are there and never change.

    commit = objects, then manifest.json by exclusive create

The objects of a commit carry the digest of their bytes in their name, so that two writers of one prefix never touch
each other's. The first manifest wins; everybody else gets the winner's, and a nonce tells whose it is.

What this does not do: remove a commit (`removal.py`), or decide anything by a listing.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infra.errors import ConflictError, IntegrityError, NotFoundError
from infra.store.manifest import MANIFEST, Manifest, StoredObject, canonical_json
from infra.store.writes import Writes


class Commits(Writes):
    """What is committed in a store, by its prefix."""

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
