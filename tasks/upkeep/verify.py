"""The command `verify`: hash everything in a store again, and list changed, missing and foreign objects.

A manifest has the sha256 of its objects and a checksum of itself; a pointer has a checksum too. A deleted object is
noticed by references to it: from objects to their manifest, from a score or a sample to its trial, from an ingest or a
name to its corpus, from a pointer to its report. A deleted commit without references, such as a search trial, is not
noticed; the next run makes it again.

What this does not do: check checkpoints, which are ignored if they are damaged, or repair anything.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from infra.errors import IntegrityError
from infra.machine.answer import Answer
from infra.store import MANIFEST, SCRATCH, TEMPORARY, Listed, Manifest, Store, valid_path
from models.data_kinds import LAST_STEP_ALONE
from tasks.ingest import find_name
from tasks.ingest.stored import corpus_prefix, ingest_prefix, load_kind, recorded
from tasks.publishing.finished import FINISHED
from tasks.publishing.publish import LATEST, TREND, VERSION, pointers_to
from tasks.telling.readable import is_digest, readable
from tasks.trials.records import load_record

KINDS = {
    "data": "corpus",
    "ingests": "ingest",
    "trials": "trial",
    "scores": "score",
    "samples": "sample",
    "reports": "report",
}
"""The kind of the commits in each folder, see docs/storage.md."""
_WHOLE = {
    "data": {"arrays", "corpus"},
    "ingests": {"record", "inputs"},
    "trials": {"record", "curves", "weights"},
    "scores": {"pieces"},
    "samples": {"sample"},
    "reports": {"index", "results"},
}
"""Objects of every commit in the folder. If all are there without a manifest, it was lost, or was about to follow."""


@dataclass(frozen=True)
class Verified(Answer):
    """The result of a check.

    Attributes:
        commits: number of checked commits.
        damaged: a line for each damaged or missing object, with the mend.
        noticed: a line for each harmless finding: foreign files, leftovers of killed writers, unchecked objects.
    """

    schema: ClassVar[str] = "verify"
    commits: int
    damaged: tuple[str, ...]
    noticed: tuple[str, ...] = ()

    def __str__(self) -> str:
        whole = [] if self.damaged else [f"{self.commits} commits are whole"]
        return "\n".join([*self.damaged, *self.noticed, *whole])

    def to_json(self) -> dict[str, Any]:
        """The number of commits, and the same lines."""
        return {"commits": self.commits, "damaged": list(self.damaged), "noticed": list(self.noticed)}


def verify_store(store: Store) -> Verified:
    """Check every object of every commit, and every pointer, against their digests, in parallel.

    Raises:
        StoreError: the store cannot be reached.
    """
    listed = store.objects()
    places = _by_prefix(listed)
    committed = {prefix for prefix, paths in places.items() if f"{prefix}/{MANIFEST}" in paths}
    manifests, damaged = readable(lambda prefix: _verified(store, prefix), sorted(committed))
    pointers = [item.path for item in listed if _is_pointer(item.path)]
    targets, broken = readable(lambda path: _target(store, path, manifests), pointers)
    ingests = [prefix for prefix in manifests if prefix.startswith("ingests/")]
    records, unreadable = readable(lambda prefix: recorded(store, prefix), ingests)
    lost = [
        f"{store.address}: {other} is not there, and {who} speaks of it; run again"
        for who, other in _spoken_of(sorted(committed), manifests, records) + _pairs(targets)
        if other not in committed and other not in pointers and not _is_there(store, other)
    ]
    unfinished, undone = _without_manifest(store, {p: paths for p, paths in places.items() if p not in committed})
    lines = (*damaged.values(), *broken.values(), *unreadable.values(), *undone, *dict.fromkeys(lost))
    noticed = [*unfinished, *_unsampled(store, committed)]
    older = sum(not manifest.vouched for manifest in manifests.values())
    unvouched = [f"{older} commits are older than checksums: of their manifests the form alone was checked"]
    return Verified(len(committed), lines, (*_foreign(listed), *noticed, *(unvouched if older else ())))


def prefix_of(path: str) -> str | None:
    """The prefix of the commit that a path belongs to, such as `trials/<key>`; None if it belongs to none."""
    folder, _, rest = path.partition("/")
    name, slash, _ = rest.partition("/")
    ours = VERSION.fullmatch(name) if folder == "reports" else is_digest(name)
    return f"{folder}/{name}" if folder in KINDS and slash and ours else None


def _by_prefix(listed: Iterable[Listed]) -> dict[str, list[str]]:
    """The paths of the objects of every prefix, committed or not."""
    places: dict[str, list[str]] = {}
    for item in listed:
        if (prefix := prefix_of(item.path)) is not None and not _last(item.path).startswith(TEMPORARY):
            places.setdefault(prefix, []).append(item.path)
    return places


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _verified(store: Store, prefix: str) -> Manifest:
    manifest = store.verify(prefix)
    if manifest.kind != (kind := KINDS[prefix.partition("/")[0]]):
        raise IntegrityError(f"{store.address}: {prefix} says that it is a {manifest.kind!r}, and is a {kind}")
    return manifest


def _without_manifest(store: Store, places: Mapping[str, list[str]]) -> tuple[list[str], list[str]]:
    """Lines for leftovers of killed writers, and for commits that have all their objects but lost their manifest."""
    left, lost = [], []
    for prefix, paths in places.items():
        if store.committed(prefix):  # committed after the listing
            continue
        stems = {re.split(r"-[0-9a-f]{12}(?=\.|$)|\.", _last(path))[0] for path in paths}
        if stems >= _WHOLE[prefix.partition("/")[0]]:
            mend = "run the campaign or the ingest again; `prefect run gc` removes what is left"
            lost.append(f"{store.address}: {prefix}/{MANIFEST} is missing, and its objects are there; {mend}")
        else:
            left.append(f"{prefix}: {len(paths)} objects of a writer that was killed; `prefect run gc` removes them")
    return left, lost


def _spoken_of(
    committed: Iterable[str], manifests: Mapping[str, Manifest], records: Mapping[str, tuple[str, str]]
) -> list[tuple[str, str]]:
    """The references of commits: pairs of the referring prefix and the prefix or pointer it refers to."""
    spoken = [(prefix, f"trials/{_last(prefix)}") for prefix in committed if prefix.startswith(("scores/", "samples/"))]
    spoken += [(prefix, f"scores/{_last(prefix)}") for prefix in committed if prefix.startswith("samples/")]
    for prefix, (digest, name) in records.items():
        spoken += [(prefix, path) for path in (corpus_prefix(digest), f"corpora/{name}.json") if valid_path(path)]
    for prefix, manifest in manifests.items():
        if prefix.startswith("reports/"):
            spoken += [(prefix, path) for path in pointers_to(manifest) if valid_path(path)]
    return spoken


def _unsampled(store: Store, committed: Iterable[str]) -> list[str]:
    """Lines for scored trials without a sample: deleted, not made yet, or older than samples."""
    there = {prefix for prefix in committed if prefix.startswith(("scores/", "samples/"))}
    keys = sorted(_last(prefix) for prefix in there if f"samples/{_last(prefix)}" not in there)
    records, _ = readable(lambda key: load_record(store, key), keys)
    kinds, _ = readable(lambda digest: load_kind(store, digest), {each.trial.corpus for each in records.values()})
    return [
        f"samples/{key}: not there, and its score is; the same campaign again makes it"
        for key, record in records.items()
        if record.trial.corpus in kinds and kinds[record.trial.corpus] not in LAST_STEP_ALONE
    ]


def _pairs(targets: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    return [(path, prefix) for path, prefixes in targets.items() for prefix in prefixes]


def _is_there(store: Store, path: str) -> bool:
    """Whether a prefix or a pointer was written after the listing."""
    return store.read_pointer(path)[0] is not None if path.endswith(".json") else store.committed(path)


def _target(store: Store, path: str, manifests: Mapping[str, Manifest]) -> list[str]:
    """The prefixes that a pointer refers to.

    Raises:
        IntegrityError: the pointer is damaged, or its report has another digest.
    """
    if _is_name(path):
        named = find_name(store, path.removeprefix("corpora/").removesuffix(".json"))
        if named is None:
            return []
        return [corpus_prefix(named.digest), *([ingest_prefix(named.source)] if named.source else [])]
    value, _ = store.read_pointer(path)
    if _is_note(path):
        return [] if value is None else [f"reports/{value.get('version')}"]
    prefix = str((value or {}).get("prefix"))
    if prefix_of(f"{prefix}/{MANIFEST}") is None:
        raise IntegrityError(f"{store.address}: {path} points to no report; delete it")
    if prefix in manifests and manifests[prefix].digest != (value or {}).get("digest"):
        raise IntegrityError(f"{store.address}: {prefix} is not the report that {path} was made for; delete both")
    return [prefix]


def _is_pointer(path: str) -> bool:
    return LATEST.fullmatch(path) is not None or _is_name(path) or _is_note(path)


def _is_note(path: str) -> bool:
    """Whether a path is that of a note of a finished campaign."""
    folder, _, name = path.partition("/")
    return folder == FINISHED and is_digest(name.removesuffix(".json"))


def _is_name(path: str) -> bool:
    folder, _, name = path.partition("/")
    return folder == "corpora" and name.endswith(".json") and valid_path(name) and "/" not in name


def _foreign(listed: Iterable[Listed]) -> list[str]:
    """Lines for foreign files, such as a copy of a folder."""
    count = Counter(top for item in listed if (top := _not_ours(item)))
    return [f"{top}: not of the store, {number} files; passed over" for top, number in sorted(count.items())]


def _not_ours(item: Listed) -> str | None:
    top, _, rest = item.path.partition("/")
    if top in KINDS:
        return None if prefix_of(item.path) or item.path == TREND else f"{top}/{rest.partition('/')[0]}"
    known = top == SCRATCH or _is_pointer(item.path) or item.path == ".lock"
    return None if known or _last(item.path).startswith(TEMPORARY) else top
