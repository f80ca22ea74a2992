"""Pointers and pages: small mutable objects, changed only by compare-and-swap.

What this does not do: try again after a conflict (`turns.py`).
"""

import secrets
from collections.abc import Mapping
from typing import Any

from infra.errors import ConflictError, IntegrityError, StoreError
from infra.store.manifest import canonical_json, read_json, with_checksum
from infra.store.writes import Writes

# Version of a pointer when it was read, opaque to callers; None if there was no pointer.
Token = str | None


class Pointers(Writes):
    """The pointers and pages of a store, by name."""

    def read_pointer(self, name: str) -> tuple[dict[str, Any] | None, Token]:
        """The value of a pointer, or None if it does not exist, and the token for a swap.

        Raises:
            IntegrityError: the object is not a pointer, or was changed.
        """
        self._check_names(name)
        stored = self._backend.read(name)
        if stored is None:
            return None, None
        try:
            document = dict(read_json(stored.data, name))
            # Older pointers have no checksum, and stay readable.
            whole = {"value": document["value"], "nonce": document["nonce"]}
            if stored.data not in (canonical_json(with_checksum(whole)), canonical_json(whole)):
                raise ValueError("changed after it was written")
            return dict(whole["value"]), stored.token
        except (ValueError, TypeError, KeyError, RecursionError, IntegrityError) as error:
            raise IntegrityError(f"{self.address}: {name} is not a pointer, or was changed; delete it") from error

    def swap_pointer(self, name: str, value: Mapping[str, Any], expected: Token) -> None:
        """Set a pointer if it has not changed since `expected` was read.

        Raises:
            ConflictError: it has changed; read it again, and decide again.
        """
        self._check_names(name)
        # The nonce makes the bytes of every swap unique, so that a token from before A -> B -> A no longer matches.
        data = canonical_json(with_checksum({"nonce": secrets.token_hex(16), "value": dict(value)}))
        done = self._create(name, data) if expected is None else self._replace(name, data, expected)
        if not done:
            raise ConflictError(f"{self.address}: {name} was changed by somebody else; run again")

    def read_page(self, path: str) -> tuple[bytes | None, Token]:
        """The bytes of a page, or None if it does not exist, and the token for a swap."""
        self._check_page(path)
        stored = self._backend.read(path)
        return (None, None) if stored is None else (stored.data, stored.token)

    def swap_page(self, path: str, data: bytes, expected: Token) -> None:
        """Set a page if it has not changed since `expected` was read. Pages are for browsers, and have no checksum.

        Args:
            path: `reports/index.html`: a page that is in no commit.
            data: the whole page.
            expected: token from `read_page`.

        Raises:
            StoreError: the path is not that of a page.
            ConflictError: it has changed; read it again, and make it again.
        """
        self._check_page(path)
        done = self._create(path, data) if expected is None else self._replace(path, data, expected)
        if not done:
            raise ConflictError(f"{self.address}: {path} was changed by somebody else; run again")

    def _check_page(self, path: str) -> None:
        self._check_names(path)
        if path.count("/") != 1 or not path.endswith(".html"):
            raise StoreError(f"{self.address}: {path} is no page beside commits, as reports/index.html is")
