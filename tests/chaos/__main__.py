"""`python -m tests.chaos --seconds 300 --seed 1`, which `make chaos` runs: ends with 1 where a promise was broken."""

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.faults import schedule
from tests.chaos.rounds import Campaign, Round
from tests.chaos.table import summary, table
from tests.chaos.world import world
from tests.infra.s3 import environment


def main() -> int:
    """Rounds until the time is over, then the table, and one line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="no campaign begins later")
    parser.add_argument("--seed", type=int, default=1, help="from which all faults are drawn")
    asked = parser.parse_args()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that all parts are ended
    until = time.monotonic() + asked.seconds
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    say(f"logs are in {folder}")
    with world(folder) as made:
        os.environ.update(environment(made.s3_endpoint))
        campaign = Campaign(made, folder, say)
        say("the undisturbed campaign")
        undisturbed = campaign.round("undisturbed")
        rounds: dict[str, Round] = {}
        while time.monotonic() < until:
            name = f"{asked.seed}.{len(rounds) + 1}"
            say(f"campaign {name}")
            rounds[name] = campaign.round(name, schedule(asked.seed, len(rounds) + 1, undisturbed.seconds))
    say(table(undisturbed, rounds))
    say(summary(undisturbed, list(rounds.values())))
    broken = [line for each in (undisturbed, *rounds.values()) for line in each.broken]
    for line in broken:
        say(f"broken: {line}")
    return 1 if broken else 0


def say(line: str) -> None:
    """A line, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
