"""The manifest of a commit: the name, size and sha256 of every object, and their provenance.

The manifest defines the commit: an object that is in no manifest does not count. The file is the canonical JSON, byte
for byte, so that `sha256sum manifest.json` gives `Manifest.digest`.

    checksum = sha256 of the canonical JSON of all other fields

The checksum protects the manifest itself, as the sha256 of each object protects the objects. Manifests of format 1 have
no checksum, and stay readable.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from infra.errors import IntegrityError
from infra.store.address import valid_path

MANIFEST = "manifest.json"
FORMAT = 2
"""Format of new manifests; format 1 has no checksum."""
_KNOWN = (1, FORMAT)
_DIGITS_IN_NAME = 12
_MEND = "delete that folder and run again"


@dataclass(frozen=True)
class StoredObject:
    """One object of a commit.

    Attributes:
        name: for readers, `record.json`.
        path: of its bytes, relative to the prefix, `record-1a2b3c4d5e6f.json`.
        size: bytes.
        sha256: of the bytes, 64 hexadecimal digits.
    """

    name: str
    path: str
    size: int
    sha256: str

    @classmethod
    def of(cls, name: str, data: bytes, plain: bool) -> "StoredObject":
        """The manifest entry for these bytes; unless `plain`, the path contains their digest."""
        digest = hashlib.sha256(data).hexdigest()
        folder, slash, last = name.rpartition("/")
        stem, dot, suffix = last.rpartition(".")
        if not stem:
            stem, dot, suffix = last, "", ""
        path = name if plain else f"{folder}{slash}{stem}-{digest[:_DIGITS_IN_NAME]}{dot}{suffix}"
        return cls(name, path, len(data), digest)

    def fits(self, data: bytes) -> bool:
        """Whether these are its bytes."""
        return (self.size, self.sha256) == (len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class Manifest:
    """The contents of a commit.

    Attributes:
        prefix: `trials/<key>`.
        kind: of the commit, for users and for readers that check it: `trial`, `report`.
        objects: in the order they were written.
        provenance: JSON values only.
        created: UTC time, ISO 8601, to the second.
        nonce: random, 32 hexadecimal digits; distinguishes two writers of one prefix.
        format: of the JSON.
    """

    prefix: str
    kind: str
    objects: tuple[StoredObject, ...]
    provenance: dict[str, Any]
    created: str
    nonce: str
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """sha256, 64 hexadecimal digits, of the canonical JSON, and so of the file."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The canonical JSON: keys sorted, no space, no NaN.

        Raises:
            TypeError, ValueError: the provenance holds a value that JSON does not have.
        """
        body = canonical_json(vars(self) | {"objects": [vars(item) for item in self.objects]})
        if self.format == 1:
            return body
        # As `with_checksum` has it, of whose fields it is the first in the order: so they are written once, not twice.
        return b'{"checksum":"%s",%s' % (hashlib.sha256(body).hexdigest().encode(), body[1:])

    @property
    def vouched(self) -> bool:
        """Whether it has a checksum, so that every changed byte is detected."""
        return self.format > 1

    @classmethod
    def from_bytes(cls, data: bytes, prefix: str) -> "Manifest":
        """Parse a manifest, and check that it belongs to this prefix.

        Raises:
            IntegrityError: the bytes are not a manifest, or not the manifest of `prefix`.
        """
        where = f"{prefix}/{MANIFEST}"
        try:
            values = read_json(data, where)
            version = values["format"]
            if version in _KNOWN:
                values.pop("checksum", None)  # checked below: the bytes are generated again and compared
                objects = tuple(StoredObject(**item) for item in values.pop("objects"))
                manifest = cls(objects=objects, **values)
                sound = all(map(_plain, objects)) and manifest.to_bytes() == data
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, IntegrityError) as error:
            raise IntegrityError(f"{where}: not a manifest; {_MEND}") from error
        if version not in _KNOWN:
            raise IntegrityError(f"{where}: of another version of counterpoint ({version!r})")
        if not sound or manifest.prefix != prefix:
            raise IntegrityError(f"{where}: changed after it was written; {_MEND}")
        return manifest


def plain_name(name: str) -> bool:
    """Whether a name is allowed for an object: a path below its prefix, other than that of a manifest."""
    return valid_path(name) and name.split("/")[-1] != MANIFEST


def _plain(item: StoredObject) -> bool:
    # A name becomes a path when a commit is copied out of the store.
    return plain_name(item.name) and plain_name(item.path)


def read_json(data: bytes, where: str) -> Any:
    """The value of stored JSON.

    Raises:
        IntegrityError: the data is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        reason = "is nested too deeply" if isinstance(error, RecursionError) else "is not JSON"
        raise IntegrityError(f"{where}: {reason}; {_MEND}") from error


def with_checksum(values: dict[str, Any]) -> dict[str, Any]:
    """JSON values with one more field: the sha256 of their canonical JSON."""
    return {**values, "checksum": hashlib.sha256(canonical_json(values)).hexdigest()}


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, without spaces and NaN, so that equal values give equal bytes.

    Raises:
        TypeError, ValueError: a value cannot be represented in JSON.

    >>> canonical_json({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
