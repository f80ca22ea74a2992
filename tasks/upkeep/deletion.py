"""Remove one version of the report from a store, and every pointer to it.

The pointers are moved first, then notes that depend on the report are removed, then the report itself, manifest first.
If the command is stopped in between, the store has a report without pointers, or leftovers that `prefect run gc` finds.
What this does not do: remove the report's trials (`tasks/upkeep/retention.py`).
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
    """A removed version.

    Attributes:
        version: of the report.
        done: a line for each step.
    """

    schema: ClassVar[str] = "delete"
    version: str
    done: Sequence[str]

    def __str__(self) -> str:
        return "\n".join(self.done)

    def to_json(self) -> dict[str, Any]:
        """The version, and the same lines."""
        return {"version": self.version, "done": list(self.done)}


def delete_report(store: Store, version: str, *, force: bool = False) -> list[str]:
    """Remove a version.

    Args:
        store: that has the version.
        version: as listed.
        force: also remove a version that a pointer names; the pointer then moves to the newest remaining report for it.

    Returns:
        A line for each step.

    Raises:
        ConfigurationError: the version is malformed, or a pointer names it and `force` is False.
        NotFoundError: the version does not exist.
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
    """Move a pointer from a version to the newest other report that it is for; returns a line about it."""
    others = [f"{REPORTS}/{other}" for other in reversed(report_versions(store)) if other != version]
    manifests, _ = readable(store.manifest, others)
    left = next((manifest for manifest in manifests.values() if pointer in pointers_to(manifest)), None)
    return _set(store, pointer, version, left)


def _set(store: Store, pointer: str, version: str, left: Manifest | None) -> str:
    value, token = store.read_pointer(pointer)
    if value is None or value.get("version") != version:  # a report was published meanwhile
        return f"{pointer} has moved by itself"
    if left is None:
        store.withdraw_pointer(pointer)
        return f"removed {pointer}: no report is left that it is for"
    store.swap_pointer(pointer, pointer_value(left), token)
    return f"{pointer} names {left.prefix.removeprefix(f'{REPORTS}/')} now"
