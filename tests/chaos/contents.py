"""All that a store holds for good, without times, so that two stores can be compared byte by byte."""

import hashlib
import json
from typing import Any

from infra.store import Store

FOLDERS = ("data", "trials", "scores", "samples")
TIMES = ("seconds", "provenance", "version", "created", "ingested")
"""Keys of a record or a report that tell when, where and how long."""


def contents(store: Store) -> dict[str, str]:
    """A digest of every object of a corpus, trial, score and sample, and of every part of the newest report."""
    told: dict[str, str] = {}
    for prefix in (prefix for folder in FOLDERS for prefix in store.prefixes(folder)):
        _, files = store.read_all(prefix)
        for name, data in files.items():
            told[f"{prefix}/{name}"] = _digest(_timeless(json.loads(data)) if name == "record.json" else data)
    pointer, _ = store.read_pointer("latest.json")
    report = {} if pointer is None else json.loads(store.read(pointer["prefix"], "results.json"))
    return told | {f"report: {name}": _digest(_timeless(value)) for name, value in report.items() if name not in TIMES}


def changed(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """What is in one and not, or other, in the other."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items() if name not in TIMES}
    if isinstance(value, list):  # the ease of training is measured in epochs, in updates, and in seconds
        return [_timeless(each) for each in value if not (isinstance(each, dict) and each.get("measure") == "seconds")]
    return value


def _digest(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()
