"""What may go from a store: checkpoints that have served, whole commits, and what killed writers left.

What is committed is never changed. What lies under `checkpoints/` is discarded when it has served; elsewhere a commit
is withdrawn only as a whole, by who has read its manifest, and no writer and no flow does that.
"""

from infra.errors import IntegrityError, StoreError
from infra.store.backend import SCRATCH
from infra.store.commits import Commits
from infra.store.manifest import MANIFEST, Manifest

TEMPORARY = (".tmp-", ".probe-", ".beacon-")
"""How the names begin of files that are gone again when their writer is: of a directory, of the checks."""


class Removal(Commits):
    """Commits, pointers and files that can be removed: the manifest first, so that nothing half reads as a commit."""

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

    def _names(self, prefix: str, path: str) -> bool:
        """Whether the manifest of a prefix names an object by its path, or is that object itself."""
        self._check_names(prefix)
        manifest = self.manifest(prefix)
        return path == MANIFEST or (manifest is not None and any(item.path == path for item in manifest.objects))

    def _check_scratch(self, path: str) -> None:
        self._check_names(path)
        if not path.startswith(f"{SCRATCH}/"):
            raise StoreError(f"{self.address}: {path} is for good; only what is under {SCRATCH}/ may be discarded")
