"""Where benchmarks keep what they measured: a JSON each in benchmarks/results, with load, hardware and versions."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.provenance import provenance

RESULTS = Path(__file__).with_name("results")
_LOAD_BEFORE = os.getloadavg()[0]


def keep(name: str, measured: Mapping[str, Any]) -> None:
    """Write what a benchmark of that name measured."""
    document = {
        **measured,
        "load_average": {"before": _LOAD_BEFORE, "after": os.getloadavg()[0]},
        "provenance": provenance(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
