"""The members of a stack in training: where each is, its best weights, and what came of those that have ended.

A member ends at a divergence, at the last epoch that the schedule gives it, or when its updater has stalled; the others
go on, as the stack that is left.

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
        network: theirs.
        streams: the random numbers of their updates.
        updater: what updates them.
        outcomes: what makes outcomes of their ends.
        keeping: keys of the trials of which the outcome is to have the end.

    Attributes:
        progress: where each of those under way is.
        tallies: sums of the epoch under way, on the device.
        ended: what came of the trials that are over, by key.
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
        """Begin with the parameters as the phases before have left them, or go on from checkpoints.

        Raises:
            CheckpointError: the tensors of one are not those of its member.
        """
        theta_SP = self._network.parameters.theta_SP
        self.progress = phases.progress()
        self._best_SP, self._start_SP = theta_SP.clone(), theta_SP.clone() if phases.has_phases else None
        # Measured before anything is put back: nobody has to keep what the same weights give again.
        self._outcomes.measure_start()
        self._begin_epoch()
        for s, saved in enumerate(phases.whole):
            if saved is not None:
                self._snapshot(s).put_back(saved.tensors)
        self._retire({s: None for s in range(len(self.progress)) if self._is_over(s)})

    def _begin_epoch(self) -> None:
        """Take up the epoch of every member where it is."""
        self._updater.begin_epoch(self.progress)
        self._tally()

    def _tally(self) -> None:
        self.tallies = Tallies([now.tally for now in self.progress], self._network.parameters.theta_SP.device)

    @property
    def have_started(self) -> bool:
        """Whether every network was scored as it starts."""
        return all(now.curve for now in self.progress)

    def start(self, valid: Sequence[float]) -> None:
        """Write the first row of the curve of those that have none.

        Args:
            valid: score of each member on validation, nats a step.
        """
        for now, score in zip(self.progress, valid, strict=True):
            if not now.curve:
                now.curve.append(now.row_at_start(score))

    def updated(self, which: Sequence[bool]) -> bool:
        """Note which members had an update; whether any had, or the epoch is over for all."""
        for now, one in zip(self.progress, which, strict=True):
            now.chunk += one
        if self._updater.waits or not any(which):
            self.retire_diverged()
        return any(which)

    def end_epoch(self, valid: Sequence[float], scored_SP: Tensor) -> None:
        """Let the schedule say what comes of the scores of an epoch, and begin the next one.

        Args:
            valid: score of each member on validation, nats a step.
            scored_SP: the parameters that were scored; those of a new best are kept.
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
        """Whether a member's training ends here; one that has stalled after the scoring of its epoch."""
        now, trial = self.progress[s], self._network.trials[s]
        stalled = now.chunk == 0 and self._updater.stalled(s)
        return stalled or is_over(now.epoch, trial.epochs, now.waited, trial.patience)

    def retire_diverged(self) -> None:
        """Read the tallies, for which the device is waited for; those that have diverged at an update are over."""
        met = self.tallies.members()
        for now, (tally, _) in zip(self.progress, met, strict=True):
            now.tally = tally
        self._retire({s: self.progress[s].updates + 1 for s, (_, diverged) in enumerate(met) if diverged})

    def _retire(self, ends: Mapping[int, int | None]) -> None:
        """Put some among those that have ended, with the update at which they diverged; the others go on."""
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
        """Everything that the rest of a member's training depends on, copied, as far as its tallies were read."""
        return Checkpoint(self._network.trials[s].key, deepcopy(self.progress[s]), self._snapshot(s).copied())

    def _snapshot(self, s: int) -> Snapshot:
        now = self.progress[s]
        rows = {"theta": self._network.parameters.theta_SP, "best": self._best_SP}
        rows |= self._updater.tensors(within_epoch=now.chunk > 0)
        if self._start_SP is not None and now.phase:
            rows[START] = self._start_SP
        chains = {"chains": self._streams.chains} if self._network.output.estimated else {}
        return Snapshot.of(self._network.trials[s], s, rows, chains | {"dropout": self._streams.dropout})
