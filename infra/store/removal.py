"""Removal from a store: checkpoints that are no longer needed, whole commits, and leftovers of killed writers.

A commit is never changed. Objects under `checkpoints/` are discarded when they are no longer needed. Elsewhere a commit
can only be withdrawn as a whole, by a caller that has read its manifest; writers and flows never do that.
"""

from infra.errors import IntegrityError, StoreError
from infra.store.backend import SCRATCH
from infra.store.commits import Commits
from infra.store.manifest import MANIFEST, Manifest

TEMPORARY = (".tmp-", ".probe-", ".beacon-")
"""Prefixes of the names of temporary files, which writers and checks remove at their end."""


class Removal(Commits):
    """Removes commits, pointers and files; always the manifest first, so that half a commit is never read as one."""

    def discard(self, prefix: str) -> None:
        """Remove a commit under `checkpoints/`, its manifest first, so that it is at every moment whole or absent.

        Uncommitted objects stay, as after any killed writer.

        Raises:
            StoreError: the prefix is not under `checkpoints/`, or the store refuses.
        """
        self._check_scratch(prefix)
        try:
            manifest = self.manifest(prefix)
        except IntegrityError:
            manifest = None  # the objects of a damaged manifest are unknown
        self._backend.delete(f"{prefix}/{MANIFEST}")
        for item in () if manifest is None else manifest.objects:
            self._backend.delete(f"{prefix}/{item.path}")

    def discard_all(self, folder: str) -> None:
        """Remove everything below a folder under `checkpoints/`, committed or not, manifests first.

        Raises:
            StoreError: the folder is not under `checkpoints/`, or the store refuses.
        """
        self._check_scratch(folder)
        paths = [item.path for item in self._backend.listing(folder)]
        for path in sorted(paths, key=lambda path: path.rpartition("/")[2] != MANIFEST):
            self._backend.delete(path)

    def discard_pointer(self, name: str) -> None:
        """Remove a pointer under `checkpoints/`, if it exists.

        Raises:
            StoreError: the pointer is not under `checkpoints/`, or the store refuses.
        """
        self._check_scratch(name)
        self._backend.delete(name)

    def withdraw(self, manifest: Manifest) -> bool:
        """Remove a whole commit: the manifest first, durably, then its objects.

        If the process is stopped in between, objects without a manifest remain, as after a killed writer;
        `discard_left` removes them. The caller must know that nothing else depends on the commit.

        Args:
            manifest: of the commit; another commit under the same prefix is not removed.

        Returns:
            Whether the commit was there.

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
        """Remove a pointer, if it exists. A concurrent change goes unnoticed; its writer would have to set it again."""
        self._check_names(name)
        self._backend.delete(name)

    def discard_left(self, prefix: str, path: str) -> bool:
        """Remove a leftover of a killed writer: an object below a prefix that is not in the prefix's manifest.

        A writer may commit the same bytes at the same moment, and rely on the object; it is then written again.

        Returns:
            Whether the object is gone.

        Raises:
            StoreError: the store refuses.
            IntegrityError: the manifest of the prefix is damaged, so that its objects are unknown.
        """
        if self._names(prefix, path) or (stored := self._backend.read(f"{prefix}/{path}")) is None:
            return False
        self._backend.delete(f"{prefix}/{path}")
        if not self._names(prefix, path):
            return True
        self._create(f"{prefix}/{path}", stored.data)
        return False

    def discard_temporary(self, path: str) -> None:
        """Remove a temporary file that a writer or a check of the store has left behind.

        Raises:
            StoreError: the file is not a temporary one, or the store refuses.
        """
        if not path.rpartition("/")[2].startswith(TEMPORARY):
            raise StoreError(f"{self.address}: {path!r} is no temporary file")
        self._backend.delete(path)

    def _names(self, prefix: str, path: str) -> bool:
        """Whether a path is that of an object in the prefix's manifest, or of the manifest itself."""
        self._check_names(prefix)
        manifest = self.manifest(prefix)
        return path == MANIFEST or (manifest is not None and any(item.path == path for item in manifest.objects))

    def _check_scratch(self, path: str) -> None:
        self._check_names(path)
        if not path.startswith(f"{SCRATCH}/"):
            raise StoreError(f"{self.address}: {path} is for good; only what is under {SCRATCH}/ may be discarded")
