"""Who of a stack goes on, who ends, and with what: by an updater that only says what the tests want."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf, nan

import pytest
import torch
from torch import Tensor

from models.data.chunks import Pieces
from models.network import Network
from models.training.members import Members
from models.training.outcome import Outcomes
from models.training.phase_runner import PhaseRunner
from models.training.progress import Checkpoint, CheckpointError, Epoch, Progress
from models.training.updates.streams import Streams
from models.training.updates.tallies import Tallies
from models.training.updates.updater import Place
from models.trial import Trial
from tests.models import examples

PIECES = Pieces.from_arrays(examples.music([6, 4], seed=1))
TRIALS = tuple(examples.trial(seed=seed, epochs=2, decay=0.5, patience=9) for seed in range(3))
AT_START = -9.0
"""Validation score of every network at its start, nats per step: below that of counting."""


class Scripted:
    """An updater without updates: it notes what it is asked, and members stall when a test says so."""

    waits = False

    def __init__(self, members: int):
        self.state = {"velocity": torch.arange(float(members)).view(members, 1)}
        self.begun: list[list[tuple[int, int]]] = []
        self.stopped: set[float] = set()

    def begin_epoch(self, members: Sequence[Place]) -> None:
        self.begun.append([(each.epoch, each.chunk) for each in members])

    def update(self, tallies: Tallies) -> tuple[bool, ...]:
        raise NotImplementedError

    def rate(self, s: int, scheduled: float) -> float:
        return scheduled + 1.0 if self.state["velocity"][s] == 2 else scheduled

    def stalled(self, s: int) -> bool:
        return float(self.state["velocity"][s]) in self.stopped

    def tensors(self, within_epoch: bool) -> dict[str, Tensor]:
        return self.state | ({"carried": self.state["velocity"].clone()} if within_epoch else {})

    def keep(self, rows: list[int]) -> None:
        self.state = {name: value[rows] for name, value in self.state.items()}


class Stack:
    """Members of a stack that has begun.

    Args:
        trials: the members.
        checkpoints: to continue from.
        keeping: indices of the trials that are to keep their final checkpoint.
        stalled: whether the updater of the first member says that it has stalled.
    """

    def __init__(
        self,
        trials: Sequence[Trial] = TRIALS,
        checkpoints: Sequence[Checkpoint | None] = (),
        keeping: Sequence[int] = (),
        stalled: bool = False,
    ):
        self.trials, self.network = trials, Network.for_data(trials, PIECES, 5)
        self.updater = Scripted(len(trials))
        self.updater.stopped = {0.0} if stalled else set()
        streams, outcomes = Streams(trials), Outcomes(self.network, PIECES, PIECES, diagnosing=False)
        self.members = Members(self.network, streams, self.updater, outcomes, [trials[s].key for s in keeping])

        def no_phase(*_: object) -> object:
            raise AssertionError("none of these trials has phases")

        self.members.begin(PhaseRunner(self.network, checkpoints, no_phase))  # type: ignore[arg-type]

    def started(self) -> "Stack":
        """With the scores of the networks as they start."""
        self.members.start([AT_START] * len(self.members.progress))
        return self

    def update(self, *which: bool) -> bool:
        """An update of some members, each with a cost of one nat over two steps."""
        moving_S = torch.tensor(which)
        one_S = torch.ones(len(which))
        self.members.tallies.add(moving_S, one_S, 2 * one_S, one_S, 0 * one_S, one_S)
        return self.members.updated(which)

    def end_epoch(self, *valid: float) -> Tensor:
        """An epoch of one update, with these scores; returns the parameters that were scored, of the members before."""
        self.update(*[True] * len(valid))
        self.members.retire_diverged()
        scored_SP = self.network.parameters.theta_SP + torch.arange(1.0, len(valid) + 1).view(-1, 1)
        self.members.end_epoch(valid, scored_SP)
        return scored_SP

    @property
    def active(self) -> list[int]:
        return [self.trials.index(trial) for trial in self.network.trials]

    def ended(self, s: int):
        return self.members.ended[self.trials[s].key]


def test_the_curve_begins_once_with_the_scores_at_the_start() -> None:
    stack = Stack()
    assert not stack.members.have_started
    stack.started()
    assert stack.members.have_started
    stack.members.start([0.0, 0.0, 0.0])
    for now in stack.members.progress:
        (row,) = now.curve
        assert (row.epoch, row.update, row.learning_rate, row.valid) == (0, 0, 0.05, AT_START)


def test_chunks_are_counted_for_members_that_had_an_update() -> None:
    stack = Stack().started()
    assert [stack.update(True, True, False), stack.update(True, False, False)] == [True, True]
    assert stack.update(False, False, False) is False
    assert [now.chunk for now in stack.members.progress] == [2, 1, 0]
    assert [now.updates for now in stack.members.progress] == [2, 1, 0]


def test_a_member_that_diverges_ends_with_the_number_of_its_update_and_the_others_go_on() -> None:
    stack = Stack(keeping=[0, 1]).started()
    theta_SP = stack.network.parameters.theta_SP.clone()
    stack.update(True, True, True)
    stack.members.tallies.diverged[1] = True
    assert stack.active == [0, 1, 2], "nobody has looked yet"
    stack.update(False, False, False)
    assert stack.active == [0, 2]
    ended = stack.ended(1)
    assert (ended.status, ended.diverged_at, ended.updates, ended.end) == ("diverged", 2, 2, None)
    for name, rows in stack.network.parameters.split(theta_SP).items():
        assert torch.equal(ended.weights[name], rows[1])
    assert torch.equal(stack.network.parameters.theta_SP, theta_SP[[0, 2]])
    assert stack.updater.state["velocity"].flatten().tolist() == [0, 2]
    stack.update(False, True)
    stack.members.retire_diverged()
    assert [now.updates for now in stack.members.progress] == [1, 2], "the sums of the epoch go on"
    last = stack.members.checkpoint(1).tensors
    assert torch.equal(last["best"][0], theta_SP[2])
    assert torch.equal(last["dropout"], Streams(TRIALS).dropout[2].get_state())


def test_an_updater_that_waits_has_a_divergence_noticed_at_its_update() -> None:
    stack = Stack().started()
    stack.updater.waits = True
    stack.members.tallies.diverged[0] = True
    stack.update(True, True, True)
    assert stack.active == [1, 2]


def test_an_epoch_is_judged_member_by_member() -> None:
    stack = Stack().started()
    scored_SP = stack.end_epoch(-8.0, -9.5, -9.5)
    better, worse, other = stack.members.progress
    assert [(now.epoch, now.chunk, now.best) for now in (better, worse, other)] == [(2, 0, 1), (2, 0, 0), (2, 0, 0)]
    assert [now.learning_rate for now in (better, worse, other)] == [0.05, 0.025, 1.025], (
        "the updater has the last word"
    )
    assert [now.curve[-1].train for now in (better, worse, other)] == [-0.5] * 3
    best_SP = torch.cat([stack.members.checkpoint(s).tensors["best"] for s in range(3)])
    assert torch.equal(best_SP[0], scored_SP[0]), "what was scored is kept"
    assert torch.equal(best_SP[1:], stack.network.parameters.theta_SP[1:]), "the best are those of the start"
    assert stack.updater.begun == [[(1, 0)] * 3, [(2, 0)] * 3]


def test_a_score_that_is_no_number_is_a_divergence() -> None:
    stack = Stack().started()
    stack.end_epoch(-8.0, nan, -inf)
    assert stack.active == [0]
    for s in (1, 2):
        assert (stack.ended(s).status, stack.ended(s).diverged_at, len(stack.ended(s).curve)) == ("diverged", 1, 1)


def test_the_last_epoch_ends_all_and_keeps_the_checkpoints_that_were_asked_for() -> None:
    stack = Stack(keeping=[2]).started()
    stack.end_epoch(-1.0, -9.5, -1.0)
    scored_SP = stack.end_epoch(-2.0, -9.5, -0.5)
    assert stack.active == []
    assert [stack.ended(s).status for s in range(3)] == ["completed", "untrained", "completed"]
    assert [stack.ended(s).best.epoch for s in range(3)] == [1, 0, 2]
    assert [stack.ended(s).end is None for s in range(3)] == [True, True, False]
    end = stack.ended(2).end
    assert end is not None
    assert (end.progress.epoch, end.progress.updates, end.progress.best) == (3, 2, 2)
    assert torch.equal(end.tensors["best"][0], scored_SP[2])


def test_a_stalled_member_ends_once_its_epoch_is_scored() -> None:
    stack = Stack(tuple(replace(trial, epochs=9) for trial in TRIALS)).started()
    stack.updater.stopped = {1.0}
    stack.update(True, True, True)
    assert stack.active == [0, 1, 2]
    stack.end_epoch(-1.0, -1.0, -1.0)
    assert stack.active == [0, 2]
    assert stack.ended(1).stalled
    assert stack.ended(1).status == "completed"


def test_a_stalled_member_that_is_continued_within_an_epoch_has_it_scored_first() -> None:
    stack = Stack().started()
    between = stack.members.checkpoint(0)
    stack.update(True, True, True)
    within = stack.members.checkpoint(0)
    assert Stack(TRIALS[:1], [within], stalled=True).active == [0]
    assert Stack(TRIALS[:1], [between], stalled=True).active == []


def test_a_checkpoint_is_a_copy_and_continues_its_member_in_another_stack() -> None:
    stack = Stack().started()
    stack.end_epoch(-8.0, -9.5, -8.5)
    stack.update(True, True, True)
    stack.members.retire_diverged()
    taken = stack.members.checkpoint(2)
    theta_1P = stack.network.parameters.theta_SP[2:].clone()
    stack.network.parameters.theta_SP.zero_()
    stack.members.progress[2].chunk = 7
    assert torch.equal(taken.tensors["theta"], theta_1P)
    assert (taken.progress.epoch, taken.progress.chunk, taken.progress.updates) == (2, 1, 2)
    assert set(taken.tensors) == {"theta", "best", "velocity", "carried", "dropout"}

    again = Stack((TRIALS[2],), [taken])
    assert again.members.have_started
    assert again.updater.begun == [[(2, 1)]]
    assert torch.equal(again.network.parameters.theta_SP, theta_1P)
    assert again.updater.state["velocity"].item() == 2
    assert again.members.progress == [taken.progress]


def test_one_whose_checkpoint_is_at_its_end_ends_as_it_begins() -> None:
    rows = [Epoch(n, n, 0.05, -1.0, AT_START + 8 * n, 1.0, 0.0, 1.0, 0.1) for n in range(3)]
    over = Progress(0.05, epoch=3, best=2, curve=rows)
    fresh = Stack().started().members.checkpoint(1)
    stack = Stack(checkpoints=[None, Checkpoint(TRIALS[1].key, over, fresh.tensors), None])
    assert stack.active == [0, 2]
    assert (stack.ended(1).status, stack.ended(1).updates, stack.ended(1).best) == ("completed", 2, rows[2])


@pytest.mark.parametrize("lacking", ["theta", "best", "velocity", "dropout"])
def test_a_checkpoint_without_one_of_its_tensors_is_refused(lacking: str) -> None:
    taken = Stack().started().members.checkpoint(0)
    tensors = {name: value for name, value in taken.tensors.items() if name != lacking}
    with pytest.raises(CheckpointError, match="its tensors are not those of rnn/bernoulli/SGD"):
        Stack(checkpoints=[replace(taken, tensors=tensors), None, None])
