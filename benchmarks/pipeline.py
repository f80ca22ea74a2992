"""What the pipeline costs beside training, and what a finished campaign costs: the chorales, 16 variants, 112 trials.

Run it on a quiet machine: `python -m benchmarks.pipeline [OPTIONS OF prefect run reproduce]`. Prints a table and writes
it with the hardware to benchmarks/results/pipeline.json.

The first run starts from an empty store. Its training stages last from the begin of the first trial to the commit of
the last score; their overhead is that time over the seconds that the trials trained, divided by the number of cores.
What comes before (Prefect's server, the corpus, the plan, the workers) and after (the report) is told beside it. The
same command again finds everything stored, the report too, unless the checkout differs from its commit.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.keeping import Gate, keep
from infra.provenance import provenance
from infra.store import Store
from tasks.trials.records import load_record

ROOT = Path(__file__).parents[1]
CAMPAIGN = ("--corpora", "bach-chorales")
AGAIN = 3


@dataclass(frozen=True)
class Training:
    """Of the first run: how many trials, their seconds together, and when (seconds since 1970) they began and ended."""

    trials: int
    seconds: float
    began: float
    ended: float


def run(store: str, options: list[str]) -> tuple[float, float]:
    """Seconds since 1970 at which the main job began and ended, as a person types it."""
    command = [sys.executable, "-m", "prefect", "run", "reproduce", "--store", store, "--plain", *CAMPAIGN, *options]
    began = time.time()
    subprocess.run(command, cwd=ROOT, env=dict(os.environ, DO_NOT_TRACK="1"), check=True)  # noqa: S603
    return began, time.time()


def committed(store: Store, prefix: str) -> float:
    manifest = store.manifest(prefix)
    return 0.0 if manifest is None else datetime.fromisoformat(manifest.created).timestamp()


def training(store: Store) -> Training:
    """What the trials of a store tell of themselves; a manifest holds the time of its commit."""
    seconds, began, ended = [], [], []
    for prefix in store.prefixes("trials"):
        record = load_record(store, prefix.split("/")[1])
        if record is not None:
            seconds.append(record.seconds)
            ended.append(committed(store, prefix))
            began.append(ended[-1] - record.seconds)
    ended += [committed(store, prefix) for prefix in store.prefixes("scores")]
    return Training(len(seconds), sum(seconds), min(began), max(ended))


def main() -> None:
    options = sys.argv[1:]
    cores = provenance()["cores"]
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "store")
        began, ended = run(address, options)
        told = training(Store(address))
        again = [end - begin for begin, end in (run(address, options) for _ in range(AGAIN))]
    overhead = round((told.ended - told.began) / (told.seconds / cores), 3)
    stored = round(statistics.median(again), 1)
    gates = [
        Gate("pipeline overhead", f"{told.trials} trials on {cores} cores", 1.10, 1.03, overhead, overhead <= 1.10),
        Gate("a finished campaign again, s", f"{told.trials} trials", 5.0, 2.0, stored, stored <= 5.0),
    ]
    figures = {
        "trials": told.trials,
        "cores": cores,
        "training, core-seconds": round(told.seconds, 1),
        "before the first trial, s": round(told.began - began, 1),
        "training stages, s": round(told.ended - told.began, 1),
        "after the last score, s": round(ended - told.ended, 1),
        "the whole of the first run, s": round(ended - began, 1),
        "again, s": [round(each, 1) for each in again],
    }
    for name, value in figures.items():
        print(f"{name:32}{value}")
    for gate in gates:
        print(f"{gate.name:32}{gate.gate:7.2f}{gate.aim:7.2f}{gate.measured:10.2f}")
    document = {
        "options": [*CAMPAIGN, *options],
        "figures": figures,
        "gates": [asdict(gate) for gate in gates],
    }
    keep("pipeline", document)


if __name__ == "__main__":
    main()
