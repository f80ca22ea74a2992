"""A cache of measured times, in the user's cache folder, so that they are not measured at every start.

The key of a time is what was timed and the machine: processor, cores, versions, numerics, and the kernel of the
recurrence. A time is measured again after a week, for the machine may have been busy. Only estimates depend on these
times; no result does. If the file is missing or cannot be written, times are measured every time. The same happens if
other users could change the file or its folder; the log says so.
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
from models.core import scan_kernel
from models.trial import NUMERICS_VERSION

KEPT_SECONDS = 7 * 24 * 3600.0
_MOST = 1000
_log = logging.getLogger(__name__)


def timings_path() -> Path:
    """The path of the cache file."""
    return cache_folder() / "counterpoint" / "timings.json"


def kept(timed: Mapping[str, Any], measure: Callable[[], float]) -> float:
    """The seconds from the cache; if there are none, they are measured now and put into the cache.

    Args:
        timed: describes what is timed, as JSON values; part of the key.
        measure: measures the seconds.
    """
    key = sha256(json.dumps({"timed": timed, "machine": machine()}, sort_keys=True).encode()).hexdigest()
    known = _read().get(key)
    if known is not None:
        return known[0]
    seconds = measure()
    _write({**_read(), key: (seconds, time.time())})
    return seconds


def machine() -> dict[str, Any]:
    """The properties of this machine that a time depends on, as JSON values."""
    origin = provenance()
    facts = {name: origin[name] for name in ("processor", "cores", "platform", "versions")}
    return {**facts, "numerics": NUMERICS_VERSION, "body": scan_kernel()}


def _read() -> dict[str, tuple[float, float]]:
    """The times of the cache that are younger than a week, each with the moment at which it was measured."""
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
    """Write the cache; only the newest `_MOST` times are kept, and the last of several writers wins."""
    path = timings_path()
    newest = dict(sorted(rows.items(), key=lambda row: -row[1][1])[:_MOST])
    # a home that cannot be written, a full disk: measured the next time, too
    with suppress(OSError), replacing_ours(path) as whole:
        whole.write_text(json.dumps(newest))
