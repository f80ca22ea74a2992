"""Writes whose answers may be lost: what each of them comes to is read back from the place, and their names are plain.

A request that is sent again after a lost answer may be told "it exists" by its own success: what is there then says
whose it is. What this does not do: know a commit or a pointer.
"""

from collections.abc import Mapping

from infra.errors import StoreError
from infra.store.backend import Backend
from infra.store.manifest import MANIFEST, plain_name


class Writes:
    """Whole objects at a place, by plain names.

    Attributes:
        address: of the store, in its normal form.
    """

    def __init__(self, address: str, backend: Backend) -> None:
        self.address = address
        self._backend = backend

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

    def _check_names(self, *paths: str) -> None:
        for path in paths:
            if not plain_name(path):
                raise StoreError(
                    f"{self.address}: {path!r} cannot be a name here; use letters, digits, '._+=-' and '/'"
                    f" with no segment that starts with a dot, and not {MANIFEST}"
                )
