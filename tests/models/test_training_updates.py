"""One update of training against autograd through single steps, in float64: gradient, truncation, parameters."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models.data.chunks import Chunk, Pieces, chunks
from models.data.frequencies import frequencies
from models.network import Network
from models.techniques import Clipping, Nesterov, Rectifier
from models.training.updates.chunk_updater import ChunkUpdater
from models.training.updates.tallies import Tallies, Tally
from models.trial import Trial
from tests.models import examples, naive

# In chunks of 4 on 3 lanes: carried, fresh and idle lanes, and padding in the middle of a lane.
LENGTHS = [6, 2, 4, 1]
L1 = 0.3
Lane = tuple[Tensor, Tensor | None]


def _run(trial: Trial, pieces: Pieces) -> ChunkUpdater:
    # Its h_0 is 0 where the trial says so.
    return ChunkUpdater(examples.network(trial, pieces))


def _rate(learning_rate: float) -> Tensor:
    return torch.tensor([[learning_rate]], dtype=torch.float64)


def _tally(tallies: Tallies) -> Tally:
    """The sums of the one member, which has not diverged."""
    ((tally, diverged),) = tallies.members()
    assert not diverged
    return tally


def _chunks(pieces: Pieces, order: Sequence[int] = range(len(LENGTHS))) -> list[Chunk]:
    return list(chunks(pieces, order, 3, 4))


def _path(run: ChunkUpdater, weights: Mapping[str, Tensor], data: Tensor, start: Tensor | None) -> list[Tensor]:
    """What is carried from the start to the last step of a lane."""
    if run.network.trial.core == "rnn":
        return naive.states(weights, data, run.network.core.activation, examples.retention_of(run.network), start)
    steps = {"lstm": naive.lstm, "gru": naive.gru}[run.network.trial.core]
    return steps(weights, data, weights["initial_state"] if start is None else start)


def _naive_cost(run: ChunkUpdater, weights: Mapping[str, Tensor], lanes: Sequence[Lane]) -> tuple[Tensor, list[Tensor]]:
    """The cost of a chunk as the docstring of training has it, and each lane's last state."""
    total, last, steps, units = 0.0, [], 0, run.network.trial.hidden_size
    for data, start in lanes:
        path = _path(run, weights, data, start)
        for t, step in enumerate(data):
            total = total - naive.log_likelihood(weights, path[t][:units], step)
            if "R" in run.network.trial.letters:
                total = total + run.network.trial.technique("R").l1 * path[t + 1].abs().sum()
        last.append(path[-1].detach())
        steps += len(data)
    return total / (steps if run.network.trial.cost == "mean" else len(lanes)), last


def _leaves(run: ChunkUpdater, row: Tensor) -> dict[str, Tensor]:
    """Independent copies of the parameters in a row laid out like theta."""
    parts = run.network.parameters.split(row)
    learned = run.network.trial.initial_state == "learned"
    return {
        name: value[0].detach().clone().requires_grad_(learned or name != "initial_state")
        for name, value in parts.items()
    }


def _gradient(cost: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    names = [name for name in weights if weights[name].requires_grad]
    parts = dict(zip(names, torch.autograd.grad(cost, [weights[name] for name in names]), strict=True))
    return torch.cat([parts.get(name, torch.zeros_like(weights[name])).flatten() for name in weights])


def _trial(letters: str, **changes: Any) -> Trial:
    trial = examples.trial(letters, **changes)
    if "R" not in letters:
        return trial
    return replace(trial, techniques=tuple(Rectifier(L1) if t.letter == "R" else t for t in trial.techniques))


@pytest.mark.parametrize(
    ("core", "letters", "output", "cost", "initial"),
    [
        *itertools.product(["rnn"], ["", "LR"], ["bernoulli"], ["sum", "mean"], ["learned", "zero"]),
        *itertools.product(["rnn"], ["", "R"], ["softmax"], ["sum", "mean"], ["learned"]),
        *itertools.product(["lstm", "gru"], [""], ["bernoulli", "softmax"], ["sum"], ["learned", "zero"]),
    ],
)
def test_gradients_equal_autograd_through_single_steps(core, letters, output, cost, initial):
    trial = _trial(letters, core=core, output=output, cost=cost, initial_state=initial)
    pieces = examples.pieces(output, LENGTHS)
    run, tallies = _run(trial, pieces), Tallies([Tally()])
    first, second = _chunks(pieces)
    weights = _leaves(run, run.network.parameters.theta_SP)
    steps = [examples.steps_of(pieces, i) for i in range(4)]

    carried = run.update(first, None, _rate(0.0), tallies)
    expected, last = _naive_cost(run, weights, [(steps[0][:4], None), (steps[1], None), (steps[2], None)])
    gradient = _gradient(expected, weights)
    torch.testing.assert_close(run.network.parameters.gradient_SP[0], gradient, rtol=1e-9, atol=1e-11)
    assert not carried.requires_grad
    torch.testing.assert_close(carried[0, 0], last[0], rtol=1e-12, atol=1e-12)
    assert _tally(tallies).norms == pytest.approx(naive.norm([gradient]), rel=1e-9)

    # The second chunk: lane 0 goes on from its state, which is now a constant; lane 2 has run out.
    run.update(second, carried, _rate(0.0), tallies)
    expected, _ = _naive_cost(run, weights, [(steps[0][4:], last[0]), (steps[3], None)])
    gradient = _gradient(expected, weights)
    torch.testing.assert_close(run.network.parameters.gradient_SP[0], gradient, rtol=1e-9, atol=1e-11)

    initial_gradient = run.network.parameters.split(run.network.parameters.gradient_SP)["initial_state"]
    assert initial_gradient.any() == (initial == "learned")
    tally = _tally(tallies)
    assert (tally.updates, tally.steps) == (2, sum(LENGTHS))
    paths = [_path(run, weights, piece, None) for piece in steps]
    nats = sum(
        naive.log_likelihood(weights, path[t][: trial.hidden_size], step).item()
        for path, piece in zip(paths, steps, strict=True)
        for t, step in enumerate(piece)
    )
    assert tally.log_likelihood == pytest.approx(nats, rel=1e-10)


def test_a_gradient_through_the_carried_state_would_be_another():
    pieces = examples.pieces("bernoulli", LENGTHS)
    run = _run(_trial(""), pieces)
    first, second = _chunks(pieces)
    tallies = Tallies([Tally()])
    run.update(second, run.update(first, None, _rate(0.0), tallies), _rate(0.0), tallies)
    weights = _leaves(run, run.network.parameters.theta_SP)
    steps = [examples.steps_of(pieces, i) for i in range(4)]
    through = naive.states(weights, steps[0][:4], "tanh")[-1]
    cost, _ = _naive_cost(run, weights, [(steps[0][4:], through), (steps[3], None)])
    assert not torch.allclose(run.network.parameters.gradient_SP[0], _gradient(cost, weights), rtol=1e-3)


@pytest.mark.parametrize("letters", ["", "C", "M", "CLRM"])
def test_parameters_follow_sutskevers_two_steps_over_many_updates(letters):
    threshold = 2.5 if "C" in letters else float("inf")
    momentum = 0.8 if "M" in letters else 0.0
    changed = {"C": Clipping(2.5), "M": Nesterov(0.8)}
    trial = examples.trial(techniques=tuple(changed.get(x, examples.BY_LETTER[x]) for x in letters))
    pieces = examples.pieces("bernoulli", LENGTHS)
    steps = [examples.steps_of(pieces, i) for i in range(4)]
    run, tallies = _run(trial, pieces), Tallies([Tally()])
    theta = run.network.parameters.theta_SP[0].clone()
    velocity, clipped = torch.zeros_like(theta), 0
    for learning_rate in (0.1, 0.1, 0.05, 0.2):
        carried, last = None, None
        for chunk in _chunks(pieces):
            carried = run.update(chunk, carried, _rate(learning_rate), tallies)
            ahead = theta + momentum * velocity
            weights = _leaves(run, ahead[None])
            begun = [(piece[:4], None) for piece in steps[:3]]
            lanes = begun if last is None else [(steps[0][4:], last), (steps[3], None)]
            cost, states = _naive_cost(run, weights, lanes)
            last = states[0]
            gradient = _gradient(cost, weights)
            norm = naive.norm([gradient])
            if norm >= threshold:
                gradient, clipped = gradient * threshold / norm, clipped + 1
            velocity = momentum * velocity - learning_rate * gradient
            theta = theta + velocity
            ours = run.network.parameters.theta_SP[0]
            torch.testing.assert_close(ours, theta + momentum * velocity, rtol=1e-8, atol=1e-10)
    tally = _tally(tallies)
    assert (tally.updates, tally.clipped) == (8, clipped)
    if "C" in letters:
        assert 0 < clipped < 8, "choose a threshold between the norms"


def test_an_idle_lane_that_overflows_harms_nothing():
    # Notes that sound keep the states of the one long piece at 0; silence, as in padding, lets them double a step.
    trial = examples.trial("R", batch=2, chunk=20)
    rolls = [torch.ones(200, 5).numpy(), torch.ones(3, 5).numpy()]
    pieces = Pieces.from_arrays(rolls)
    run = ChunkUpdater(Network(trial, frequencies(pieces, 5).float()))
    run.network.parameters.theta_SP.zero_()
    weights = run.network.parameters.member(0)
    weights["input_weight"].fill_(-5.0)
    weights["recurrent_weight"].copy_(2 * torch.eye(7))
    weights["bias"].fill_(1.0)
    carried, tallies = None, Tallies([Tally()])
    for chunk in chunks(pieces, [0, 1], 2, 20):
        carried = run.update(chunk, carried, torch.zeros(1, 1), tallies)
    tally = _tally(tallies)
    assert (tally.updates, tally.steps) == (10, 203)
    assert run.network.parameters.gradient_SP.isfinite().all()
