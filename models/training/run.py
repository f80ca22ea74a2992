"""The training loop: epochs of updates, each scored on validation, until the schedule or a divergence ends it.

`Run._loop` is the whole training, from pre-training (`phase_runner.py`) to the last epoch. There is one update
(`updates/`) for each chunk, or with Hessian-free optimization one for each epoch. `schedule.py` decides by the score of
an epoch; the best parameters so far are kept. If a trial averages its parameters (`updates/averaging.py`), the average
is scored and kept, while the updates continue from the parameters themselves.

Divergence is a result, not an error. A cost or a gradient that is not finite, or a cost per step of over ten times that
of uniform guessing, ends the training with the number of the update. The best parameters before it are kept.

A run can be stopped at every `yield` of the loop. A run from a checkpoint taken there (`snapshot.py`) ends with the
same bits. Several trials of one shape run as a stack, where each step is an update of all of them. The members do not
affect each other: each has its own data, random numbers, schedule, end and checkpoint (`members.py`).

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
from models.training.updates.ranks import Ranks
from models.training.updates.split_gradient import check_split
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
    """Train one trial to its end, on the CPU, from a checkpoint or from the start; see `train_stack`."""
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
    ranks: Ranks | None = None,
) -> dict[str, Training]:
    """Train trials of one shape side by side to their ends; returns their outcomes, by key.

    Args:
        trials, train_pieces, valid_pieces, width, checkpoints, device, keeping, ranks: as for `Run`, as are the errors.
        between: called after every step except the last; it may call `Run.checkpoints`, and raise to stop the training.
    """
    run = Run(trials, train_pieces, valid_pieces, width, checkpoints, device, keeping=keeping, ranks=ranks)
    while run.advance():
        if between is not None:
            between(run)
    return run.ended


class Run:
    """A running training of some trials of one shape.

    Args:
        trials: the configurations. On a CPU, single trials are faster than a stack.
        train_pieces, valid_pieces: the two splits that training may see, on any device.
        width: notes or symbols D.
        checkpoints: for each trial the checkpoint to continue from, or None; an empty sequence starts all trials anew.
        device: to compute on.
        diagnosing: whether to run the diagnostics (`diagnostics.py`); they do not change the training's numbers.
        keeping: keys of the trials whose outcome must include a final checkpoint.
        ranks: processes that train one trial together, each with a run of its own; None for this process alone. They
            must take their steps together, from equal checkpoints.

    Raises:
        CheckpointError: a checkpoint does not belong to its trial.
        ValueError: the trials differ in shape, or two are equal; or the trial cannot be trained by several processes.
        RankLostError: another rank is gone; in any step.
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
        ranks: Ranks | None = None,
    ):
        if len({trial.key for trial in trials}) != len(trials):
            raise ValueError("run: wants trials that differ")
        for trial, checkpoint in zip(trials, checkpoints, strict=False):
            if checkpoint is not None and checkpoint.key != trial.key:
                raise CheckpointError(f"checkpoint: of the trial {checkpoint.key}, not of {trial.key}")
        if ranks is not None:
            check_split(tuple(trials), train_pieces, ranks.count)
        train_here, self._valid = train_pieces.to(device), valid_pieces.to(device)
        self._network = network = Network.for_data(trials, train_pieces, width, device=device)
        streams = Streams(trials, device)
        self._updater: Updater = (
            HessianFreeUpdater(network, train_here, diagnosing)
            if network.trial.optimizer_type is HessianFree
            else GradientDescent(network, train_here, streams, diagnosing, ranks)
        )
        outcomes = Outcomes(network, train_pieces, valid_pieces, diagnosing)
        self._members = Members(network, streams, self._updater, outcomes, keeping)

        def start_phase(some: Sequence[Trial], saved: Sequence[Checkpoint | None]) -> Run:
            return Run(some, train_pieces, valid_pieces, width, saved, device, diagnosing=False)

        self._phases = PhaseRunner(network, checkpoints, start_phase)
        self._steps = self._loop()
        next(self._steps, None)

    def _loop(self) -> Iterator[None]:
        """The training from start to end. It can be stopped at each `yield`; the code up to the next one is a step."""
        members, updater = self._members, self._updater
        while not self._phases.over:  # pre-training
            yield
            self._phases.advance()
        members.begin(self._phases)  # from the result of pre-training, or from checkpoints
        if not members.have_started:
            yield
            members.start(self._scores())
        while self.trials:
            yield
            if members.updated(updater.update(members.tallies)) or not self.trials:
                continue
            # The epoch is over for all members: score it, and let the schedule decide.
            with averaged(self._network.parameters.theta_SP, updater.state) as scored_SP:
                valid = self._scores()
            members.end_epoch(valid, scored_SP)

    def _scores(self) -> list[float]:
        """The validation score of each member, nats per step."""
        return [scores.mean_log_likelihood for scores in score_members(self._network, self._valid)]

    def advance(self) -> bool:
        """Make one step, an update or a scoring, of pre-training or of the whole; returns whether another follows."""
        return next(self._steps, self) is not self

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The active trials, in the order of the S axis."""
        return self._network.trials

    @property
    def ended(self) -> dict[str, Training]:
        """The outcomes of the ended trials, by key."""
        return self._members.ended

    def progress(self) -> list[Progress]:
        """A copy of the progress of each active trial; waits for the device."""
        if not self._phases.over:
            return self._phases.progress()
        self._members.retire_diverged()
        return deepcopy(self._members.progress)

    def checkpoints(self) -> list[Checkpoint]:
        """A checkpoint of each active trial: copies of everything that the rest of its training depends on."""
        if not self._phases.over:
            return self._phases.checkpoints()
        self._members.retire_diverged()
        return [self._members.checkpoint(s) for s in range(len(self.trials))]
