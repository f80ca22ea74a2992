"""The phases of a stack one after the other, by runs that only say what the tests want; real ones: test_pretraining."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import Tensor

from models.data.chunks import Pieces
from models.network import Network
from models.outputs import NadeSettings
from models.techniques import Pretraining
from models.training.outcome import Training
from models.training.phase_runner import START, PhaseRunner
from models.training.pretraining import preparations, taken_over
from models.training.progress import Checkpoint, CheckpointError, Epoch, Progress
from models.trial import Trial
from tests.models import examples

PIECES = Pieces.from_arrays(examples.music([6, 4], seed=1))
ROW = Epoch(0, 0, 0.05, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0)


def prepared(frame: int, recurrent: int, **changes: int | float) -> Trial:
    techniques = (Pretraining(frame, recurrent),) if frame or recurrent else ()
    return examples.trial(output="nade", output_settings=NadeSettings(4), techniques=techniques, **changes)


@dataclass
class Scripted:
    """The training of a phase: each trial has as many steps as epochs, and ends with weights of its own number."""

    trials: tuple[Trial, ...]
    handed: tuple[Checkpoint | None, ...]
    number: int
    ended: dict[str, Training] = field(default_factory=dict)
    steps: int = 0

    def advance(self) -> bool:
        self.steps += 1
        for trial in self.trials:
            if trial.epochs == self.steps:
                weights = {
                    name: torch.full_like(value, 100.0 * self.number + trial.seed)
                    for name, value in Network.for_data(trial, PIECES, 5).parameters.member(0).items()
                }
                outcome = Training("completed", None, ROW, (ROW,), 10 * trial.epochs, weights, (), False, None)
                self.ended[trial.key] = outcome
        self.trials = tuple(trial for trial in self.trials if trial.key not in self.ended)
        return bool(self.trials)

    def progress(self) -> list[Progress]:
        return [Progress(0.5, epoch=self.steps + 1) for _ in self.trials]

    def checkpoints(self) -> list[Checkpoint]:
        tensors = {"theta": torch.tensor([[float(self.steps)]])}
        return [Checkpoint(each.key, now, tensors) for each, now in zip(self.trials, self.progress(), strict=True)]


class Runner:
    """A runner over scripted phases, which are in `runs`."""

    def __init__(self, *trials: Trial, checkpoints: Sequence[Checkpoint | None] = ()):
        self.runs: list[Scripted] = []
        self.network = Network.for_data(trials, PIECES, 5)
        self.drawn_SP = self.network.parameters.theta_SP.clone()
        self.phases = PhaseRunner(self.network, checkpoints, self._start)

    def _start(self, trials: Sequence[Trial], handed: Sequence[Checkpoint | None]) -> Scripted:
        self.runs.append(Scripted(tuple(trials), tuple(handed), len(self.runs) + 1))
        return self.runs[-1]

    def finish(self) -> "Runner":
        while not self.phases.over:
            self.phases.advance()
        return self

    def values(self, s: int) -> dict[str, Tensor]:
        return self.network.parameters.member(s)


def test_trials_without_phases_are_over_at_once() -> None:
    runner = Runner(examples.trial(seed=1), examples.trial(seed=2))
    assert runner.phases.over
    assert not runner.phases.has_phases
    assert runner.runs == []
    assert runner.phases.progress() == [Progress(0.05), Progress(0.05)]
    runner.phases.advance()
    assert torch.equal(runner.network.parameters.theta_SP, runner.drawn_SP)


def test_each_phase_trains_its_own_trials_and_gives_the_parameters_that_are_its() -> None:
    trial = prepared(2, 3)
    runner = Runner(trial).finish()
    assert [preparations(trial)[n].phase for n in range(2)] == ["frame", "recurrent"]
    assert [run.handed for run in runner.runs] == [(None,), (None,)]
    assert [list(run.ended) for run in runner.runs] == [[each.trial.key] for each in preparations(trial)]
    drawn = {name: value[0] for name, value in runner.network.parameters.split(runner.drawn_SP).items()}
    for name, value in runner.values(0).items():
        if name in taken_over(runner.network, "frame"):
            assert (value == 101).all(), name
        elif name in taken_over(runner.network, "recurrent"):
            assert (value == 201).all(), name
        else:
            assert torch.equal(value, drawn[name]), f"{name}: it is of no phase"
    assert runner.phases.progress() == [Progress(0.05, phase=2, before=50)]


def test_a_stack_goes_through_a_phase_together_and_who_is_done_waits() -> None:
    short, long, without = prepared(1, 2, seed=1), prepared(3, 2, seed=2), prepared(0, 2, seed=3)
    runner = Runner(short, long, without)
    (frames,) = runner.runs
    assert [trial.seed for trial in frames.trials] == [1, 2], "the third has no such phase"
    runner.phases.advance()
    assert runner.phases.done == [1, 0, 0]
    assert [(now.phase, now.before, now.epoch) for now in runner.phases.progress()] == [
        (1, 10, 1),
        (0, 0, 2),
        (0, 0, 1),
    ]
    assert len(runner.runs) == 1
    assert [set(run.ended) for run in runner.finish().runs] == [
        {preparations(trial)[0].trial.key for trial in (short, long)},
        {preparations(trial)[-1].trial.key for trial in (short, long, without)},
    ]
    assert runner.phases.done == [2, 2, 1]
    assert runner.phases.updates == [30, 50, 20]


def test_trials_that_share_a_phase_train_it_once() -> None:
    few, many = prepared(2, 1, epochs=3), prepared(2, 1, epochs=5)
    assert preparations(few) == preparations(many)
    runner = Runner(few, many)
    assert [trial.key for trial in runner.runs[0].trials] == [preparations(few)[0].trial.key]
    runner.finish()
    for name in taken_over(runner.network, "frame"):
        assert torch.equal(runner.values(0)[name], runner.values(1)[name])
    assert runner.phases.done == [2, 2]


def test_a_phase_is_continued_from_its_own_checkpoint() -> None:
    trial = prepared(1, 3)
    runner = Runner(trial)
    for _ in range(2):
        runner.phases.advance()
    (taken,) = runner.phases.checkpoints()
    assert (taken.key, taken.progress.phase, taken.progress.before) == (trial.key, 1, 10)
    assert set(taken.tensors) == {"theta", START}
    theta_1P = runner.network.parameters.theta_SP.clone()
    runner.finish()
    assert torch.equal(taken.tensors[START], theta_1P), "it is a copy"

    again = Runner(trial, checkpoints=[taken])
    assert torch.equal(again.network.parameters.theta_SP, theta_1P)
    assert (again.phases.done, again.phases.updates) == ([1], [10])
    ((handed,),) = [run.handed for run in again.runs]
    assert handed is not None
    assert handed.key == preparations(trial)[1].trial.key
    assert (handed.progress.phase, handed.progress.before, handed.progress.epoch) == (0, 0, 2)
    assert set(handed.tensors) == {"theta"}


def test_a_checkpoint_of_the_whole_is_kept_until_the_phases_of_the_others_are_over() -> None:
    done, new = prepared(1, 1, seed=1), prepared(1, 1, seed=2)
    start_1P = torch.full_like(Runner(done).drawn_SP, 7.0)
    whole = Checkpoint(done.key, Progress(0.05, epoch=2, phase=2, before=20), {START: start_1P, "theta": start_1P})
    runner = Runner(done, new, checkpoints=[whole, None])
    assert [trial.seed for trial in runner.runs[0].trials] == [2]
    assert runner.phases.checkpoints()[0] is whole
    assert runner.finish().phases.whole == [whole, None]
    assert (runner.network.parameters.theta_SP[0] == 7).all()


@pytest.mark.parametrize("phase", [-1, 3])
def test_a_phase_that_its_trial_has_not_is_refused(phase: int) -> None:
    trial = prepared(1, 1)
    (taken,) = Runner(trial).phases.checkpoints()
    with pytest.raises(CheckpointError, match="its tensors are not those of rnn/nade/SGD"):
        Runner(trial, checkpoints=[replace(taken, progress=replace(taken.progress, phase=phase))])


@pytest.mark.parametrize("start", [None, torch.zeros(1, 2), torch.zeros(1, 200, dtype=torch.float64)])
def test_a_checkpoint_without_the_start_of_the_whole_is_refused(start: Tensor | None) -> None:
    trial = prepared(1, 1)
    (taken,) = Runner(trial).phases.checkpoints()
    tensors = {} if start is None else {START: start}
    with pytest.raises(CheckpointError, match="its tensors are not those of rnn/nade/SGD"):
        Runner(trial, checkpoints=[replace(taken, tensors=tensors)])
