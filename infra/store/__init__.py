"""The object store: immutable commits and small pointers, on a directory, in S3, or in memory.

A commit is made by its manifest: the objects are written first, and `manifest.json` last, only if no other writer has
written it. docs/storage.md has the layout and the guarantees.

All writes of the project to storage go through this package. Never in this room: knowledge of the stored data.
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
