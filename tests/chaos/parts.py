"""A process as a supervisor has it: started, killed, paused, and started again where it is gone."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 10.0
"""Within which a part ends that got a SIGTERM."""


class Part:
    """A process and those that it starts, in a session of their own.

    Args:
        name: of the part, and of its log.
        command: its words.
        environment: all of its variables.
        folder: where the log is written, one file for all its lives.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name, self._command, self._environment = name, list(command), dict(environment)
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._paused_until = self._asked_to_end = 0.0

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.runs:
            return
        self.end()  # what is left of the last life's session
        self._asked_to_end = 0.0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @property
    def runs(self) -> bool:
        """Whether its first process is there, paused or not."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def stop(self) -> None:
        """Send SIGTERM to its first process alone, as a supervisor does."""
        if self.process is not None and self.runs:
            self.process.send_signal(signal.SIGTERM)
            self._asked_to_end = max(time.monotonic(), self._paused_until)  # until then it does not hear it

    def is_late(self) -> bool:
        """Whether it was to stop, and runs `STOP_SECONDS` later; told once."""
        late = bool(self._asked_to_end) and self.runs and time.monotonic() - self._asked_to_end > STOP_SECONDS
        self._asked_to_end = 0.0 if late else self._asked_to_end
        return late

    def kill_inner(self) -> bool:
        """Kill a process that it has started and looks after; whether there is one."""
        for child in self._children():
            if "spawn_main" in " ".join(_words(child)):
                child.kill()
                return True
        return False

    def pause(self, seconds: float) -> None:
        """Let it stand still for so long; `resume_if_due` lets it go on."""
        self.signal(signal.SIGSTOP)
        self._paused_until = time.monotonic() + seconds
        self._asked_to_end = 0.0  # it does not hear that

    def resume_if_due(self) -> None:
        """Let it go on where its pause is over."""
        if self._paused_until and time.monotonic() >= self._paused_until:
            self._paused_until = 0.0
            self.signal(signal.SIGCONT)

    def end(self) -> None:
        """Kill all of its processes."""
        self._paused_until = 0.0
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def _children(self) -> list[psutil.Process]:
        if self.process is None or not self.runs:
            return []
        return psutil.Process(self.process.pid).children(recursive=True)


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
