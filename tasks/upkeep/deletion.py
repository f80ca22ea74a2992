"""Remove one version of the report from a store, and let no pointer name what is gone.

The pointers move first, then the notes that rest on it go, then the report, manifest first: whoever is stopped in
between has a report that nothing points to, or what `prefect run gc` finds. What this does not do: remove its trials
(`tasks/upkeep/retention.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from infra.errors import ConfigurationError, NotFoundError
from infra.machine.answer import Answer
from infra.store import Manifest, Store
from tasks.publishing.publish import (
    REPORTS,
    VERSION,
    pointer_value,
    pointers_to,
    report_pointers,
    report_versions,
)
from tasks.publishing.trend import renew_trend
from tasks.telling.readable import readable
from tasks.upkeep.retention import forget


@dataclass(frozen=True)
class Deleted(Answer):
    """A version that is gone.

    Attributes:
        version: which.
        done: a line for each thing that was done.
    """

    schema: ClassVar[str] = "delete"
    version: str
    done: Sequence[str]

    def __str__(self) -> str:
        return "\n".join(self.done)

    def to_json(self) -> dict[str, Any]:
        """The same lines."""
        return {"version": self.version, "done": list(self.done)}


def delete_report(store: Store, version: str, *, force: bool = False) -> list[str]:
    """Remove a version.

    Args:
        store: where it is.
        version: as listed.
        force: whether it may be one that a pointer names, which then moves to the newest left of what it is for.

    Returns:
        A line for each thing that was done.

    Raises:
        ConfigurationError: it cannot be a version, or a pointer names it and `force` is not given.
        NotFoundError: there is no such version.
        IntegrityError: its manifest or a pointer is damaged.
    """
    if not VERSION.fullmatch(version):
        raise ConfigurationError(f"version {version!r}: not of the form 20260102T030405Z-1a2b3c4d")
    manifest = store.manifest(f"{REPORTS}/{version}")
    if manifest is None:
        raise NotFoundError(f"{store.address}: no report {version}; `prefect run list` names those that are there")
    pointers = report_pointers(store.objects())
    naming = [pointer for pointer in pointers if (store.read_pointer(pointer)[0] or {}).get("version") == version]
    if naming and not force:
        raise ConfigurationError(
            f"version {version}: a pointer names it ({', '.join(naming)}); --force moves that to the newest report left"
        )
    lines = [_move(store, pointer, version) for pointer in naming]
    forget(store, [manifest.prefix])
    store.withdraw(manifest)
    renew_trend(store, make=False)
    return [*lines, f"removed {manifest.prefix}: {len(manifest.objects) + 1} files"]


def _move(store: Store, pointer: str, version: str) -> str:
    """Let a pointer that names a version go to the newest other report that it is for; what was done."""
    others = [f"{REPORTS}/{other}" for other in reversed(report_versions(store)) if other != version]
    manifests, _ = readable(store.manifest, others)
    left = next((manifest for manifest in manifests.values() if pointer in pointers_to(manifest)), None)
    return _set(store, pointer, version, left)


def _set(store: Store, pointer: str, version: str, left: Manifest | None) -> str:
    value, token = store.read_pointer(pointer)
    if value is None or value.get("version") != version:  # somebody has published meanwhile
        return f"{pointer} has moved by itself"
    if left is None:
        store.withdraw_pointer(pointer)
        return f"removed {pointer}: no report is left that it is for"
    store.swap_pointer(pointer, pointer_value(left), token)
    return f"{pointer} names {left.prefix.removeprefix(f'{REPORTS}/')} now"
