"""What it takes to commit a trial and to keep its end on a disk, beside the least: two files synced in turn.

`python -m benchmarks.commits [FOLDER]` in a folder of the disk that is asked about, the temporary one if none is named;
medians of milliseconds. A commit cannot be cheaper than the bound: its objects wait for the disk before its manifest.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.keeping import keep
from infra.store import Store

TIMES = 200
FILES = {"record.json": 800, "curves.parquet": 6000, "diagnostics.parquet": 4500, "weights.safetensors": 150_000}
"""Bytes, about those of 100 hidden units."""


def milliseconds(act: Callable[[int], object]) -> float:
    taken = []
    for number in range(TIMES):
        began = time.perf_counter()
        act(number)
        taken.append(time.perf_counter() - began)
    return round(1e3 * statistics.median(taken), 2)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as folder:
        store = Store(folder)
        files = {name: os.urandom(size) for name, size in FILES.items()}

        def synced(number: int) -> None:
            for name in ("objects", "manifest"):
                with (Path(folder) / f"{name}-{number}").open("wb") as file:
                    file.write(files["record.json"])
                    file.flush()
                    os.fsync(file.fileno())

        figures = {
            "two synced files, ms": milliseconds(synced),
            "a trial, ms": milliseconds(lambda n: store.commit(f"trials/{n}", files, kind="trial", provenance={})),
            "a checkpoint, ms": milliseconds(
                lambda n: store.commit(f"checkpoints/{n}/1", files, kind="checkpoint", provenance={})
            ),
        }
    for name, value in figures.items():
        print(f"{name:24}{value:8.2f}")
    keep("commits", {"times": TIMES, "figures": figures})


if __name__ == "__main__":
    main()
