"""Training: epochs of updates, each scored on validation, until the schedule or a divergence ends it.

`Run._loop` is all of it, from pre-training (`phase_runner.py`) to the last epoch. Updates (`updates/`) are one a chunk,
or by Hessian-free optimization one an epoch. What the score of an epoch decides is `schedule.py`; the best parameters
so far are kept. Where a trial has a moving average of its parameters (`updates/averaging.py`), that is the network of
an epoch: it is scored and kept, while the updates go on from the parameters themselves.

Divergence is a result: a cost or a gradient that is not finite, or a cost a step of over ten times that of uniform
guessing, ends training with the number of the update. What was best before it is kept.

A run can be left at every `yield` of the loop, and a checkpoint taken there (`snapshot.py`) gives a run that ends with
the same bits. Several trials of one shape run as a stack, each step an update of all; members never meet: each has its
own data, random numbers, schedule, end and checkpoint (`members.py`).

Shape letters: S stacked trials, P parameters in a row.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from copy import deepcopy

import torch

from models.data.chunks import Pieces
from models.evaluation.metrics import score_members
from models.network import Network
from models.optimizers import HessianFree
from models.training.members import Members
from models.training.outcome import Outcomes, Training
from models.training.phase_runner import PhaseRunner
from models.training.progress import Checkpoint, CheckpointError, Progress
from models.training.updates.averaging import averaged
from models.training.updates.gradient_descent import GradientDescent
from models.training.updates.hessian_free import HessianFreeUpdater
from models.training.updates.streams import Streams
from models.training.updates.updater import Updater
from models.trial import Trial


def train(
    trial: Trial,
    train_pieces: Pieces,
    valid_pieces: Pieces,
    width: int,
    between: Callable[["Run"], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Training:
    """Train one trial to its end, on the processor, from a checkpoint or the start; see `train_stack`."""
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

    Args:
        trials, train_pieces, valid_pieces, width, checkpoints, device, keeping: as for `Run`, as are the errors.
        between: called after every step but the last; may ask for `Run.checkpoints`, and raise to stop.
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
        for trial, its in zip(trials, checkpoints, strict=False):
            if its is not None and its.key != trial.key:
                raise CheckpointError(f"checkpoint: of the trial {its.key}, not of {trial.key}")
        train_here, self._valid = train_pieces.to(device), valid_pieces.to(device)
        self._network = network = Network.for_data(trials, train_pieces, width, device=device)
        streams = Streams(trials, device)
        self._updater: Updater = (
            HessianFreeUpdater(network, train_here, diagnosing)
            if network.trial.optimizer_type is HessianFree
            else GradientDescent(network, train_here, streams, diagnosing)
        )
        outcomes = Outcomes(network, train_pieces, valid_pieces, diagnosing)
        self._members = Members(network, streams, self._updater, outcomes, keeping)

        def start_phase(some: Sequence[Trial], saved: Sequence[Checkpoint | None]) -> Run:
            return Run(some, train_pieces, valid_pieces, width, saved, device, diagnosing=False)

        self._phases = PhaseRunner(network, checkpoints, start_phase)
        self._steps = self._loop()
        next(self._steps, None)

    def _loop(self) -> Iterator[None]:
        """The training from its beginning to its end. At each `yield` it can be left; what follows is one step."""
        members, updater = self._members, self._updater
        while not self._phases.over:  # pre-training
            yield
            self._phases.advance()
        members.begin(self._phases)  # with what that gave, or from checkpoints
        if not members.have_started:
            yield
            members.start(self._scores())
        while self.trials:
            yield
            if members.updated(updater.update(members.tallies)) or not self.trials:
                continue
            # The epoch is over for all: it is scored, and the schedule says what comes of it.
            with averaged(self._network.parameters.theta_SP, updater.state) as scored_SP:
                valid = self._scores()
            members.end_epoch(valid, scored_SP)

    def _scores(self) -> list[float]:
        """Of each member on validation, nats a step."""
        return [scores.mean_log_likelihood for scores in score_members(self._network, self._valid)]

    def advance(self) -> bool:
        """One step: an update, or a scoring, of a phase before or of the whole; whether there is another one."""
        return next(self._steps, self) is not self

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Those still under way, in the order of the S axis."""
        return self._network.trials

    @property
    def ended(self) -> dict[str, Training]:
        """What came of the trials that are over, by key."""
        return self._members.ended

    def progress(self) -> list[Progress]:
        """Where each trial under way is, copied; waits for the device."""
        if not self._phases.over:
            return self._phases.progress()
        self._members.retire_diverged()
        return deepcopy(self._members.progress)

    def checkpoints(self) -> list[Checkpoint]:
        """Of each trial under way everything that the rest of its training depends on, copied."""
        if not self._phases.over:
            return self._phases.checkpoints()
        self._members.retire_diverged()
        return [self._members.checkpoint(s) for s in range(len(self.trials))]
