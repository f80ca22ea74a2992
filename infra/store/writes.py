"""Writes that are safe against lost responses: the outcome is read back from the backend. Names are checked, too.

If the response to a write is lost and the request is sent again, the answer may be "it exists", because of the first
try. The stored bytes then show whether the write succeeded. What this does not do: know commits or pointers.
"""

from collections.abc import Mapping

from infra.errors import StoreError
from infra.store.backend import Backend
from infra.store.manifest import MANIFEST, plain_name


class Writes:
    """Writes of whole objects, with checked names.

    Attributes:
        address: of the store, normalised.
    """

    def __init__(self, address: str, backend: Backend) -> None:
        self.address = address
        self._backend = backend

    def _create(self, path: str, data: bytes) -> bool:
        """Whether the object now has these bytes: by this call, its lost first try, or another writer of the same."""
        return self._backend.create(path, data) or self._holds(path, data)

    def _create_all(self, files: Mapping[str, bytes]) -> str | None:
        """Write all objects; returns the path of one that has other bytes, or None if all have these bytes now."""
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
