"""Training: epochs of updates, a learning-rate schedule, early stopping; in steps that can be stopped between.

One update a chunk (`updates.py`). After every epoch the validation split is scored. The best parameters so far are
kept; without a new best the learning rate is multiplied by `decay`. Training ends when `patience` epochs since the best
one were no better than the epoch before them either: one that comes back from far away is left to.

Divergence is a result: a cost or a gradient that is not finite, or a cost a step of over ten times that of uniform
guessing, ends training with the number of the update. What was best before it is kept.

So is a training that came to its end and taught nothing: the best network is the one that it started with, or is
beaten on validation by counting notes or symbols in train (`baselines.counting`). A trial with pre-training may start
with its best network, and the likelihood of some output models is only estimated: there one of the two decides alone.

A trial with pre-training has it before all that, in the same run (`pretraining.py`): epoch 0 is the network that comes
of it.

By Hessian-free optimization an epoch is one update, over the whole split at once, and a training that has stalled ends,
whatever its patience (`hessian_free.py`).

Where a trial has a moving average of its parameters (`averaging.py`), that is the network of an epoch: it is scored and
kept, and decides the schedule, while the updates go on from the parameters themselves. Epoch 0, before any update, has
none. Where a trial has transposition, the pieces of each epoch are shifted (`transposing.py`).

A run advances by one update, or by the scoring at the end of an epoch. Between two such steps it can be left, and a
checkpoint taken there gives a run that ends with the same bits. Nothing but the end of a trial depends on its number of
epochs, so that no schedule falls to zero at the last of them: one that is equal but for more of them goes on from there
(`progress.grown`), and is over at once where patience had ended the shorter one.

Several trials of one shape can run as a stack: each step is then an update of all, and the next epoch of all begins
when the longest has ended. Members never meet: each has its own data, random numbers, schedule, end and checkpoint.

Shape letters: S stacked trials, P parameters in a row, B lanes, K carried numbers a lane.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from math import isfinite

import torch
from torch import Tensor

from models.data.chunks import ChunkPlan, Pieces, make_chunk, plan_chunks, plan_whole, shuffled
from models.data.stacked import stack
from models.data.transposing import drawn_shifts, room
from models.evaluation.baselines import counting
from models.evaluation.diagnostics import Diagnosis, diagnose, probe_of
from models.evaluation.metrics import score_members
from models.network import Network
from models.optimizers import HessianFree
from models.randomness import generator_for
from models.training.averaging import AVERAGE
from models.training.cuda_graph import updater_for
from models.training.hessian_free import HessianFreeUpdater
from models.training.outcome import Training
from models.training.pretraining import START, Preparing
from models.training.progress import Checkpoint, CheckpointError, Progress, Tallies, Tally
from models.training.updates import Updater
from models.trial import Trial


def train(
    trial: Trial,
    train_pieces: Pieces,
    valid_pieces: Pieces,
    width: int,
    between: Callable[["Run"], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Training:
    """Train one trial to its end, on the processor.

    Args:
        trial: the configuration.
        train_pieces, valid_pieces: the two splits that training may see.
        width: notes or symbols D.
        between: called after every step but the last; may ask for `Run.checkpoint`, and raise to stop.
        checkpoint: where to go on from, None for the start.

    Raises:
        CheckpointError: the checkpoint is not one of this trial.
    """
    return train_stack([trial], train_pieces, valid_pieces, width, between, [checkpoint])[trial.key]


def train_stack(
    trials: Sequence[Trial],
    train_pieces: Pieces,
    valid_pieces: Pieces,
    width: int,
    between: Callable[["Run"], None] | None = None,
    checkpoints: Sequence[Checkpoint | None] = (),
    device: torch.device | str = "cpu",
    keeping: Collection[str] = (),
) -> dict[str, Training]:
    """Train trials of one shape side by side to their ends; what came of each, by key.

    Arguments and errors are those of `train` and `Run`.
    """
    run = Run(trials, train_pieces, valid_pieces, width, checkpoints, device, keeping=keeping)
    while run.advance():
        if between is not None:
            between(run)
    return run.ended


class Run:
    """The training of some trials of one shape under way.

    Args:
        trials: the configurations; one on a processor is fastest alone.
        train_pieces, valid_pieces: the two splits that training may see, on any device.
        width: notes or symbols D.
        checkpoints: where each trial is to go on from, None for the start; none for the start of all.
        device: where to compute.
        diagnosing: whether to measure why it goes as it goes (`diagnostics.py`); its numbers are the same without.
        keeping: keys of the trials of which the outcome is to have the end.

    Attributes:
        ended: what came of the trials that are over, by key.

    Raises:
        CheckpointError: a checkpoint is not one of its trial.
        ValueError: the trials have not one shape, or one comes twice.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        train_pieces: Pieces,
        valid_pieces: Pieces,
        width: int,
        checkpoints: Sequence[Checkpoint | None] = (),
        device: torch.device | str = "cpu",
        diagnosing: bool = True,
        keeping: Collection[str] = (),
    ):
        if len({trial.key for trial in trials}) != len(trials):
            raise ValueError("run: wants trials that differ")
        self._train, self._valid = train_pieces.to(device), valid_pieces.to(device)
        self._counting = None if trials[0].output_type.estimated else counting(train_pieces, valid_pieces, width)
        self._network = Network.for_data(trials, train_pieces, width, device=device)
        if self._network.trial.optimizer_type is HessianFree:
            self._updater: Updater | HessianFreeUpdater = HessianFreeUpdater(self._network, self._train, diagnosing)
        else:
            self._updater = updater_for(self._network, diagnosing)
        self._room = room(train_pieces) if self._network.trial.transposition > 0 else None
        self._lanes = min(self._network.trial.batch, len(train_pieces))
        self._carried_SBK: Tensor | None = None
        self._progress = [Progress(trial.learning_rate) for trial in trials]
        self.ended: dict[str, Training] = {}
        self._keeping = frozenset(keeping)
        self._probe = probe_of(self._valid) if diagnosing else None
        for trial, its in zip(trials, checkpoints, strict=False):
            if its is not None and its.key != trial.key:
                raise CheckpointError(f"checkpoint: of the trial {its.key}, not of {trial.key}")
        self._preparing = Preparing(
            self._network,
            checkpoints,
            lambda some, theirs: Run(some, train_pieces, valid_pieces, width, theirs, device, diagnosing=False),
        )
        if self._preparing.over:
            self._begin()

    def _begin(self) -> None:
        """Begin the training of the whole with the parameters as they are, or go on with it from checkpoints."""
        theta_SP = self._network.parameters.theta_SP
        self._best_SP = theta_SP.clone()
        self._start_SP = theta_SP.clone() if any(self._preparing.prepares) else None
        for now, phase, updates in zip(self._progress, self._preparing.behind, self._preparing.updates, strict=True):
            now.phase, now.before = phase, updates
        # Measured before anything is restored: nobody has to keep what the same weights give again.
        self._started = dict(zip((trial.key for trial in self.trials), self._diagnose_start(), strict=False))
        for s, checkpoint in enumerate(self._preparing.whole):
            if checkpoint is not None:
                self._restore(s, checkpoint)
        self._set_out()
        self._retire({s: None for s in range(len(self.trials)) if self._is_over(s)})

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Those still under way, in the order of the S axis."""
        return self._network.trials

    def _set_out(self) -> None:
        """Take up the epoch of every member where its progress says that it is."""
        self._waiting = [self._plans(trial, now) for trial, now in zip(self.trials, self._progress, strict=True)]
        self._count_from_here()

    def _plans(self, trial: Trial, now: Progress) -> Iterator[ChunkPlan]:
        if not self._updater.carries:
            return islice(iter([plan_whole(self._train)]), now.chunk, None)
        order = shuffled(self._train, trial.batch, generator_for(trial.stream, "order", now.epoch))
        ahead = islice(plan_chunks(self._train, order, trial.batch, trial.chunk), now.chunk, None)
        if self._room is None:
            return ahead
        shift_P = drawn_shifts(trial.stream, now.epoch, trial.transposition, self._room)
        return (replace(some, shift_B=shift_P[some.piece_B]) for some in ahead)

    def _count_from_here(self) -> None:
        theta_SP = self._network.parameters.theta_SP
        self._rates_S1 = theta_SP.new_tensor([now.learning_rate for now in self._progress]).unsqueeze(1)
        self._tallies = Tallies([now.tally for now in self._progress], theta_SP.device)

    def advance(self) -> bool:
        """One step, of a phase before or of the whole: an update, or the scoring that ends an epoch.

        Returns:
            Whether there is another one after it.
        """
        if not self._preparing.over:
            self._preparing.advance()
            if self._preparing.over:
                self._begin()
            return True
        if not all(now.curve for now in self._progress):
            self._score_start()
            return True
        taken = [next(waiting, None) for waiting in self._waiting]
        if any(some is not None for some in taken):
            self._update(taken)
        else:
            self._end_epoch()
        return bool(self.trials)

    def _score_start(self) -> None:
        for now, scored in zip(self._progress, score_members(self._network, self._valid), strict=True):
            if not now.curve:
                now.curve.append(now.row_at_start(scored.mean_log_likelihood))

    def _update(self, taken: Sequence[ChunkPlan | None]) -> None:
        if isinstance(self._updater, HessianFreeUpdater):
            pairs = zip(self._progress, taken, strict=True)
            self._updater.update([None if some is None else now.epoch for now, some in pairs], self._tallies)
        else:
            alone = taken[0] if self._updater.waits else None
            trial = self._network.trial
            chunk = stack(self._train, taken, self._lanes, trial.chunk) if alone is None else make_chunk(self._train, alone)
            self._carried_SBK = self._updater.update(chunk, self._carried_SBK, self._rates_S1, self._tallies)
        for now, some in zip(self._progress, taken, strict=True):
            now.chunk += some is not None
        if self._updater.waits:
            self._retire_diverged()

    def _end_epoch(self) -> None:
        self._retire_diverged()
        if not self.trials:
            return
        ends: dict[int, int | None] = {}
        with self._averaged():
            scores = score_members(self._network, self._valid)
            for s, (now, scored) in enumerate(zip(self._progress, scores, strict=True)):
                if not isfinite(scored.mean_log_likelihood):
                    ends[s] = now.updates
                elif self._close_epoch(s, scored.mean_log_likelihood):
                    ends[s] = None
        self._retire(ends)
        self._carried_SBK = None
        self._set_out()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The network with the averages for parameters, where trials have some; afterwards it is as it was."""
        average_SP = self._updater.state.get(AVERAGE)
        if average_SP is None:
            yield
            return
        theta_SP = self._network.parameters.theta_SP
        last_SP = theta_SP.clone()
        theta_SP.copy_(average_SP)
        try:
            yield
        finally:
            theta_SP.copy_(last_SP)

    def _close_epoch(self, s: int, valid: float) -> bool:
        """Write a member's row of the curve, and set its schedule; whether that was its last epoch."""
        now, trial = self._progress[s], self.trials[s]
        now.curve.append(now.row(valid, self._network.output.estimated))
        new_best = valid > now.curve[now.best].valid
        if new_best:
            now.best, now.waited = now.epoch, 0
            self._best_SP[s] = self._network.parameters.theta_SP[s]
        elif valid <= now.curve[-2].valid:
            now.waited += 1
        now.learning_rate = self._updater.rate(s, now.learning_rate, trial.decay, new_best)
        now.epoch, now.chunk, now.tally = now.epoch + 1, 0, Tally()
        return self._is_over(s)

    def _is_over(self, s: int) -> bool:
        """Whether a member's training ends here; one that has stalled after the scoring of its epoch."""
        now = self._progress[s]
        return now.is_over(self.trials[s]) or (now.chunk == 0 and self._updater.stalled(s))

    def _retire_diverged(self) -> None:
        """Read the tallies, for which the device is waited for; those that have diverged at an update are over."""
        met = self._tallies.members()
        for now, (tally, _) in zip(self._progress, met, strict=True):
            now.tally = tally
        self._retire({s: self._progress[s].updates + 1 for s, (_, diverged) in enumerate(met) if diverged})

    def _retire(self, ends: Mapping[int, int | None]) -> None:
        """Put members among those that have ended, with the update at which they diverged; the others go on."""
        if not ends:
            return
        for (s, diverged_at), diagnoses in zip(ends.items(), self._diagnose_best(list(ends)), strict=True):
            self.ended[self.trials[s].key] = self._outcome(s, diverged_at, diagnoses)
        left = [s for s in range(len(self.trials)) if s not in ends]
        self._progress = [self._progress[s] for s in left]
        self._waiting = [self._waiting[s] for s in left]
        self._best_SP = self._best_SP[left]
        self._start_SP = None if self._start_SP is None else self._start_SP[left]
        self._carried_SBK = None if self._carried_SBK is None else self._carried_SBK[left]
        self._updater.keep(left)
        self._count_from_here()

    def _diagnose_start(self) -> list[Diagnosis]:
        if self._probe is None:
            return []
        theta_SP, retention_SH = self._network.parameters.theta_SP, self._network.retention_SH
        return diagnose(self._network, theta_SP, retention_SH, self._probe, "start", [0] * len(theta_SP))

    def _diagnose_best(self, members: list[int]) -> list[tuple[Diagnosis, ...]]:
        """Of each of these members the diagnosis of its start and that of its best weights."""
        if self._probe is None:
            return [()] * len(members)
        retention_SH = self._network.retention_SH
        retention_SH = None if retention_SH is None else retention_SH[members]
        epochs = [self._progress[s].best for s in members]
        best = diagnose(self._network, self._best_SP[members], retention_SH, self._probe, "best", epochs)
        return [(self._started[self.trials[s].key], its) for s, its in zip(members, best, strict=True)]

    def _outcome(self, s: int, diverged_at: int | None, diagnoses: tuple[Diagnosis, ...]) -> Training:
        now = self._progress[s]
        kept = diverged_at is None and self.trials[s].key in self._keeping
        return Training(
            status="diverged" if diverged_at is not None else "completed" if self._learned(now) else "untrained",
            diverged_at=diverged_at,
            best=now.curve[now.best],
            curve=tuple(now.curve),
            updates=now.updates if diverged_at is None else diverged_at,
            weights=self._network.weights(s, self._best_SP),
            diagnoses=diagnoses,
            stalled=diverged_at is None and self._updater.stalled(s),
            end=self._checkpoint(s, deepcopy(now)) if kept else None,
        )

    def _learned(self, now: Progress) -> bool:
        """Whether the best network is better than the one that was drawn, and no worse than counting."""
        if now.best == 0 and now.phase == 0:
            return False
        return self._counting is None or now.curve[now.best].valid >= self._counting

    def progress(self) -> list[Progress]:
        """Where each trial under way is, copied; waits for the device."""
        if not self._preparing.over:
            return self._preparing.progress()
        self._retire_diverged()
        return deepcopy(self._progress)

    def checkpoints(self) -> list[Checkpoint]:
        """Of each trial under way everything that the rest of its training depends on, copied."""
        if not self._preparing.over:
            return self._preparing.checkpoints()
        return [self._checkpoint(s, now) for s, now in enumerate(self.progress())]

    def _checkpoint(self, s: int, now: Progress) -> Checkpoint:
        tensors = {name: value.to("cpu", copy=True) for name, value in self._tensors(s, now).items()}
        return Checkpoint(self.trials[s].key, now, tensors)

    def _tensors(self, s: int, now: Progress) -> dict[str, Tensor]:
        rows = {
            "theta": self._network.parameters.theta_SP,
            "best": self._best_SP,
        }
        rows |= self._updater.state
        if now.chunk and self._carried_SBK is not None:
            rows["carried"] = self._carried_SBK
        if self._start_SP is not None and now.phase:
            rows[START] = self._start_SP
        if self._updater.particles_SMD is not None:
            rows["particles"] = self._updater.particles_SMD
        mine = {name: row[s : s + 1] for name, row in rows.items()}
        if self._network.output.estimated:
            mine["chains"] = self._updater.chains[s].get_state()
        return mine | {"dropout": self._updater.dropout[s].get_state()}

    def _restore(self, s: int, checkpoint: Checkpoint) -> None:
        now = self._progress[s] = deepcopy(checkpoint.progress)
        if now.chunk and self._carried_SBK is None and self._updater.carries:
            initial_SK = self._network.parameters.by_name["initial_state"].detach()
            self._carried_SBK = torch.zeros_like(initial_SK).unsqueeze(1).repeat(1, self._lanes, 1)
        mine, tensors = self._tensors(s, now), checkpoint.tensors
        if {name: (value.shape, value.dtype) for name, value in tensors.items()} != {
            name: (value.shape, value.dtype) for name, value in mine.items()
        }:
            raise CheckpointError(f"checkpoint: its tensors are not those of {self.trials[s].variant}")
        # Copied into memory of our own: a file's tensors may lie anywhere, and a product add in another order there.
        for name, value in mine.items():
            value.copy_(tensors[name])
        self._updater.dropout[s].set_state(mine["dropout"])
        if "chains" in mine:
            self._updater.chains[s].set_state(mine["chains"])
