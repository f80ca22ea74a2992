"""How long people wait for `--help`: medians of whole processes, and what `prefect run` adds to `prefect`.

Run it on a quiet machine: `python -m benchmarks.cli_startup [REPEATS]`. Commands take turns, so that a busy moment
does not fall on one of them alone.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PREFECT = (sys.executable, "-m", "prefect")
COMMANDS = {
    "prefect --help, plugins off": (*PREFECT, "--help"),
    "prefect --help": (*PREFECT, "--help"),
    "prefect run --help": (*PREFECT, "run", "--help"),
    "prefect run reproduce --help": (*PREFECT, "run", "reproduce", "--help"),
    "counterpoint --help": (sys.executable, "-c", "from flows.cli import main; main()", "--help"),
}


def seconds(name: str) -> float:
    environment = dict(os.environ, DO_NOT_TRACK="1", PREFECT_PLUGINS_ENABLED=str("plugins off" not in name))
    started = time.perf_counter()
    subprocess.run(COMMANDS[name], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return time.perf_counter() - started


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    taken: dict[str, list[float]] = {name: [seconds(name)][1:] for name in COMMANDS}  # the first one warms the disk
    for _ in range(repeats):
        for name, times in taken.items():
            times.append(seconds(name))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    for name, median in medians.items():
        print(f"{name:32}{median:7.2f} s  {median - medians['prefect --help']:+.2f} s")


if __name__ == "__main__":
    main()
