"""Where benchmarks keep what they measured: a JSON each in benchmarks/results, with load, hardware and versions."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.provenance import provenance

RESULTS = Path(__file__).with_name("results")
_LOAD_BEFORE = os.getloadavg()[0]


@dataclass(frozen=True)
class Gate:
    """One gate: what is asked at least, or at most, what is aimed at, what was measured; `gates.py` shows them."""

    name: str
    case: str
    gate: float
    aim: float
    measured: float
    met: bool


def keep(name: str, measured: Mapping[str, Any]) -> None:
    """Write what a benchmark of that name measured."""
    document = {
        **measured,
        "load_average": {"before": _LOAD_BEFORE, "after": os.getloadavg()[0]},
        "provenance": provenance(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
