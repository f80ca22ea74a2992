"""Start the other ranks of a trial as processes beside the worker, watch them, and end them with the training.

The worker is rank 0. A rank that dies ends the training with a named error; the trial is then tried again, from its
checkpoint, like any other that was lost. Nothing is waited for without an end: neither a rank that does not come, nor
one that does not answer.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from infra.errors import ProcessError
from infra.machine.scratch import scratch_folder
from models.training.progress import Checkpoint
from models.training.updates.ranks import RankLostError, Ranks
from models.trial import Trial
from tasks.trials.split.handed import Handed

READY_SECONDS = 300.0
_ROOT = Path(__file__).resolve().parents[3]
_LOOK_SECONDS = 0.05


@contextmanager
def processes(
    count: int, store: str, trial: Trial, checkpoint: Checkpoint | None, device: torch.device | str
) -> Iterator[Ranks | None]:
    """While the block trains a trial, other processes train along; they end with it.

    Args:
        count: of processes, with this one; with 1 there are no others, and the block gets None.
        store: address of the store that has the trial's corpus.
        trial: that the block trains, without other trials beside it.
        checkpoint: that the block starts from.
        device: that the block trains on.

    Returns:
        A context manager that yields the ranks, for `models.training.run.Run`.

    Raises:
        ProcessError: a process did not start, or was lost while the block ran.
    """
    if count == 1:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="ranks-", dir=scratch_folder()))
    handed = Handed(folder, store, trial, checkpoint, torch.device(device), count, torch.get_num_threads())
    started: list[subprocess.Popen[bytes]] = []
    try:
        handed.write()
        started += [_start(handed, number) for number in range(1, count)]
        _wait_until_ready(handed, started)
        try:
            yield handed.meet(0)
        except RankLostError as error:
            raise ProcessError(_who_was_lost(handed, started, error)) from error
    finally:
        for process in started:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        shutil.rmtree(folder, ignore_errors=True)


def _start(handed: Handed, number: int) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    with handed.said(number).open("wb") as said:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "tasks.trials.split.rank", str(handed.folder), str(number)],
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,  # its end is that of this process
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,  # a Ctrl-C is for the command, which stops the training
        )


def _wait_until_ready(handed: Handed, started: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until every rank is about to join: joining itself cannot be interrupted."""
    deadline = time.monotonic() + READY_SECONDS
    while not all(handed.ready(number).exists() for number in range(1, handed.count)):
        if any(process.poll() is not None for process in started):
            raise ProcessError(_who_was_lost(handed, started, None))
        if time.monotonic() > deadline:
            raise ProcessError(f"not all of the {handed.count} processes of the trial came in {READY_SECONDS:g} s")
        time.sleep(_LOOK_SECONDS)


def _who_was_lost(handed: Handed, started: Sequence[subprocess.Popen[bytes]], error: RankLostError | None) -> str:
    """What became of the first rank that ended: the signal that killed it, or the last line that it said."""
    time.sleep(_LOOK_SECONDS)  # its connection is closed before it has ended
    for number, process in enumerate(started, 1):
        if (code := process.poll()) is None:
            continue
        who = f"process {number + 1} of the {handed.count} that train the trial"
        if code < 0:
            cause = ": out of memory, perhaps" if code == -signal.SIGKILL else ""
            return f"{who} was killed ({signal.Signals(-code).name}){cause}"
        said = handed.said(number).read_text(errors="replace").strip().splitlines()
        return f"{who} ended: {said[-1] if said else f'exit code {code}'}"
    return str(error)
