"""`dask worker --preload tests.chaos.often`: a checkpoint a second, and a line for each training that begins or ends.

The lines go to the file that `CHAOS_NOTES` names: `begun KEY UPDATES`, from how many updates on, and `ended KEY`.
"""

import os
from pathlib import Path
from typing import Any

import distributed

NOTES = "CHAOS_NOTES"


def dask_setup(worker: distributed.Worker) -> None:
    """Called by Dask in the worker's process as it starts."""
    from tasks.trials import train

    notes, train_stack = Path(os.environ[NOTES]), train.train_stack

    def noted(*arguments: Any) -> Any:
        (trial,), (checkpoint,) = arguments[0], arguments[5]
        _note(notes, f"begun {trial.key} {checkpoint.progress.updates if checkpoint else 0}")
        ended = train_stack(*arguments)
        _note(notes, f"ended {trial.key}")
        return ended

    train.train_stack = noted
    train.CHECKPOINT_SECONDS = 1.0  # type: ignore[misc]


def _note(path: Path, line: str) -> None:
    with path.open("a") as file:  # one write, at the end, whoever else writes
        file.write(f"{line}\n")
