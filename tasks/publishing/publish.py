"""Publish a report as an immutable version, point to it, list the versions, pull one.

    version = UTC time YYYYMMDDTHHMMSSZ + "-" + the first 8 hexadecimal digits of the digest of the files

so that versions sort by time. `latest.json` points to the newest report. `latest-PRESET.json` points to the newest
report of a preset, so that a small nightly campaign does not hide the thorough one of Saturday. A campaign that changes
its preset moves only `latest.json`: pulling a preset always gives the unchanged preset.

What this does not do: make a report (`tasks/report`), or write anywhere except into the store (infra/store) and into
the directory that a report is pulled to.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.errors import ConfigurationError, IntegrityError, NotFoundError
from infra.store import Listed, Manifest, Store, swap_in_turn, valid_path
from tasks.publishing.placing import place
from tasks.telling.readable import naming, passed_over, readable
from tasks.telling.wording import preset_title, visible

REPORTS = "reports"
_BASELINE = "baseline/"  # as in tasks/report/numbers/variant_titles.py, which would bring pandas
VERSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
TREND = "reports/index.html"
"""The page of all versions (`tasks/publishing/trend.py`)."""
LATEST = re.compile(r"latest(-[A-Za-z0-9._+=-]+)?\.json")
"""The names of pointers to reports."""


@dataclass(frozen=True)
class PublishedReport:
    """One line of the list of reports.

    Attributes:
        version: name of the version.
        created: UTC time of the commit, ISO 8601.
        preset: of the campaign; "" if unknown.
        best: the best variant of the first corpus with its score; "" if unknown.
        latest: whether it is the newest of its preset; always False for a campaign that changes its preset.
        changes: settings that differ from the preset.
    """

    version: str
    created: str
    preset: str
    best: str
    latest: bool
    changes: tuple[str, ...] = ()

    def __str__(self) -> str:
        title = preset_title(self.preset, self.changes)
        parts = [self.version, self.created, title, self.best, "(latest)" if self.latest else ""]
        return "  ".join(visible(text) for text in parts if text)


def publish(
    store: Store, files: Mapping[str, bytes], provenance: Mapping[str, Any], *, now: datetime | None = None
) -> str:
    """Commit a report as a new version, and move the pointers to it, unless they point to a newer one already.

    Args:
        store: to publish in.
        files: bytes by name, from `build_report`.
        provenance: JSON values, stored in the manifest.
        now: time of the version; None for the present.

    Returns:
        The version.

    Raises:
        StoreError: the store refuses. After a ConflictError the report is committed, but others kept moving the
            pointer.
    """
    version = f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}-{_digest(files)[:8]}"
    manifest = store.commit(
        f"{REPORTS}/{version}",
        files,
        kind="report",
        provenance={**provenance, "report": _summary(files)},
        plain_names=True,
    )
    _point_all(store, manifest)
    return version


def point_to_newest(store: Store, prefix: str) -> None:
    """Move the pointers to a report that was copied into the store, if it is there and newer.

    Raises:
        StoreError: as in `publish`.
    """
    if (manifest := store.manifest(prefix)) is not None:
        _point_all(store, manifest)


def newest_made_from(store: Store, preset: str | None, digest: str) -> str | None:
    """The newest version, of a preset or of all, if it has that fingerprint (`fingerprint.py`); otherwise None."""
    version = _latest(store, preset)
    manifest = None if version is None else store.manifest(f"{REPORTS}/{version}")
    return version if manifest is not None and manifest.provenance.get("made_from") == digest else None


def pointers_to(manifest: Manifest) -> list[str]:
    """The pointers that a report moves: to the newest of all, and of its preset unless it changes the preset."""
    summary = manifest.provenance.get("report")
    own = str(summary.get("preset", "")) if isinstance(summary, dict) and not summary.get("changes") else None
    return list(dict.fromkeys((pointer_of(None), pointer_of(own))))


def pointer_of(preset: str | None) -> str:
    """The pointer to the newest report, of a preset or of all.

    >>> pointer_of(None), pointer_of("thorough")
    ('latest.json', 'latest-thorough.json')
    """
    return f"latest-{preset}.json" if preset else "latest.json"


def pointer_value(manifest: Manifest) -> dict[str, str]:
    """The value of a pointer to a report."""
    version = manifest.prefix.removeprefix(f"{REPORTS}/")
    return {"version": version, "prefix": manifest.prefix, "created": manifest.created, "digest": manifest.digest}


def _digest(files: Mapping[str, bytes]) -> str:
    """sha256 of the names and contents, independent of their order."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return total.hexdigest()


def _summary(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The summary for the list of reports, stored in the manifest so that listing need not read reports."""
    if "results.json" not in files:
        return {"preset": "", "best": "", "changes": [], "scores": []}
    document = json.loads(files["results.json"])
    lines = [answer["line"] for answer in document.get("answers", {}).values()]
    campaign = document.get("campaign", {})
    best = lines[0] if lines else ""
    preset, changes = str(campaign.get("preset", "")), list(campaign.get("changes", ()))
    return {"preset": preset, "best": best, "changes": changes, "scores": _best_scores(document)}


def _best_scores(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The best variant on each corpus by its first metric, for the page of all versions."""
    best: dict[str, dict[str, Any]] = {}
    for row in document.get("scores", ()):  # the first metric of a corpus comes first, and in it the best variant
        if row.get("mean") is not None and not row["variant"].startswith(_BASELINE):
            best.setdefault(row["corpus"], row)
    columns = ("corpus", "variant", "metric", "mean", "low", "high")
    digests = {name: str(facts.get("digest", "")) for name, facts in document.get("corpora", {}).items()}
    return [{name: row[name] for name in columns} | {"digest": digests.get(corpus, "")} for corpus, row in best.items()]


def _point_all(store: Store, manifest: Manifest) -> None:
    for pointer in pointers_to(manifest):
        _point_to(store, pointer, manifest.prefix.removeprefix(f"{REPORTS}/"), manifest)


def _point_to(store: Store, pointer: str, version: str, manifest: Manifest) -> None:
    def point() -> None:
        current, token = store.read_pointer(pointer)
        # Versions begin with their time, so a greater name is newer.
        at = "" if current is None else str(current.get("version"))
        if not (VERSION.fullmatch(at) and at >= version):
            store.swap_pointer(pointer, pointer_value(manifest), token)

    swap_in_turn(point, f"{store.address}: {version} is committed, but {pointer} kept changing; run again")


def report_versions(store: Store) -> list[str]:
    """The committed versions, the oldest first; other files beside them are ignored."""
    names = (prefix.removeprefix(f"{REPORTS}/") for prefix in store.prefixes(REPORTS))
    return sorted(name for name in names if VERSION.fullmatch(name))


def report_pointers(listed: Iterable[Listed]) -> list[str]:
    """The pointers to reports among the objects of a store."""
    return [item.path for item in listed if LATEST.fullmatch(item.path)]


def published_reports(store: Store, tell: Callable[[str], None]) -> tuple[PublishedReport, ...]:
    """All versions in a store, the oldest first.

    Args:
        store: to list.
        tell: called with a line for each version or pointer that cannot be read, and is left out.
    """
    reports, damaged = readable(lambda version: _listed(store, version), report_versions(store))
    presets = sorted({report.preset for report in reports.values() if valid_path(pointer_of(report.preset))})
    newest, broken = readable(lambda preset: _latest(store, preset), presets)
    for line in passed_over(damaged) + passed_over(broken):
        tell(line)
    return tuple(
        replace(report, latest=not report.changes and report.version == newest.get(report.preset))
        for report in reports.values()
    )


def _listed(store: Store, version: str) -> PublishedReport | None:
    if (manifest := store.manifest(f"{REPORTS}/{version}")) is None:
        return None
    with naming(f"{store.address}: {manifest.prefix}"):
        summary = manifest.provenance.get("report", {})
        preset, best = str(summary.get("preset", "")), str(summary.get("best", ""))
        changes = tuple(map(str, summary.get("changes", ())))
        return PublishedReport(version, manifest.created, preset, best, False, changes)


def _latest(store: Store, preset: str | None) -> str | None:
    current, _ = store.read_pointer(pointer_of(preset))
    if current is None:
        return None
    version = str(current.get("version"))
    if not VERSION.fullmatch(version):
        raise IntegrityError(f"{store.address}: {pointer_of(preset)} points to no report; delete it")
    return version


def pull_report(
    store: Store, version: str | None, to: Path, *, preset: str | None = None, tables: bool = False
) -> Path:
    """Copy a report into a directory, with every byte checked; the directory appears whole or not at all.

    Args:
        store: that has the report.
        version: as listed; None for the newest.
        to: the directory to make. It may exist if it is empty, or if it has exactly this report.
        preset: take the newest version of this preset; None for the newest of all.
        tables: copy only the tables that the report can be made from again (`tasks/report/kept.py`).

    Returns:
        The absolute path of the report's page, or of the directory if there is no page.

    Raises:
        NotFoundError: the version does not exist, there is no report, or tables are wanted and the report has none.
        IntegrityError: stored bytes differ from the committed ones.
        ConfigurationError: the version is malformed, or the directory has other contents or cannot be made.
    """
    version = resolve_version(store, version, preset)
    files = read_tables(store, version) if tables else _files_of(store, version, lambda _: True)
    to = place(files, to)
    return to / "index.html" if "index.html" in files else to


def read_tables(store: Store, version: str) -> dict[str, bytes]:
    """The tables that a report can be made from again, by file name, and its campaign file.

    Raises:
        NotFoundError: the version does not exist, or has no tables.
        IntegrityError: stored bytes differ from the committed ones.
    """
    from tasks.report.kept import FOLDER
    from tasks.report.words.command import FILE  # these import pandas, which listing reports does not need

    start = f"{FOLDER}/"
    files = _files_of(store, version, lambda name: name.startswith(start) or name == FILE)
    found = {name.removeprefix(start): data for name, data in files.items()}
    if set(found) <= {FILE}:
        raise NotFoundError(
            f"{store.address}: report {version} is older than tables; `prefect run report` makes one that has them"
        )
    return found


def _files_of(store: Store, version: str, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    prefix = f"{REPORTS}/{version}"
    manifest = store.manifest(prefix)
    if manifest is None:
        raise NotFoundError(f"{store.address}: no report {version}; `prefect run list` names those that are there")
    return {item.name: store.read(prefix, item.name) for item in manifest.objects if wanted(item.name)}


def resolve_version(store: Store, version: str | None, preset: str | None) -> str:
    """The named version, or else the newest one, of a preset or of all.

    Raises:
        NotFoundError: there is no report.
        ConfigurationError: the version is malformed, or a preset is given too.
    """
    if version is None:
        latest = _latest(store, preset)
        if latest is None:
            of = f" of preset {preset!r}" if preset else ""
            raise NotFoundError(f"{store.address}: no report{of} is published; `prefect run reproduce` makes one")
        return latest
    if preset is not None:
        raise ConfigurationError("a version and a preset: the version says which report is meant; leave --preset out")
    if not VERSION.fullmatch(version):
        raise ConfigurationError(f"version {version!r}: not of the form 20260102T030405Z-1a2b3c4d")
    return version
