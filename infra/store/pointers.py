"""Pointers and pages: small objects that do change, each only by who has read what it was before.

What this does not do: try again where somebody else was first (`turns.py`).
"""

import secrets
from collections.abc import Mapping
from typing import Any

from infra.errors import ConflictError, IntegrityError, StoreError
from infra.store.manifest import canonical_json, read_json, with_checksum
from infra.store.writes import Writes

# What a pointer was when it was read; None where there was no pointer. Opaque to callers.
Token = str | None


class Pointers(Writes):
    """What is compared and swapped, by its name."""

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

    def _check_page(self, path: str) -> None:
        self._check_names(path)
        if path.count("/") != 1 or not path.endswith(".html"):
            raise StoreError(f"{self.address}: {path} is no page beside commits, as reports/index.html is")
