"""Stores as they were written before manifests and pointers had checksums."""

import hashlib
import json
from pathlib import Path

from infra.store.manifest import canonical_json


def as_before_checksums(folder: Path) -> None:
    """Rewrite a store in place: manifests of format 1, pointers without a checksum, and the digests of the former."""
    digests = {}
    for path in folder.rglob("manifest.json"):
        before = {name: value for name, value in json.loads(path.read_bytes()).items() if name != "checksum"}
        digests[str(before["prefix"])] = _write(path, before | {"format": 1})
    for path in (path for path in folder.rglob("*.json") if b'"nonce"' in path.read_bytes()[:100]):
        document = json.loads(path.read_bytes())
        if "value" in document:
            value = document["value"]
            if value.get("prefix") in digests:
                value["digest"] = digests[value["prefix"]]
            _write(path, {"nonce": document["nonce"], "value": value})


def _write(path: Path, document: dict[str, object]) -> str:
    data = canonical_json(document)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()
