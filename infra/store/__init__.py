"""The object store: immutable commits and small pointers, on a directory, in S3, or in memory.

A commit is its manifest: the objects are written first, `manifest.json` last and only if nobody else has
written it. See docs/storage.md for the layout and for what is promised.

All writes of the project to storage go through this package, and nothing in it knows what is stored.
"""

from infra.store.address import valid_path
from infra.store.backend import SCRATCH, Listed
from infra.store.manifest import MANIFEST, Manifest, StoredObject, read_json, with_checksum
from infra.store.pointers import Token
from infra.store.removal import TEMPORARY
from infra.store.store import Store
from infra.store.turns import swap_in_turn

__all__ = [
    "MANIFEST",
    "SCRATCH",
    "TEMPORARY",
    "Listed",
    "Manifest",
    "Store",
    "StoredObject",
    "Token",
    "read_json",
    "swap_in_turn",
    "valid_path",
    "with_checksum",
]
