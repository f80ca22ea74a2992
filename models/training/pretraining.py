"""What comes before the training of some trials: smaller trainings, whose parameters the network begins with.

Each phase of a trial is the training of another trial, an ordinary one with the same seed, corpus, sizes and schedule:

    frame      core `frame`, the same output model: gives every parameter of the output model that no state is
               multiplied with, W, b_v and b_h of the RBM, V, W, b and c of NADE
    recurrent  the same core, output `bernoulli`: gives every parameter of the core, h_0 included

so that each has the bits of that trial trained alone. The matrices from states to biases stay as they were drawn.
Techniques come along as far as they go with a phase. What is taken over are the weights that were best on validation,
also where a phase diverged: that ends the phase, and not the trial.

What this does not do: train (`run.py`), or say for how long (`techniques/pretraining.py`).

Shape letters: S stacked trials, P parameters in a row.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from models.network import Network
from models.outputs.base import Settings
from models.techniques.base import PHASES, Phase
from models.training.progress import Checkpoint, CheckpointError, Progress
from models.trial import Trial

START = "start"
"""Name of the tensor in a checkpoint: the parameters that the training of the whole begins with, (1, P)."""


@dataclass(frozen=True)
class Preparation:
    """A phase of a trial.

    Attributes:
        phase: its name.
        trial: what is trained in it.
    """

    phase: Phase
    trial: Trial


def preparations(trial: Trial) -> tuple[Preparation, ...]:
    """The phases of a trial, in their order; none for a trial that begins with what was drawn."""
    epochs = {phase: many for technique in trial.techniques for phase, many in technique.pretraining().items()}
    make = {"frame": _frame_trial, "recurrent": _recurrent_trial}
    return tuple(Preparation(phase, make[phase](trial, epochs[phase])) for phase in PHASES if phase in epochs)


def _frame_trial(trial: Trial, epochs: int) -> Trial:
    return replace(
        trial,
        core="frame",
        techniques=tuple(each for each in trial.techniques if each.goes_with_gates and not each.pretraining()),
        hidden_size=1,
        activation="tanh",
        initial_state="zero",
        input_dropout=0.0,
        output_dropout=0.0,
        epochs=epochs,
    )


def _recurrent_trial(trial: Trial, epochs: int) -> Trial:
    techniques = tuple(each for each in trial.techniques if not each.pretraining())
    return replace(trial, output="bernoulli", output_settings=Settings(), techniques=techniques, epochs=epochs)


def taken_over(network: Network, phase: Phase) -> frozenset[str]:
    """Names of the parameters that a network begins with as a phase has left them."""
    if phase == "recurrent":
        return frozenset(network.core.shapes())
    # What is multiplied with states has as many rows as there are units.
    own = network.output.shapes()
    wider = replace(network.output, hidden_size=network.output.hidden_size + 1).shapes()
    return frozenset(name for name, shape in own.items() if wider[name] == shape)


class Ended(Protocol):
    """What is asked of an ended training."""

    @property
    def updates(self) -> int: ...  # noqa: D102

    @property
    def weights(self) -> dict[str, Tensor]: ...  # noqa: D102


class Stretch(Protocol):
    """What is asked of a training under way: `training.Run`."""

    @property
    def ended(self) -> Mapping[str, Ended]: ...  # noqa: D102

    @property
    def trials(self) -> tuple[Trial, ...]: ...  # noqa: D102

    def advance(self) -> bool: ...  # noqa: D102

    def progress(self) -> list[Progress]: ...  # noqa: D102

    def checkpoints(self) -> list[Checkpoint]: ...  # noqa: D102


Begin = Callable[[Sequence[Trial], Sequence[Checkpoint | None]], Stretch]


class Preparing:
    """The phases of the trials of a stack, one phase of all after the other; what they give is put into the network.

    Args:
        network: of the trials, as it was drawn.
        checkpoints: of each trial, None for the start; none for the start of all.
        begin: begins a training.

    Attributes:
        behind: phases that each trial has behind it.
        updates: those made in them.
        whole: the checkpoints that are of the training of the whole, for when all are prepared; None where there is
            none.

    Raises:
        CheckpointError: a checkpoint is not one of its trial.
    """

    def __init__(self, network: Network, checkpoints: Sequence[Checkpoint | None], begin: Begin):
        self._network, self._begin = network, begin
        self._plans = [preparations(trial) for trial in network.trials]
        self.behind, self.updates = [0] * len(self._plans), [0] * len(self._plans)
        self.whole: list[Checkpoint | None] = [None] * len(self._plans)
        inner: list[Checkpoint | None] = [None] * len(self._plans)
        for s, checkpoint in enumerate(checkpoints):
            if checkpoint is not None:
                inner[s] = self._restore(s, checkpoint)
        self._under_way: dict[int, Trial] = {}
        self._stretch: Stretch | None = None
        self._open(inner)

    @property
    def over(self) -> bool:
        """Whether there is nothing more to prepare."""
        return self._stretch is None

    @property
    def prepares(self) -> tuple[bool, ...]:
        """Which trials have phases at all."""
        return tuple(bool(preparations(trial)) for trial in self._network.trials)

    def advance(self) -> None:
        """One step of the phase under way, and the next phase where that was its last."""
        if self._stretch is None:
            return
        going = self._stretch.advance()
        for s, trial in list(self._under_way.items()):
            if trial.key in self._stretch.ended:
                self._take_over(s, self._stretch.ended[trial.key])
        if not going:
            self._open([None] * len(self._plans))

    def progress(self) -> list[Progress]:
        """Where each trial is, copied: in its phase, or waiting for the others."""
        run = self._stretch
        found = {} if run is None else dict(zip((trial.key for trial in run.trials), run.progress(), strict=True))
        places = []
        for s, trial in enumerate(self._network.trials):
            if (whole := self.whole[s]) is not None:
                places.append(deepcopy(whole.progress))
                continue
            inner = found[self._under_way[s].key] if s in self._under_way else Progress(trial.learning_rate)
            places.append(replace(inner, phase=self.behind[s], before=self.updates[s]))
        return places

    def checkpoints(self) -> list[Checkpoint]:
        """Of each trial everything that the rest of its training depends on, copied."""
        found = {} if self._stretch is None else {each.key: each.tensors for each in self._stretch.checkpoints()}
        taken = []
        for s, (trial, now) in enumerate(zip(self._network.trials, self.progress(), strict=True)):
            start = {START: self._network.parameters.theta_SP[s : s + 1].to("cpu", copy=True)}
            inner = found[self._under_way[s].key] if s in self._under_way else {}
            taken.append(self.whole[s] or Checkpoint(trial.key, now, inner | start))
        return taken

    def _restore(self, s: int, checkpoint: Checkpoint) -> Checkpoint | None:
        """Take up what the phases behind a trial have given; the checkpoint of the phase that it is in."""
        now, plan = checkpoint.progress, self._plans[s]
        inner = {name: value for name, value in checkpoint.tensors.items() if name != START}
        if plan:
            row_1P, start = self._network.parameters.theta_SP[s : s + 1], checkpoint.tensors.get(START)
            fits = start is not None and (start.shape, start.dtype) == (row_1P.shape, row_1P.dtype)
            if start is None or not fits or not 0 <= now.phase <= len(plan):
                raise CheckpointError(f"checkpoint: its tensors are not those of {self._network.trials[s].variant}")
            row_1P.copy_(start)
            self.behind[s], self.updates[s] = now.phase, now.before
            if inner and now.phase < len(plan):
                return Checkpoint(plan[now.phase].trial.key, replace(now, phase=0, before=0), inner)
        if inner or not checkpoint.tensors:
            self.whole[s] = checkpoint
        return None

    def _open(self, inner: Sequence[Checkpoint | None]) -> None:
        """Begin the earliest phase that a trial has before it, with all that have it before them."""
        plans = enumerate(zip(self._plans, self.behind, strict=True))
        ahead = {s: plan[done] for s, (plan, done) in plans if done < len(plan)}
        phase = next((phase for phase in PHASES if any(each.phase == phase for each in ahead.values())), None)
        self._under_way = {s: each.trial for s, each in ahead.items() if each.phase == phase}
        trials: dict[str, Trial] = {}
        checkpoints: dict[str, Checkpoint | None] = {}
        for s, trial in self._under_way.items():  # two trials may have a phase in common
            trials[trial.key] = trial
            checkpoints[trial.key] = checkpoints.get(trial.key) or inner[s]
        self._stretch = self._begin(list(trials.values()), list(checkpoints.values())) if trials else None

    def _take_over(self, s: int, training: Ended) -> None:
        mine = self._network.parameters.member(s)
        for name in taken_over(self._network, self._plans[s][self.behind[s]].phase):
            mine[name].copy_(training.weights[name])
        self.behind[s] += 1
        self.updates[s] += training.updates
        del self._under_way[s]
