"""Trials by Hessian-free optimization: their curves, their ends, checkpoints to the bit, stacks."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.data.chunks import Pieces, chunks
from models.data.frequencies import frequencies
from models.evaluation.metrics import score
from models.network import Network
from models.optimizers.hessian_free import Slope, Step
from models.techniques import Rectifier
from models.training.progress import Checkpoint, CheckpointError, Progress
from models.training.run import Run, Training, train, train_stack
from models.training.updates import hessian_free as hessian_free_updates
from models.training.updates.chunk_updater import ChunkUpdater
from models.training.updates.hessian_free import HessianFreeUpdater
from models.training.updates.tallies import Tallies, Tally
from models.trial import Trial
from tests.models import examples
from tests.models.stopping import bits, stored

TRAIN = Pieces.from_arrays(examples.music([9, 4, 6, 1, 7, 3], seed=1))
VALID = Pieces.from_arrays(examples.music([8, 5], seed=2))


def _trial(letters: str = "", **changes: object) -> Trial:
    values = {"optimizer": "HF", "learning_rate": 5.0, "epochs": 5, "patience": 2}
    return examples.trial(letters, **(values | changes))


def _stopped(trial: Trial, steps: int, checkpoint: Checkpoint | None) -> Checkpoint | Training:
    """The checkpoint after so many steps, or what came of it where there are fewer."""
    run = Run([trial], TRAIN, VALID, 5, [checkpoint])
    for _ in range(steps):
        if not run.advance():
            return run.ended[trial.key]
    return stored(run.checkpoints()[0])


# torch loads old parts of itself at the first derivative in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")


@settings(max_examples=4, deadline=None)
@given(
    steps=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    letters=st.sampled_from(["", "L", "R", "LR"]),
    initial_state=st.sampled_from(["learned", "zero"]),
    learning_rate=st.sampled_from([0.5, 50.0]),
    most=st.sampled_from([4, 1000]),
    output=st.sampled_from(["bernoulli", "nade"]),
)
def test_bits_are_the_same_wherever_it_is_stopped(steps, letters, initial_state, learning_rate, most, output):
    trial = _trial(letters, initial_state=initial_state, learning_rate=learning_rate, epochs=4, output=output)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hessian_free_updates, "CURVATURE_CHUNKS", most)
        whole = train(trial, TRAIN, VALID, 5)
        checkpoint: Checkpoint | Training | None = None
        for count in steps:
            checkpoint = _stopped(trial, count, checkpoint)
            if isinstance(checkpoint, Training):
                break
        result = checkpoint if isinstance(checkpoint, Training) else train(trial, TRAIN, VALID, 5, None, checkpoint)
    assert bits(result) == bits(whole)


def test_a_checkpoint_holds_damping_and_solution_and_is_refused_without():
    trial = _trial()
    checkpoint = _stopped(trial, 4, None)
    assert checkpoint.tensors["solution"].any()
    assert checkpoint.tensors["damping"].item() != 1 / 5
    for name in ("theta", "best", "damping", "solution"):
        tensors = {other: value for other, value in checkpoint.tensors.items() if other != name}
        with pytest.raises(CheckpointError, match="^checkpoint: its tensors"):
            Run([trial], TRAIN, VALID, 5, [replace(checkpoint, tensors=tensors)])


def test_an_epoch_is_one_update_over_the_whole_split():
    trial = _trial("L", learning_rate=5.0, epochs=4, patience=4)
    result = train(trial, TRAIN, VALID, 5)
    assert [(row.epoch, row.update) for row in result.curve] == [(n, n) for n in range(5)]
    assert [row.train for row in result.curve[1:]] == sorted(row.train for row in result.curve[1:])
    assert result.curve[2].train > result.curve[1].train + 0.05
    assert {row.clipped_share for row in result.curve[1:]} == {0.0}
    assert result.curve[0].learning_rate == result.curve[1].learning_rate == 5.0
    start = Network(trial, frequencies(TRAIN, 5).float())
    assert result.curve[1].train == pytest.approx(score(start, TRAIN).mean_log_likelihood, rel=1e-5)
    assert result.curve[1].gradient_norm == pytest.approx(_truncated(trial).norm().item(), rel=1e-4)
    rates = [row.learning_rate for row in result.curve[1:]]
    changes = [after / before for before, after in zip(rates, rates[1:], strict=False)]
    assert len(set(rates)) > 1
    assert all(min(abs(change - wanted) for wanted in (1, 1.5, 1 / 1.5)) < 1e-9 for change in changes), "1 / lambda"


def _truncated(trial: Trial) -> torch.Tensor:
    """The gradient as gradient descent takes it, of all chunks together, a step."""
    network = Network(replace(trial, optimizer="SGD"), frequencies(TRAIN, 5).float())
    total = torch.zeros_like(network.parameters.theta_SP)
    carried = None
    for chunk in chunks(TRAIN, range(6), 3, trial.chunk):
        states, last = network.states(chunk.inputs, network.start(carried, chunk.fresh))
        nats = network.log_likelihood(chunk.scored(states[:, :-1]), chunk.scored(chunk.inputs))
        network.parameters.differentiate(-nats.sum())
        total += network.parameters.gradient_SP
        carried = torch.where(chunk.going_B.unsqueeze(-1), last, 0.0)
    return total / len(TRAIN.data)


def test_patience_ends_it_and_the_best_epoch_is_kept():
    result = train(_trial(epochs=40, learning_rate=1000.0), TRAIN, VALID, 5)
    assert result.diverged_at is None
    assert result.curve[-1].epoch < 40, "it learns six pieces by heart"
    assert result.best.valid == max(row.valid for row in result.curve)
    assert result.curve[-1].epoch == result.best.epoch + 2
    network = Network(_trial(), frequencies(TRAIN, 5).float())
    network.load(result.weights)
    assert score(network, VALID).mean_log_likelihood == result.best.valid


def _scripted(monkeypatch: pytest.MonkeyPatch, nulls: list[bool]) -> None:
    """The steps of these places in a row, the first of an epoch's number, find no better point."""
    epoch, step, begin_epoch = [0], hessian_free_updates.hessian_free_step, HessianFreeUpdater.begin_epoch

    def noting(updater: HessianFreeUpdater, members: list[Progress]) -> None:
        epoch[0] = members[0].epoch if members else 0
        begin_epoch(updater, members)

    def scripted(objective: Any, theta_P: Tensor, slope: Slope, damping: float, last_P: Tensor) -> Step:
        if nulls[epoch[0] - 1]:
            return Step(torch.zeros_like(theta_P), 1.5 * damping, last_P, 0, -math.inf, 0.0, sound=True)
        return step(objective, theta_P, slope, damping, last_P)

    monkeypatch.setattr(HessianFreeUpdater, "begin_epoch", noting)
    monkeypatch.setattr(hessian_free_updates, "hessian_free_step", scripted)


def test_ten_null_steps_in_a_row_end_it_wherever_it_is_stopped(monkeypatch):
    _scripted(monkeypatch, [False, *[True] * 9, False, *[True] * 40])
    trial = _trial(epochs=40, patience=40, hidden_size=2)
    whole = train(trial, TRAIN, VALID, 5)
    assert whole.curve[-1].epoch == 11 + 10
    assert whole.stalled
    assert (whole.curve[-1].update_ratio, whole.curve[11].update_ratio > 0) == (0, True)
    assert not train(_trial(epochs=15, patience=40, hidden_size=2), TRAIN, VALID, 5).stalled
    # the first scoring, then two steps an epoch: before the 20th update, behind it, behind the scoring, and the 21st
    run = Run([trial], TRAIN, VALID, 5)
    for _ in range(38):
        assert run.advance()
    for _ in range(4):
        assert run.advance()
        resumed = train(trial, TRAIN, VALID, 5, None, stored(run.checkpoints()[0]))
        assert (bits(resumed), resumed.stalled) == (bits(whole), True)


def test_patience_ends_it_before_it_has_stalled(monkeypatch):
    _scripted(monkeypatch, [False, *[True] * 40])
    result = train(_trial(epochs=40, patience=4, hidden_size=2, learning_rate=100.0), TRAIN, VALID, 5)
    assert result.curve[-1].epoch < 10
    assert not result.stalled


def test_a_network_that_is_no_good_at_all_diverges_at_its_first_step():
    updater = HessianFreeUpdater(Network(_trial("R"), frequencies(TRAIN, 5).float()), TRAIN)
    for spoilt in (math.nan, 1e30, 1e3):
        updater.network.parameters.theta_SP.fill_(spoilt)
        tally = Tallies([Tally()])
        updater.begin_epoch([Progress(5.0)])
        assert updater.update(tally) == (True,)
        ((sums, diverged),) = tally.members()
        assert diverged
        assert sums.updates == 0
        assert (updater.network.parameters.theta_SP == spoilt).all() or math.isnan(spoilt)


def test_a_stack_equals_its_members_alone():
    trials = [
        _trial(seed=1),
        _trial("L", seed=2, learning_rate=50.0),
        _trial(seed=3, epochs=2, learning_rate=0.5),
    ]
    together = train_stack(trials, TRAIN, VALID, 5)
    for trial in trials:
        alone = train(trial, TRAIN, VALID, 5)
        mine = together[trial.key]
        assert (mine.status, mine.updates) == (alone.status, alone.updates)
        for row, other in zip(mine.curve[1:], alone.curve[1:], strict=True):
            assert (row.train, row.valid) == pytest.approx((other.train, other.valid), rel=1e-4)


def test_products_are_over_as_many_chunks_as_are_wanted_drawn_anew(monkeypatch):
    updater = HessianFreeUpdater(Network(_trial(), frequencies(TRAIN, 5).float()), TRAIN)
    assert sum(-(-length // 4) for length in TRAIN.lengths) == 10
    assert updater._curved(_trial(), 1) is None
    monkeypatch.setattr(hessian_free_updates, "CURVATURE_CHUNKS", 5)
    seen = set()
    for epoch in range(1, 12):
        curved = updater._curved(_trial(), epoch)
        assert 5 <= sum(chunk.lanes for chunk in curved) < 5 + 3
        seen.add(sum(chunk.scored_steps for chunk in curved))
        again = updater._curved(_trial(), epoch)
        assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(curved, again, strict=True))
    assert len(seen) > 1


def test_it_is_no_rule_of_update():
    with pytest.raises(TypeError, match="HF has no rule of update"):
        ChunkUpdater(Network(_trial(), frequencies(TRAIN, 5).float()))


def test_a_rectifier_pays_for_its_states():
    silent, paid = (train(_trial(techniques=(Rectifier(l1),)), TRAIN, VALID, 5) for l1 in (0.0, 0.5))
    activity = [_mean_activity(result) for result in (silent, paid)]
    assert activity[1] < 0.7 * activity[0]


def _mean_activity(result: Training) -> float:
    network = Network(_trial("R"), frequencies(TRAIN, 5).float())
    network.load(result.weights)
    chunk = next(chunks(TRAIN, range(6), 6, 9))
    states, _ = network.states(chunk.inputs, network.start(None, chunk.fresh))
    return chunk.scored(states[:, 1:]).mean().item()


def test_a_few_frames_are_learned_by_heart():
    some = Pieces.from_arrays([np.eye(5, dtype=np.uint8)])
    result = train(_trial(epochs=12, patience=12, learning_rate=100.0), some, some, 5)
    norms = [row.gradient_norm for row in result.curve[1:]]
    assert norms[-1] < 0.05 * norms[0]
    assert result.curve[-1].train > -0.3
