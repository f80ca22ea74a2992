"""Which commits a store need not keep: old reports by a rule, and trials of older numerics that no report names.

    a report is kept if it is among the newest N, or younger than D days, or named by a pointer
    a trial of older numerics is kept, with its scores and its sample, if a kept report names it

A commit is never removed if it cannot be read, is of an unknown numerics version, or is younger than some hours. What
this does not do: remove trials of today's numerics, which the next campaign may need, or corpora.
"""

import math
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.errors import ConfigurationError, IntegrityError
from infra.store import Listed, Store
from tasks.publishing.publish import REPORTS, VERSION, report_pointers, report_versions
from tasks.telling.readable import many, readable
from tasks.telling.wording import plural
from tasks.trials.records import load_record, sample_prefix, score_prefix, stored_keys, trial_prefix
from tasks.upkeep.verify import prefix_of

_DIGEST = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True)
class Rule:
    """Which reports are kept; those that a pointer names are always kept.

    Attributes:
        reports: keep so many of the newest reports; None for no rule by number.
        days: keep reports younger than so many days; None for no rule by age.

    Raises:
        ConfigurationError: a number is negative, infinite or NaN.
    """

    reports: int | None = None
    days: float | None = None

    def __post_init__(self) -> None:
        for option, value in (("--keep-reports", self.reports), ("--keep-days", self.days)):
            if value is not None and not 0 <= value < math.inf:
                raise ConfigurationError(f"{option} {value}: wants a number that is not negative")

    @property
    def keeps_all(self) -> bool:
        """Whether the rule keeps all reports."""
        return self.reports is None and self.days is None

    def spares(self, version: str, newer: int, now: datetime) -> bool:
        """Whether the rule keeps a report, given the number of newer reports."""
        age = now - datetime.strptime(version[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        young = self.days is not None and age.total_seconds() < self.days * 86400
        return self.keeps_all or young or (self.reports is not None and newer < self.reports)


@dataclass(frozen=True)
class Dispensable:
    """Commits of one kind that may be removed.

    Attributes:
        what: a report, or the trials of a numerics version.
        why: the reason why they are not needed.
        prefixes: of the commits, in the order of removal.
        files: number of their objects, manifests included.
        size: bytes.
    """

    what: str
    why: str
    prefixes: tuple[str, ...]
    files: int
    size: int

    def __str__(self) -> str:
        return f"{self.what}: {self.files} files, {self.size:,} bytes, {self.why}"


def old_reports(store: Store, rule: Rule, listed: Iterable[Listed]) -> list[Dispensable]:
    """The reports that a rule does not keep, the oldest first.

    Args:
        store: to search.
        rule: which reports are kept.
        listed: all objects of the store.

    Raises:
        IntegrityError: a pointer is damaged, so that its report is unknown.
        StoreError: the store cannot be reached.
    """
    listed = list(listed)
    named = {value for path in report_pointers(listed) if (value := _version_at(store, path)) is not None}
    sizes, now = _sizes(listed), datetime.now(UTC)
    newest_first = reversed(report_versions(store))
    old = [v for newer, v in enumerate(newest_first) if v not in named and not rule.spares(v, newer, now)]
    manifests, _ = readable(lambda version: store.manifest(f"{REPORTS}/{version}"), reversed(old))
    return [
        Dispensable(manifest.prefix, "an old report", (manifest.prefix,), *sizes[manifest.prefix])
        for manifest in manifests.values()
        if manifest.prefix in sizes
    ]


def trials_by_numerics(store: Store) -> dict[int | None, list[str]]:
    """The keys of the stored trials, by the numerics version that made them; None for an unknown version.

    Raises:
        StoreError: the store cannot be reached.
    """
    keys = stored_keys(store, "trials")
    records, _ = readable(lambda key: load_record(store, key), keys)
    found: dict[int | None, list[str]] = {}
    for key in keys:
        made_by = {} if key not in records else _keys_of(records[key].trial.older_keys, records[key].trial.key)
        found.setdefault(made_by.get(key), []).append(key)
    return found


def _keys_of(older: tuple[str, ...], today: str) -> dict[str, int]:
    return {key: number for number, key in enumerate((*older, today), start=1)}


def outdated_trials(
    store: Store,
    going: Iterable[Dispensable],
    listed: Iterable[Listed],
    hours: float,
    trials: Mapping[int | None, list[str]] | None = None,
) -> list[Dispensable]:
    """Trials of older numerics that no kept report names, with their scores and samples; grouped by numerics version.

    Args:
        store: to search.
        going: reports that will be removed.
        listed: all objects of the store.
        hours: younger trials are kept.
        trials: result of `trials_by_numerics`, if it is known already.

    Raises:
        IntegrityError: a kept report cannot be read, so that its trials are unknown.
        StoreError: the store cannot be reached.
    """
    from models.trial import NUMERICS_VERSION

    gone = {prefix for each in going for prefix in each.prefixes}
    reports = [f"{REPORTS}/{version}" for version in report_versions(store)]
    needed = named_by(store, [prefix for prefix in reports if prefix not in gone])
    listed = list(listed)
    sizes, before = _sizes(listed), time.time() - 3600 * hours
    young = {prefix for item in listed if item.modified >= before and (prefix := prefix_of(item.path)) is not None}
    found = []
    trials = trials_by_numerics(store) if trials is None else trials
    for numerics, keys in sorted((n, keys) for n, keys in trials.items() if n is not None):
        groups = [[sample_prefix(key), score_prefix(key), trial_prefix(key)] for key in keys if key not in needed]
        old = [group for group in groups if not young.intersection(group)]
        if numerics == NUMERICS_VERSION or not old:
            continue
        prefixes = tuple(prefix for group in zip(*old, strict=True) for prefix in group if prefix in sizes)
        files, size = (sum(sizes[prefix][place] for prefix in prefixes) for place in (0, 1))
        what = f"{plural(len(old), 'trial')} of numerics {numerics}"
        why = f"which today's, {NUMERICS_VERSION}, do not use, and no report names"
        found.append(Dispensable(what, why, prefixes, files, size))
    return found


def named_by(store: Store, reports: Iterable[str]) -> set[str]:
    """Every trial key in the results of some reports, and any other text of that form.

    Raises:
        IntegrityError: a report cannot be read.
    """
    texts = many(lambda prefix: store.find(prefix, "results.json"), list(reports))
    return {found.decode() for text in texts.values() if text is not None for found in _DIGEST.findall(text)}


def withdraw_all(store: Store, found: Iterable[Dispensable]) -> int:
    """Remove commits, each one after those that depend on it; returns the number of removed files.

    Raises:
        StoreError: the store refuses.
    """
    gone = 0
    for each in found:
        for folder in dict.fromkeys(prefix.partition("/")[0] for prefix in each.prefixes):
            prefixes = [prefix for prefix in each.prefixes if prefix.startswith(f"{folder}/")]
            if folder == REPORTS:
                forget(store, prefixes)
            gone += sum(many(lambda prefix: _withdrawn(store, prefix), prefixes).values())
            if folder == REPORTS:
                from tasks.publishing.trend import renew_trend  # imports pandas, which a look at a store does not need

                renew_trend(store, make=False)
    return gone


def forget(store: Store, prefixes: Iterable[str]) -> None:
    """Remove the notes of finished campaigns that depend on these reports, since they would no longer hold."""
    from tasks.publishing.finished import FINISHED

    versions = {prefix.removeprefix(f"{REPORTS}/") for prefix in prefixes}
    notes, _ = readable(lambda path: store.read_pointer(path)[0], [item.path for item in store.objects(FINISHED)])
    for path, value in notes.items():
        if value.get("version") in versions:
            store.withdraw_pointer(path)


def _withdrawn(store: Store, prefix: str) -> int:
    manifest = store.manifest(prefix)
    return len(manifest.objects) + 1 if manifest is not None and store.withdraw(manifest) else 0


def _version_at(store: Store, pointer: str) -> str | None:
    value, _ = store.read_pointer(pointer)
    if value is not None and not VERSION.fullmatch(str(value.get("version"))):
        raise IntegrityError(f"{store.address}: {pointer} points to no report; delete it")
    return None if value is None else str(value["version"])


def _sizes(listed: Iterable[Listed]) -> Mapping[str, tuple[int, int]]:
    """The number of files and of bytes of every prefix."""
    sizes: dict[str, tuple[int, int]] = {}
    for item in listed:
        if (prefix := prefix_of(item.path)) is not None:
            files, size = sizes.get(prefix, (0, 0))
            sizes[prefix] = (files + 1, size + item.size)
    return sizes
