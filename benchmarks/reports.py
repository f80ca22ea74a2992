"""The newest report of a store, for the benchmarks that compare or print what it says."""

import json
import sys
from typing import Any

from infra.store import Store
from tasks.publishing.publish import pointer_of


def newest(address: str) -> dict[str, Any]:
    """`results.json` of the newest report of a store."""
    store = Store(address)
    value, _ = store.read_pointer(pointer_of(None))
    if value is None:
        sys.exit(f"{address}: no report is there")
    document: dict[str, Any] = json.loads(store.read(f"reports/{value['version']}", "results.json"))
    return document
