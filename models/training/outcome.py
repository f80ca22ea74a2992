"""What comes of a training: how it ended, its curve, its best weights.

What this does not do: train (`run.py`).
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from models.evaluation.diagnostics import Diagnosis
from models.training.progress import Checkpoint, Epoch

Status = Literal["completed", "diverged", "untrained"]


@dataclass(frozen=True)
class Training:
    """What came of a trial.

    Attributes:
        status: `completed`, `diverged`, or `untrained`: it came to its end, and `best` is no better than counting.
        diverged_at: the update at which it diverged, counted from 1.
        best: the epoch with the best validation score.
        curve: all epochs.
        updates: how many updates were made, one that diverged included.
        weights: the parameters of `best` by name, and the units' `retention` where some leak.
        diagnoses: the network as it started, and that of `best`, measured; none where that was not asked for.
        stalled: whether it ended because Hessian-free optimization found no better point many times in a row.
        end: where it ended, for a trial with more epochs to go on from; None where it diverged or nobody asked for it.
    """

    status: Status
    diverged_at: int | None
    best: Epoch
    curve: tuple[Epoch, ...]
    updates: int
    weights: dict[str, Tensor]
    diagnoses: tuple[Diagnosis, ...]
    stalled: bool
    end: Checkpoint | None
