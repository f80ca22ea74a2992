"""Seconds that something took on this machine, kept in the user's cache folder instead of measured at every start.

A time is kept under what was timed and where: processor, cores, versions, numerics, the body of the recurrence. After a
week it is measured anew, for the machine may have been busy. Estimates alone come from here, and no result: without
the file, or where it cannot be written, times are measured as ever. So they are where it, or its folder, is not ours
alone, which the log says.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from infra.machine.home import cache_folder
from infra.machine.ownership import read_ours, replacing_ours
from infra.provenance import provenance
from models.core import scan_body
from models.trial import NUMERICS_VERSION

KEPT_SECONDS = 7 * 24 * 3600.0
_MOST = 1000
_log = logging.getLogger(__name__)


def timings_path() -> Path:
    """Where the times are kept."""
    return cache_folder() / "counterpoint" / "timings.json"


def kept(timed: Mapping[str, Any], measure: Callable[[], float]) -> float:
    """The seconds that are kept of what was timed on this machine, else those that are measured now, and kept.

    Args:
        timed: what is timed, JSON values.
        measure: times it.
    """
    key = sha256(json.dumps({"timed": timed, "machine": machine()}, sort_keys=True).encode()).hexdigest()
    known = _read().get(key)
    if known is not None:
        return known[0]
    seconds = measure()
    _write({**_read(), key: (seconds, time.time())})
    return seconds


def machine() -> dict[str, Any]:
    """What a time depends on beside what is timed, JSON values."""
    told = provenance()
    facts = {name: told[name] for name in ("processor", "cores", "platform", "versions")}
    return {**facts, "numerics": NUMERICS_VERSION, "body": scan_body()}


def _read() -> dict[str, tuple[float, float]]:
    """What is kept and young enough, each with the time at which it was measured."""
    path = timings_path()
    try:
        kept_rows = json.loads(read_ours(path))
        rows = {str(key): (float(seconds), float(when)) for key, (seconds, when) in kept_rows.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as problem:  # not ours, or not what was written
        _log.warning("times are measured anew: %s: %s", path, problem)
        return {}
    now = time.time()
    return {
        key: (seconds, when)
        for key, (seconds, when) in rows.items()
        if isfinite(seconds) and seconds >= 0 and 0 <= now - when < KEPT_SECONDS
    }


def _write(rows: Mapping[str, tuple[float, float]]) -> None:
    """Keep these, of very many the newest; the last writer of several wins."""
    path = timings_path()
    newest = dict(sorted(rows.items(), key=lambda row: -row[1][1])[:_MOST])
    # a home that cannot be written, a full disk: measured the next time, too
    with suppress(OSError), replacing_ours(path) as whole:
        whole.write_text(json.dumps(newest))
