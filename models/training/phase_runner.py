"""Pre-training: the phases of the trials of a stack are trained one after the other, and each gives its parameters.

Whoever trains a stack starts this first; this starts a run for each phase, of the trials that `pretraining.py` names,
and puts into the stack's network what they give: the weights that were best on validation, also where a phase diverged,
which ends the phase and not the trial. A stack goes through a phase together; members that have it behind them wait.

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
"""Name of the tensor in a checkpoint: the parameters that the training of the whole begins with, (1, P)."""


class PhaseRun(Protocol):
    """What is asked of the training of a phase: `run.Run`."""

    @property
    def ended(self) -> Mapping[str, Training]: ...  # noqa: D102

    @property
    def trials(self) -> tuple[Trial, ...]: ...  # noqa: D102

    def advance(self) -> bool: ...  # noqa: D102

    def progress(self) -> list[Progress]: ...  # noqa: D102

    def checkpoints(self) -> list[Checkpoint]: ...  # noqa: D102


StartRun = Callable[[Sequence[Trial], Sequence[Checkpoint | None]], PhaseRun]


class PhaseRunner:
    """The phases of the trials of a stack, one phase of all after the other.

    Args:
        network: of the trials, as it was drawn; changed in place.
        checkpoints: of each trial, None for the start; none for the start of all.
        start_run: starts the training of a phase.

    Attributes:
        done: how many phases each trial has behind it.
        updates: those made in them.
        whole: the checkpoints that are of the training of the whole, for when all phases are over; None where there is
            none.

    Raises:
        CheckpointError: a checkpoint is not one of its trial.
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
        """Whether no trial has a phase before it."""
        return self._run is None

    @property
    def has_phases(self) -> bool:
        """Whether any trial has phases at all."""
        return any(self._plans)

    def advance(self) -> None:
        """One step of the phase under way, and the start of the next one where that was its last."""
        if self._run is None:
            return
        going = self._run.advance()
        for s, trial in list(self._in_phase.items()):
            if trial.key in self._run.ended:
                self._take_over(s, self._run.ended[trial.key])
        if not going:
            self._start_next([None] * len(self._plans))

    def progress(self) -> list[Progress]:
        """Where each trial is, copied: in its phase, or waiting for the others."""
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
        """Of each trial everything that the rest of its training depends on, copied."""
        found = {} if self._run is None else {each.key: each.tensors for each in self._run.checkpoints()}
        taken = []
        for s, (trial, now) in enumerate(zip(self._network.trials, self.progress(), strict=True)):
            start = {START: self._network.parameters.theta_SP[s : s + 1].to("cpu", copy=True)}
            of_phase = found[self._in_phase[s].key] if s in self._in_phase else {}
            taken.append(self.whole[s] or Checkpoint(trial.key, now, of_phase | start))
        return taken

    def _restore(self, s: int, checkpoint: Checkpoint) -> Checkpoint | None:
        """Take up what the phases behind a trial have given; the checkpoint of the phase that it is in."""
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
        """Start the earliest phase that a trial has before it, with all that have it before them."""
        plans = enumerate(zip(self._plans, self.done, strict=True))
        ahead = {s: plan[done] for s, (plan, done) in plans if done < len(plan)}
        phase = next((phase for phase in PHASES if any(each.phase == phase for each in ahead.values())), None)
        self._in_phase = {s: each.trial for s, each in ahead.items() if each.phase == phase}
        trials: dict[str, Trial] = {}
        checkpoints: dict[str, Checkpoint | None] = {}
        for s, trial in self._in_phase.items():  # two trials may have a phase in common
            trials[trial.key] = trial
            checkpoints[trial.key] = checkpoints.get(trial.key) or of_phase[s]
        self._run = self._start_run(list(trials.values()), list(checkpoints.values())) if trials else None

    def _take_over(self, s: int, training: Training) -> None:
        mine = self._network.parameters.member(s)
        for name in taken_over(self._network, self._plans[s][self.done[s]].phase):
            mine[name].copy_(training.weights[name])
        self.done[s] += 1
        self.updates[s] += training.updates
        del self._in_phase[s]
