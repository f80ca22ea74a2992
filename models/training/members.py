"""The members of a stack in training: the progress and the best weights of each, and the outcomes of ended members.

A member ends when it diverges, at the last epoch that the schedule allows, or when its updater has stalled. The other
members go on, as a smaller stack.

What this does not do: update, or score (`run.py`).

Shape letters: S stacked trials, P parameters in a row.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from math import isfinite

from torch import Tensor

from models.network import Network
from models.training.outcome import End, Outcomes, Training
from models.training.phase_runner import START, PhaseRunner
from models.training.progress import Checkpoint, Progress
from models.training.schedule import is_over, next_rate
from models.training.snapshot import Snapshot
from models.training.updates.streams import Streams
from models.training.updates.tallies import Tallies
from models.training.updates.updater import Updater


class Members:
    """The members of a stack.

    Args:
        network: of the stack.
        streams: random numbers of the updates.
        updater: makes the updates.
        outcomes: makes the outcome of an ended member.
        keeping: keys of the trials whose outcome must include a final checkpoint.

    Attributes:
        progress: of each active member.
        tallies: sums of the current epoch, on the device.
        ended: outcomes of the ended trials, by key.
    """

    def __init__(
        self,
        network: Network,
        streams: Streams,
        updater: Updater,
        outcomes: Outcomes,
        keeping: Collection[str],
    ):
        self._network, self._streams, self._updater = network, streams, updater
        self._outcomes, self._keeping = outcomes, frozenset(keeping)
        self.progress: list[Progress] = []
        self.ended: dict[str, Training] = {}

    def begin(self, phases: PhaseRunner) -> None:
        """Begin with the parameters that pre-training has left, or continue from checkpoints.

        Raises:
            CheckpointError: the tensors of a checkpoint do not match its member.
        """
        theta_SP = self._network.parameters.theta_SP
        self.progress = phases.progress()
        self._best_SP, self._start_SP = theta_SP.clone(), theta_SP.clone() if phases.has_phases else None
        # Before checkpoints are restored: initial weights can be drawn again, so no checkpoint stores the diagnosis.
        self._outcomes.measure_start()
        self._begin_epoch()
        for s, saved in enumerate(phases.whole):
            if saved is not None:
                self._snapshot(s).put_back(saved.tensors)
        self._retire({s: None for s in range(len(self.progress)) if self._is_over(s)})

    def _begin_epoch(self) -> None:
        """Begin, or continue, the current epoch of every member."""
        self._updater.begin_epoch(self.progress)
        self._tally()

    def _tally(self) -> None:
        self.tallies = Tallies([now.tally for now in self.progress], self._network.parameters.theta_SP.device)

    @property
    def have_started(self) -> bool:
        """Whether the initial network of every member was scored."""
        return all(now.curve for now in self.progress)

    def start(self, valid: Sequence[float]) -> None:
        """Write the first row of the curve, for members without any.

        Args:
            valid: score of each member on validation, nats per step.
        """
        for now, score in zip(self.progress, valid, strict=True):
            if not now.curve:
                now.curve.append(now.row_at_start(score))

    def updated(self, which: Sequence[bool]) -> bool:
        """Record which members had an update; returns False if none had, so that the epoch is over for all."""
        for now, one in zip(self.progress, which, strict=True):
            now.chunk += one
        if self._updater.waits or not any(which):
            self.retire_diverged()
        return any(which)

    def end_epoch(self, valid: Sequence[float], scored_SP: Tensor) -> None:
        """Apply the schedule to the scores of an epoch, and begin the next one.

        Args:
            valid: score of each member on validation, nats per step.
            scored_SP: the scored parameters; those of a new best are kept.
        """
        ends: dict[int, int | None] = {}
        for s, (now, trial, score) in enumerate(zip(self.progress, self._network.trials, valid, strict=True)):
            if not isfinite(score):
                ends[s] = now.updates
                continue
            new_best = now.end_epoch(score, self._network.output.estimated)
            if new_best:
                self._best_SP[s] = scored_SP[s]
            now.learning_rate = self._updater.rate(s, next_rate(now.learning_rate, trial.decay, new_best))
            if self._is_over(s):
                ends[s] = None
        self._retire(ends)
        self._begin_epoch()

    def _is_over(self, s: int) -> bool:
        """Whether a member's training ends here. A stalled member ends only after its epoch was scored."""
        now, trial = self.progress[s], self._network.trials[s]
        stalled = now.chunk == 0 and self._updater.stalled(s)
        return stalled or is_over(now.epoch, trial.epochs, now.waited, trial.patience)

    def retire_diverged(self) -> None:
        """Read the tallies, which waits for the device, and end the members that diverged at an update."""
        met = self.tallies.members()
        for now, (tally, _) in zip(self.progress, met, strict=True):
            now.tally = tally
        self._retire({s: self.progress[s].updates + 1 for s, (_, diverged) in enumerate(met) if diverged})

    def _retire(self, ends: Mapping[int, int | None]) -> None:
        """End some members, each with the update at which it diverged, or None; the other members go on."""
        if not ends:
            return
        ended = []
        for s, diverged_at in ends.items():
            kept = diverged_at is None and self._network.trials[s].key in self._keeping
            checkpoint = self.checkpoint(s) if kept else None
            ended.append(End(s, self.progress[s], diverged_at, self._updater.stalled(s), checkpoint))
        self.ended |= self._outcomes.of(ended, self._best_SP)
        left = [s for s in range(len(self.progress)) if s not in ends]
        self.progress = [self.progress[s] for s in left]
        self._best_SP = self._best_SP[left]
        self._start_SP = None if self._start_SP is None else self._start_SP[left]
        self._network.keep(left)
        self._streams.keep(left)
        self._updater.keep(left)
        self._tally()

    def checkpoint(self, s: int) -> Checkpoint:
        """A copy of everything that the rest of a member's training depends on, with its tally as last read."""
        return Checkpoint(self._network.trials[s].key, deepcopy(self.progress[s]), self._snapshot(s).copied())

    def _snapshot(self, s: int) -> Snapshot:
        now = self.progress[s]
        rows = {"theta": self._network.parameters.theta_SP, "best": self._best_SP}
        rows |= self._updater.tensors(within_epoch=now.chunk > 0)
        if self._start_SP is not None and now.phase:
            rows[START] = self._start_SP
        chains = {"chains": self._streams.chains} if self._network.output.estimated else {}
        return Snapshot.of(self._network.trials[s], s, rows, chains | {"dropout": self._streams.dropout})
