"""What a command takes beside training: to its first trial, from the last score to the report's path, once finished.

`python -m benchmarks.starting [TURNS [CHECKOUT ...]]` runs the smoke campaign on corpora that are stored, then the same
again, and prints medians of seconds and of processor seconds (of all its processes, trials not counted). With several
checkouts, each a clean one, they take turns, so that before and after are measured under the same load. The first one's
figures go to benchmarks/results/starting.json.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks.keeping import keep
from infra.store import Store
from tasks.trials.records import load_record

ROOT = Path(__file__).parents[1]
RUN = (sys.executable, "-m", "prefect", "run")
LOOK_SECONDS = 0.1


class Command:
    """A command of a checkout, looked at while it runs."""

    def __init__(self, checkout: Path, store: Path, *arguments: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(checkout), "DO_NOT_TRACK": "1"}
        self.store, self.began = store, time.time()
        self.process = subprocess.Popen(  # noqa: S603
            [*RUN, *arguments, "--store", str(store), "--quiet"],
            cwd=checkout,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.told, self.first, self.to_first, self.processor = 0.0, 0.0, 0.0, 0.0
        reader = threading.Thread(target=self._read)
        reader.start()
        while self.process.poll() is None:
            self._look()
            time.sleep(LOOK_SECONDS)
        reader.join()
        self.ended = time.time()
        if self.process.returncode:
            sys.exit(self.process.returncode)

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101
        for line in self.process.stdout:
            if line.startswith("report: "):
                self.told = time.time()

    def _look(self) -> None:
        self.processor = max(self.processor, processor_seconds(self.process.pid))
        if not self.first and (manifests := list(self.store.glob("trials/*/manifest.json"))):
            records = [load_record(Store(str(self.store)), path.parent.name) for path in manifests]
            trained = [record.seconds for record in records if record is not None]
            first = min(path.stat().st_mtime for path in manifests)
            self.first = first - max(trained)
            self.to_first = self.processor - sum(trained)


def processor_seconds(pid: int) -> float:
    """Of a process, and of all that it started and that are there, or were waited for."""
    total = 0.0
    try:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            total += sum(each.cpu_times())
    except psutil.NoSuchProcess:
        pass  # it ended just now
    return total


def one_turn(checkout: Path, parsed: Path, folder: Path) -> dict[str, float]:
    """The figures of a campaign, and of the same again."""
    subprocess.run(["cp", "-r", parsed, folder], check=True)  # noqa: S603, S607
    first = Command(checkout, folder, "reproduce", "--preset", "smoke")
    scored = max(path.stat().st_mtime for path in folder.glob("s*s/*/manifest.json"))
    again = Command(checkout, folder, "reproduce", "--preset", "smoke")
    return {
        "command to first trial, s": first.first - first.began,
        "command to first trial, processor s": first.to_first,
        "last score to the report's path, s": first.told - scored,
        "report's path to the end, s": first.ended - first.told,
        "the whole, processor s": first.processor,
        "finished, again, s": again.ended - again.began,
        "finished, again, processor s": again.processor,
    }


def main() -> None:
    turns = int(sys.argv[1]) if sys.argv[1:] else 3
    checkouts = [Path(each).resolve() for each in sys.argv[2:]] or [ROOT]
    figures: dict[Path, list[dict[str, float]]] = {checkout: [] for checkout in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        parsed = Path(folder) / "parsed"
        names = ("bach-chorales", "folk-tunes-characters")
        subprocess.run([*RUN, "ingest", *names, "--store", parsed, "--quiet"], cwd=ROOT, check=True)  # noqa: S603
        for turn in range(turns):
            for number, checkout in enumerate(checkouts):
                figures[checkout].append(one_turn(checkout, parsed, Path(folder) / f"{turn}-{number}"))
    medians = {
        str(checkout): {name: round(statistics.median(turn[name] for turn in made), 2) for name in made[0]}
        for checkout, made in figures.items()
    }
    for name in medians[str(checkouts[0])]:
        print(f"{name:40}", *(f"{medians[str(checkout)][name]:8.2f}" for checkout in checkouts))
    keep("starting", {"turns": turns, "figures": medians[str(checkouts[0])]})


if __name__ == "__main__":
    main()
