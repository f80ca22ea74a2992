"""What comes of a training: how it ended, its curve, its best weights, and what was measured of them.

One that came to its end may have taught nothing: its best network is the one that it started with, or is beaten on
validation by counting notes or symbols in train (`baselines.counting`). A trial with pre-training may start with its
best network, and the likelihood of some output models is only estimated: there one of the two decides alone.

Each network is measured as it starts and at its best weights (`evaluation/diagnostics.py`).

What this does not do: train (`run.py`), or say when a training ends (`members.py`).

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


@dataclass(frozen=True)
class End:
    """Where the training of a member has ended.

    Attributes:
        s: its place in the stack.
        progress: where it is.
        diverged_at: the update at which it diverged, None where it did not.
        stalled: whether its updater had.
        checkpoint: for a longer trial to go on from, None where nobody asked for it.
    """

    s: int
    progress: Progress
    diverged_at: int | None
    stalled: bool
    checkpoint: Checkpoint | None


class Outcomes:
    """What comes of the members of a stack, and what has to be kept from their start for it.

    Args:
        network: theirs.
        train_pieces, valid_pieces: the splits, on any device.
        diagnosing: whether to measure the networks.
    """

    def __init__(self, network: Network, train_pieces: Pieces, valid_pieces: Pieces, diagnosing: bool):
        self._network, width = network, network.output.width
        self._counting = None if network.output.estimated else counting(train_pieces, valid_pieces, width)
        self._probe = probe_of(valid_pieces).to(network.parameters.theta_SP.device) if diagnosing else None
        self._started: dict[str, Diagnosis] = {}

    def measure_start(self) -> None:
        """Measure all networks as they are."""
        if self._probe is not None:
            theta_SP, retention_SH = self._network.parameters.theta_SP, self._network.retention_SH
            found = diagnose(self._network, theta_SP, retention_SH, self._probe, "start", [0] * len(theta_SP))
            self._started = dict(zip((trial.key for trial in self._network.trials), found, strict=True))

    def of(self, ends: Sequence[End], best_SP: Tensor) -> dict[str, Training]:
        """What came of some members, by the key of the trial.

        Args:
            ends: where they have ended.
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
        """Whether the best network is better than the one that was drawn, and no worse than counting."""
        drawn = now.best == 0 and now.phase == 0
        beaten = self._counting is not None and now.curve[now.best].valid < self._counting
        return "untrained" if drawn or beaten else "completed"

    def _diagnoses(self, ends: Sequence[End], best_SP: Tensor) -> list[tuple[Diagnosis, ...]]:
        """Of each of these members the diagnosis of its start and that of its best weights."""
        if self._probe is None:
            return [()] * len(ends)
        rows, retention_SH = [end.s for end in ends], self._network.retention_SH
        retention_SH = None if retention_SH is None else retention_SH[rows]
        epochs = [end.progress.best for end in ends]
        best = diagnose(self._network, best_SP[rows], retention_SH, self._probe, "best", epochs)
        return [(self._started[self._network.trials[s].key], its) for s, its in zip(rows, best, strict=True)]
