"""The main job from an empty store, then again: minutes, what the trials took of them, and the largest process.

Run it on a quiet machine: `python -m benchmarks.main_job [OPTIONS OF prefect run reproduce]`. Prints a table and writes
it with the hardware to benchmarks/results/main_job.json.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks.keeping import keep
from infra.store import Store
from tasks.trials.records import load_record

ROOT = Path(__file__).parents[1]
SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Measured:
    """One run: seconds of the whole command, seconds its trials trained, MiB of its largest process."""

    run: str
    seconds: float
    training_seconds: float
    largest_process_mib: float


def largest(process: psutil.Process, ended: threading.Event) -> float:
    """MiB of the largest process of the tree, sampled until it ends."""
    peak = 0
    while not ended.wait(SAMPLE_SECONDS):
        try:
            for each in (process, *process.children(recursive=True)):
                peak = max(peak, each.memory_info().rss)
        except psutil.NoSuchProcess:
            continue  # it ended between being listed and being asked
    return peak / 2**20


def run(name: str, store: Path, options: list[str]) -> Measured:
    """Run the main job once, as a person types it."""
    before = training_seconds(store)
    began = time.perf_counter()
    command = [sys.executable, "-m", "prefect", "run", "reproduce", "--store", str(store), "--plain", *options]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ, DO_NOT_TRACK="1"))  # noqa: S603
    ended = threading.Event()
    peaks: list[float] = []
    sampler = threading.Thread(target=lambda: peaks.append(largest(psutil.Process(process.pid), ended)))
    sampler.start()
    code = process.wait()
    seconds = time.perf_counter() - began
    ended.set()
    sampler.join()
    if code:
        sys.exit(code)
    return Measured(name, round(seconds, 1), round(training_seconds(store) - before, 1), round(peaks[0]))


def training_seconds(address: Path) -> float:
    """Seconds of one core that the trials of a store took together."""
    store = Store(str(address))
    records = [load_record(store, prefix.split("/")[1]) for prefix in store.prefixes("trials")]
    return sum(record.seconds for record in records if record is not None)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = [run(name, Path(folder) / "store", sys.argv[1:]) for name in ("first", "second")]
    print(f"{'run':8}{'seconds':>10}{'training, core-seconds':>24}{'largest process, MiB':>22}")
    for each in runs:
        print(f"{each.run:8}{each.seconds:10.1f}{each.training_seconds:24.1f}{each.largest_process_mib:22.0f}")
    document = {"options": sys.argv[1:], "runs": [asdict(each) for each in runs]}
    keep("main_job", document)


if __name__ == "__main__":
    main()
