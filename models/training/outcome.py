"""The outcome of a training: its status, its curve, its best weights and their diagnostics.

A completed training may have learned nothing. Its status is `untrained` if its best network is the initial one, or
scores less on validation than the count baseline of train (`baselines.counting`). There are two exceptions: for a trial
with pre-training the initial network may be the best, and with an estimated likelihood there is no comparison with
counting.

Each network is diagnosed at its start and at its best weights (`evaluation/diagnostics.py`).

What this does not do: train (`run.py`), or decide when a training ends (`members.py`).

Shape letters: S stacked trials, P parameters in a row, H hidden.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from models.data.chunks import Pieces
from models.evaluation.baselines import counting
from models.evaluation.diagnostics import Diagnosis, diagnose, probe_of
from models.network import Network
from models.training.progress import Checkpoint, Epoch, Progress

Status = Literal["completed", "diverged", "untrained"]


@dataclass(frozen=True)
class Training:
    """The outcome of a trial's training.

    Attributes:
        status: `completed`, `diverged`, or `untrained` (it came to its end, but `best` learned nothing, see above).
        diverged_at: the update at which it diverged, counted from 1; None if it did not.
        best: the epoch with the best validation score.
        curve: all epochs.
        updates: number of updates, including one that diverged.
        weights: the parameters of `best` by name, and the units' `retention` if some leak.
        diagnoses: of the initial network and of `best`; empty if they were not asked for.
        stalled: whether it ended because Hessian-free optimization found no better point many times in a row.
        end: final checkpoint, for a trial with more epochs to continue from; None if it diverged or was not asked for.
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


@dataclass(frozen=True)
class End:
    """The end of a member's training.

    Attributes:
        s: index of the member in the stack.
        progress: at the end.
        diverged_at: the update at which it diverged; None if it did not.
        stalled: whether its updater has stalled.
        checkpoint: for a longer trial to continue from; None if it was not asked for.
    """

    s: int
    progress: Progress
    diverged_at: int | None
    stalled: bool
    checkpoint: Checkpoint | None


class Outcomes:
    """Makes the outcomes of the members of a stack; holds the count baseline and the diagnoses of the start.

    Args:
        network: of the stack.
        train_pieces, valid_pieces: the splits, on any device.
        diagnosing: whether to diagnose the networks.
    """

    def __init__(self, network: Network, train_pieces: Pieces, valid_pieces: Pieces, diagnosing: bool):
        self._network, width = network, network.output.width
        self._counting = None if network.output.estimated else counting(train_pieces, valid_pieces, width)
        self._probe = probe_of(valid_pieces).to(network.parameters.theta_SP.device) if diagnosing else None
        self._started: dict[str, Diagnosis] = {}

    def measure_start(self) -> None:
        """Diagnose all networks in their present state."""
        if self._probe is not None:
            theta_SP, retention_SH = self._network.parameters.theta_SP, self._network.retention_SH
            found = diagnose(self._network, theta_SP, retention_SH, self._probe, "start", [0] * len(theta_SP))
            self._started = dict(zip((trial.key for trial in self._network.trials), found, strict=True))

    def of(self, ends: Sequence[End], best_SP: Tensor) -> dict[str, Training]:
        """The outcomes of some members, by the trials' keys.

        Args:
            ends: of these members.
            best_SP: the best weights of all members of the stack.
        """
        found = {}
        for end, diagnoses in zip(ends, self._diagnoses(ends, best_SP), strict=True):
            now = end.progress
            found[self._network.trials[end.s].key] = Training(
                status="diverged" if end.diverged_at is not None else self._status(now),
                diverged_at=end.diverged_at,
                best=now.curve[now.best],
                curve=tuple(now.curve),
                updates=now.updates if end.diverged_at is None else end.diverged_at,
                weights=self._network.weights(end.s, best_SP),
                diagnoses=diagnoses,
                stalled=end.diverged_at is None and end.stalled,
                end=end.checkpoint,
            )
        return found

    def _status(self, now: Progress) -> Status:
        """`completed` if the best network is not the initial one, and is no worse than counting; else `untrained`."""
        drawn = now.best == 0 and now.phase == 0
        beaten = self._counting is not None and now.curve[now.best].valid < self._counting
        return "untrained" if drawn or beaten else "completed"

    def _diagnoses(self, ends: Sequence[End], best_SP: Tensor) -> list[tuple[Diagnosis, ...]]:
        """The diagnoses of each of these members, at its start and at its best weights."""
        if self._probe is None:
            return [()] * len(ends)
        rows, retention_SH = [end.s for end in ends], self._network.retention_SH
        retention_SH = None if retention_SH is None else retention_SH[rows]
        epochs = [end.progress.best for end in ends]
        best = diagnose(self._network, best_SP[rows], retention_SH, self._probe, "best", epochs)
        return [(self._started[self._network.trials[s].key], at_best) for s, at_best in zip(rows, best, strict=True)]
