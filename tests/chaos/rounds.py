"""A campaign that is typed again and again until it is done, while faults happen to all that it needs."""

import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.store import Store
from tasks.upkeep.verify import verify_store
from tests.chaos.contents import changed, contents
from tests.chaos.faults import Fault
from tests.chaos.parts import STOP_SECONDS, Part
from tests.chaos.world import World
from tests.infra.s3 import BUCKET

SIZE = (
    "--preset",
    "smoke",
    "--corpora",
    "folk-tunes-words",
    "--trials",
    "4",
    "--seeds",
    "3",
    "--epochs",
    "4",
    "--quiet",
)
AGAIN_SECONDS = 2.0
"""How long a person, or a scheduler of jobs, waits before the command is typed again."""
LONGEST_RUN = 300.0
"""Seconds after which a run counts as one that hangs, or five times what the undisturbed one took."""
MOST_RUNS = 12


@dataclass(frozen=True)
class Run:
    """The command, once.

    Attributes:
        code: exit code; of a signal the negative number.
        seconds: how long it took.
        line: the last that it wrote on standard error, where it did not end well.
        fault: what of its end was not as promised, empty where nothing is.
    """

    code: int
    seconds: float
    line: str
    fault: str


@dataclass
class Round:
    """A campaign from an empty store to its report.

    Attributes:
        faults: those that happened.
        runs: of the command.
        seconds: of all of it.
        trials: that are stored.
        begun_again: trials whose training was begun more than once.
        from_checkpoint: how many of these second beginnings went on from a checkpoint.
        ended_again: trials that were trained to their end more than once.
        changed: what is not as in the undisturbed round.
        late: parts that did not end in time.
    """

    faults: list[Fault] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    seconds: float = 0.0
    trials: int = 0
    begun_again: int = 0
    from_checkpoint: int = 0
    ended_again: int = 0
    changed: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[str]:
        """What was not as promised."""
        late = [f"{part} did not end within {STOP_SECONDS:.0f} s of a SIGTERM" for part in self.late]
        return [run.fault for run in self.runs if run.fault] + late + [f"changed: {name}" for name in self.changed[:5]]


class Campaign:
    """The campaign of all rounds.

    Args:
        world: all that it needs.
        folder: for logs.
        tell: is called with a line for all that happens.
    """

    def __init__(self, world: World, folder: Path, tell: Callable[[str], None]) -> None:
        self._world, self._folder, self._tell = world, folder, tell
        self._undisturbed: dict[str, str] | None = None
        self._longest = LONGEST_RUN

    def round(self, name: str, faults: Sequence[Fault] = ()) -> Round:
        """Run it from an empty store until it is done; the first round is the one that the others are compared with."""
        made, store = Round(), f"s3://{BUCKET}/{name}"
        self._world.notes.write_text("")
        waiting = list(faults)
        began = time.monotonic()
        while not made.runs or made.runs[-1].code:
            if len(made.runs) == MOST_RUNS:
                made.runs.append(Run(1, 0.0, "", f"not done after {MOST_RUNS} runs"))
                break
            made.runs.append(self._run(store, f"{name}-{len(made.runs) + 1}", began, waiting, made))
            until = time.monotonic() + (AGAIN_SECONDS if made.runs[-1].code else 0.0)
            while time.monotonic() < until:
                self._world.look_after()
                time.sleep(0.1)
        made.seconds = time.monotonic() - began
        made.late += self._world.late
        self._world.late.clear()
        self._world.calm()
        self._world.start()
        self._look(Store(store), made)
        return made

    def _run(self, store: str, name: str, began: float, waiting: list[Fault], made: Round) -> Run:
        command = [sys.executable, "-m", "prefect", "run", "reproduce", *SIZE, "--store", store]
        flow = Part(name, [*command, "--cluster", self._world.scheduler], self._world.environment, self._folder)
        started, wrong = time.monotonic(), ""
        flow.start()
        while flow.runs:
            now = time.monotonic()
            self._world.look_after()
            flow.resume_if_due()
            while waiting and now - began >= waiting[0].at:
                made.faults.append(waiting.pop(0))
                self._tell(f"{now - began:6.1f} s  {made.faults[-1]}")
                self._world.let(made.faults[-1], flow)
            if flow.is_late():
                made.late.append(name)
            if now - started > self._longest:
                wrong = f"{name}: not at its end after {self._longest:.0f} s"
                flow.signal(signal.SIGKILL)
            time.sleep(0.1)
        assert flow.process is not None
        code, written = flow.process.wait(), flow.log.read_text(errors="replace")
        flow.end()
        lines = [line for line in written.splitlines() if line.strip()]
        if "Traceback" in written:
            wrong = wrong or f"{name}: a traceback, see {flow.log}"
        run = Run(code, time.monotonic() - started, lines[-1] if lines and code > 0 else "", wrong)
        self._tell(f"{time.monotonic() - began:6.1f} s  the command ended with {code} {run.line}".rstrip())
        if wrong:
            self._tell(f"          {wrong}")
        return run

    def _look(self, store: Store, made: Round) -> None:
        """Compare what is stored, and count what was trained."""
        found = contents(store)
        if self._undisturbed is None:
            self._undisturbed = found
            self._longest = max(self._longest, 5 * made.seconds)
        made.changed = changed(found, self._undisturbed) + list(verify_store(store).damaged)
        made.trials = sum(name.startswith("trials/") and name.endswith("/record.json") for name in found)
        notes = [line.split() for line in self._world.notes.read_text().splitlines()]
        begun = Counter(note[1] for note in notes if note[0] == "begun")
        ended = Counter(note[1] for note in notes if note[0] == "ended")
        made.begun_again = sum(count > 1 for count in begun.values())
        made.from_checkpoint = sum(note[0] == "begun" and int(note[2]) > 0 for note in notes)
        made.ended_again = sum(count > 1 for count in ended.values())
