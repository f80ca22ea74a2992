"""Run pre-training: train the phases of a stack's trials one after the other, and take over their parameters.

`run.py` runs this before the training of the whole network. For each phase it starts a run of the trials that
`pretraining.py` defines. Then it copies their weights, those of the best epoch on validation, into the stack's network.
It does so even if a phase diverged, which ends the phase and not the trial. A stack goes through a phase together;
members that have finished it wait.

Shape letters: P parameters in a row, S stacked trials.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Protocol

from models.network import Network
from models.techniques.base import PHASES
from models.training.outcome import Training
from models.training.pretraining import preparations, taken_over
from models.training.progress import Checkpoint, CheckpointError, Progress
from models.trial import Trial

START = "start"
"""Name of a tensor in a checkpoint: the parameters at the start of training the whole network, (1, P)."""


class PhaseRun(Protocol):
    """The part of `run.Run` that is used for the training of a phase."""

    @property
    def ended(self) -> Mapping[str, Training]: ...  # noqa: D102

    @property
    def trials(self) -> tuple[Trial, ...]: ...  # noqa: D102

    def advance(self) -> bool: ...  # noqa: D102

    def progress(self) -> list[Progress]: ...  # noqa: D102

    def checkpoints(self) -> list[Checkpoint]: ...  # noqa: D102


StartRun = Callable[[Sequence[Trial], Sequence[Checkpoint | None]], PhaseRun]


class PhaseRunner:
    """Runs the phases of the trials of a stack, one phase after the other.

    Args:
        network: of the trials, at its initial values; changed in place.
        checkpoints: of each trial, None to start from the beginning; an empty sequence to start all from the beginning.
        start_run: starts the training of a phase.

    Attributes:
        done: number of finished phases of each trial.
        updates: number of updates in these phases.
        whole: checkpoints taken after pre-training, to be restored when all phases are over; None for other trials.

    Raises:
        CheckpointError: a checkpoint does not belong to its trial.
    """

    def __init__(self, network: Network, checkpoints: Sequence[Checkpoint | None], start_run: StartRun):
        self._network, self._start_run = network, start_run
        self._plans = [preparations(trial) for trial in network.trials]
        self.done, self.updates = [0] * len(self._plans), [0] * len(self._plans)
        self.whole: list[Checkpoint | None] = [None] * len(self._plans)
        of_phase: list[Checkpoint | None] = [None] * len(self._plans)
        for s, checkpoint in enumerate(checkpoints):
            if checkpoint is not None:
                of_phase[s] = self._restore(s, checkpoint)
        self._in_phase: dict[int, Trial] = {}
        self._run: PhaseRun | None = None
        self._start_next(of_phase)

    @property
    def over(self) -> bool:
        """Whether all trials have finished their phases."""
        return self._run is None

    @property
    def has_phases(self) -> bool:
        """Whether any trial has phases at all."""
        return any(self._plans)

    def advance(self) -> None:
        """Make one step of the current phase; after its last step, start the next phase."""
        if self._run is None:
            return
        going = self._run.advance()
        for s, trial in list(self._in_phase.items()):
            if trial.key in self._run.ended:
                self._take_over(s, self._run.ended[trial.key])
        if not going:
            self._start_next([None] * len(self._plans))

    def progress(self) -> list[Progress]:
        """A copy of the progress of each trial, whether in its phase or waiting for the others."""
        run = self._run
        found = {} if run is None else dict(zip((trial.key for trial in run.trials), run.progress(), strict=True))
        places = []
        for s, trial in enumerate(self._network.trials):
            if (whole := self.whole[s]) is not None:
                places.append(deepcopy(whole.progress))
                continue
            now = found[self._in_phase[s].key] if s in self._in_phase else Progress(trial.learning_rate)
            places.append(replace(now, phase=self.done[s], before=self.updates[s]))
        return places

    def checkpoints(self) -> list[Checkpoint]:
        """A checkpoint of each trial: copies of everything that the rest of its training depends on."""
        found = {} if self._run is None else {each.key: each.tensors for each in self._run.checkpoints()}
        taken = []
        for s, (trial, now) in enumerate(zip(self._network.trials, self.progress(), strict=True)):
            start = {START: self._network.parameters.theta_SP[s : s + 1].to("cpu", copy=True)}
            of_phase = found[self._in_phase[s].key] if s in self._in_phase else {}
            taken.append(self.whole[s] or Checkpoint(trial.key, now, of_phase | start))
        return taken

    def _restore(self, s: int, checkpoint: Checkpoint) -> Checkpoint | None:
        """Restore the parameters of a trial's finished phases; returns the checkpoint of its current phase, or None."""
        now, plan = checkpoint.progress, self._plans[s]
        of_phase = {name: value for name, value in checkpoint.tensors.items() if name != START}
        if plan:
            row_1P, start = self._network.parameters.theta_SP[s : s + 1], checkpoint.tensors.get(START)
            fits = start is not None and (start.shape, start.dtype) == (row_1P.shape, row_1P.dtype)
            if start is None or not fits or not 0 <= now.phase <= len(plan):
                raise CheckpointError(f"checkpoint: its tensors are not those of {self._network.trials[s].variant}")
            row_1P.copy_(start)
            self.done[s], self.updates[s] = now.phase, now.before
            if of_phase and now.phase < len(plan):
                return Checkpoint(plan[now.phase].trial.key, replace(now, phase=0, before=0), of_phase)
        if of_phase or not checkpoint.tensors:
            self.whole[s] = checkpoint
        return None

    def _start_next(self, of_phase: Sequence[Checkpoint | None]) -> None:
        """Start the earliest phase that any trial still has to do, with all trials that have to do it."""
        plans = enumerate(zip(self._plans, self.done, strict=True))
        ahead = {s: plan[done] for s, (plan, done) in plans if done < len(plan)}
        phase = next((phase for phase in PHASES if any(each.phase == phase for each in ahead.values())), None)
        self._in_phase = {s: each.trial for s, each in ahead.items() if each.phase == phase}
        trials: dict[str, Trial] = {}
        checkpoints: dict[str, Checkpoint | None] = {}
        for s, trial in self._in_phase.items():  # two trials may share a phase
            trials[trial.key] = trial
            checkpoints[trial.key] = checkpoints.get(trial.key) or of_phase[s]
        self._run = self._start_run(list(trials.values()), list(checkpoints.values())) if trials else None

    def _take_over(self, s: int, training: Training) -> None:
        own = self._network.parameters.member(s)
        for name in taken_over(self._network, self._plans[s][self.done[s]].phase):
            own[name].copy_(training.weights[name])
        self.done[s] += 1
        self.updates[s] += training.updates
        del self._in_phase[s]
