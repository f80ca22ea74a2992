"""Data of which only some steps are scored: all are read, those alone are predicted, paid for and counted."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from models.data.chunks import Pieces, chunks, plan_chunks
from models.data.frequencies import frequencies
from models.data.stacked import stack
from models.evaluation import metrics
from models.evaluation.baselines import baselines, score_baseline, score_mean
from models.evaluation.diagnostics import probe_of
from models.evaluation.metrics import score
from models.network import Network
from models.outputs.gaussian import TOLERANCE, GaussianSettings
from models.randomness import generator_for
from models.techniques import Clipping, Rectifier
from models.training.run import Run, train
from models.training.updates.chunk_updater import ChunkUpdater
from models.training.updates.tallies import Tallies, Tally
from models.trial import Trial
from tests.models import examples, naive
from tests.models.solvable import temporal_order

LENGTHS = [6, 2, 4, 1, 9]
RATE_0 = torch.zeros(1, 1, dtype=torch.float64)


def _some(output: str, seed: int = 0) -> Pieces:
    """Pieces with scored steps anywhere, at least one of each piece, so that chunks have many, few or none."""
    pieces = examples.pieces("softmax" if output == "softmax" else "bernoulli", LENGTHS)
    scored = torch.rand(len(pieces.data), generator=torch.Generator().manual_seed(seed)) < 0.3
    scored[torch.from_numpy(pieces.starts[1:] - 1)] = True
    return replace(pieces, scored=scored)


def _scored_of(pieces: Pieces, index: int) -> list[bool]:
    assert pieces.scored is not None
    return pieces.scored[pieces.starts[index] : pieces.starts[index + 1]].tolist()


def _nats(trial: Trial, weights: dict[str, Any], h: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    if trial.output != "gaussian":
        return naive.log_likelihood(weights, h, step)
    mean = weights["output_bias"][0] + h @ weights["output_weight"][:, 0]
    return torch.distributions.Normal(mean, trial.output_settings.deviation).log_prob(step[-1])


def _trial(output: str, letters: str = "", **changes: Any) -> Trial:
    techniques = tuple(Rectifier(0.3) if t.letter == "R" else t for t in examples.techniques(letters))
    settings = {"output_settings": GaussianSettings(0.7)} if output == "gaussian" else {}
    return examples.trial(output=output, techniques=techniques, **(settings | changes))


def test_the_last_steps_alone():
    pieces = Pieces.from_arrays(examples.text([3, 1, 4]), last_alone=True)
    assert pieces.scored is not None
    assert pieces.scored.tolist() == [False, False, True, True, False, False, False, True]
    assert pieces.scored_lengths.tolist() == [1, 1, 1]
    assert pieces.scored_data.tolist() == pieces.data[[2, 3, 7]].tolist()
    assert pieces.to("cpu").scored is not None
    every = Pieces.from_arrays(examples.text([3, 1, 4]))
    assert every.scored is None
    assert every.scored_lengths.tolist() == [3, 1, 4]


@pytest.mark.parametrize(("lanes", "length"), [(3, 4), (1, 2), (8, 20)])
def test_a_chunk_tells_scored_steps_from_all_that_are_no_padding(lanes, length):
    pieces = _some("softmax")
    numbered = replace(pieces, data=torch.arange(1, len(pieces.data) + 1))
    scored, unpadded = [], []
    for chunk in chunks(numbered, range(len(LENGTHS)), lanes, length):
        values = chunk.inputs.double()
        assert chunk.scored(values).shape == (1, 1, chunk.scored_steps)
        scored += chunk.scored(values).flatten().tolist()
        unpadded += chunk.unpadded(values).flatten().tolist()
        assert chunk.total_scored(chunk.scored(values)).item() == sum(chunk.scored(values).flatten().tolist())
        assert chunk.total_unpadded(chunk.unpadded(values)).item() == values.sum().item()
    assert sorted(unpadded) == list(range(1, sum(LENGTHS) + 1))
    assert sorted(scored) == [n + 1 for n, it in enumerate(pieces.scored.tolist()) if it]


@pytest.mark.parametrize(("lanes", "length"), [(3, 4), (1, 2), (8, 20)])
def test_spreading_is_the_transpose_of_choosing_the_scored_steps(lanes, length):
    pieces, random = _some("softmax"), torch.Generator().manual_seed(1)
    for some in (pieces, replace(pieces, scored=None)):
        for chunk in chunks(some, range(len(LENGTHS)), lanes, length):
            u = torch.randn(1, *chunk.unpadded_TB.shape, 3, generator=random, dtype=torch.float64)
            v = torch.randn(1, 1, chunk.scored_steps, 3, generator=random, dtype=torch.float64)
            torch.testing.assert_close((chunk.scored(u) * v).sum(), (u * chunk.spread(v)).sum(), rtol=1e-12, atol=1e-12)
            assert torch.equal(chunk.scored(chunk.spread(v)), v)
            assert not chunk.spread(v)[0][~chunk.scored_TB].any()


def _naive_cost(run: ChunkUpdater, pieces: Pieces, weights: dict[str, Any], lanes: list[tuple[int, slice, Any]]) -> Any:
    """The cost of a chunk from its docstring; None where nothing of it is scored."""
    trial, total, scored = run.network.trial, 0.0, 0
    for piece, part, start in lanes:
        data, counts = examples.steps_of(pieces, piece)[part], _scored_of(pieces, piece)[part]
        path = naive.states(weights, data, run.network.core.activation, examples.retention_of(run.network), start)
        for t, (step, count) in enumerate(zip(data, counts, strict=True)):
            if count:
                total = total - _nats(trial, weights, path[t], step)
                scored += 1
            if "R" in trial.letters:
                total = total + trial.technique("R").l1 * path[t + 1].abs().sum()
    return None if not scored else total / (scored if trial.cost == "mean" else len(lanes))


@pytest.mark.parametrize("cost", ["sum", "mean"])
@pytest.mark.parametrize("letters", ["", "LR"])
@pytest.mark.parametrize("output", ["bernoulli", "softmax", "gaussian"])
def test_gradients_equal_autograd_through_single_steps(output, letters, cost):
    trial, pieces = _trial(output, letters, cost=cost), _some(output)
    run, tallies = ChunkUpdater(examples.network(trial, pieces)), Tallies([Tally()])
    weights = {
        name: value[0].detach().clone().requires_grad_() for name, value in run.network.parameters.by_name.items()
    }
    lengths = dict(enumerate(LENGTHS))
    carried, updates, idle = None, 0, 0
    place = dict.fromkeys(lengths, 0)
    for chunk in chunks(pieces, range(len(LENGTHS)), 3, 3):
        lanes = []
        for lane, piece in enumerate(chunk.piece_B.tolist()):
            steps = int(chunk.unpadded_TB[:, lane].sum())
            if steps:
                start = None if chunk.fresh[lane] else carried[0, lane]
                lanes.append((piece, slice(place[piece], place[piece] + steps), start))
                place[piece] += steps
        run.network.parameters.gradient_SP.zero_()
        carried = run.update(chunk, carried, RATE_0, tallies)
        expected = _naive_cost(run, pieces, weights, lanes)
        if expected is None:
            idle += 1
            assert not run.network.parameters.gradient_SP.any()
            continue
        updates += 1
        parts = torch.autograd.grad(expected, list(weights.values()), allow_unused=True)
        gradient = torch.cat(
            [(torch.zeros_like(w) if g is None else g).flatten() for g, w in zip(parts, weights.values(), strict=True)]
        )
        torch.testing.assert_close(run.network.parameters.gradient_SP[0], gradient, rtol=1e-9, atol=1e-11)
    ((tally, diverged),) = tallies.members()
    assert not diverged
    assert (tally.updates, tally.steps) == (updates, sum(pieces.scored.tolist()))
    assert updates > 1


def test_a_chunk_of_which_nothing_is_scored_is_read_and_moves_nothing():
    pieces = Pieces.from_arrays(examples.text([6]), last_alone=True)
    trial = _trial("softmax", "CM", chunk=4)
    run, tallies = ChunkUpdater(examples.network(trial, pieces)), Tallies([Tally()])
    run.state["velocity"].fill_(0.5)
    before = run.network.parameters.theta_SP.clone()
    first, second = chunks(pieces, [0], 1, 4)
    carried = run.update(first, None, RATE_0 + 0.1, tallies)
    assert torch.equal(run.network.parameters.theta_SP, before)
    weights = run.network.parameters.member(0)
    expected = naive.states(weights, pieces.data[:4], "tanh")[-1]
    torch.testing.assert_close(carried[0, 0], expected, rtol=1e-12, atol=1e-12)
    run.update(second, carried, RATE_0 + 0.1, tallies)
    assert not torch.equal(run.network.parameters.theta_SP, before)
    assert tallies.members()[0] == (replace(tallies.members()[0][0], updates=1, steps=1), False)


@pytest.mark.parametrize("output", ["softmax", "gaussian"])
@pytest.mark.parametrize("letters", ["", "CR"])
def test_a_stack_trains_as_its_members_do_alone(output, letters):
    arrays = examples.text(LENGTHS) if output == "softmax" else examples.music(LENGTHS)
    pieces = Pieces.from_arrays(arrays, last_alone=True)
    trials = [_trial(output, letters, seed=seed, learning_rate=0.02 * (1 + seed), chunk=5) for seed in range(3)]
    run = Run(trials, pieces, pieces, 5)
    while run.advance():
        pass
    for trial in trials:
        alone, ours = train(trial, pieces, pieces, 5), run.ended[trial.key]
        assert (ours.status, ours.updates) == (alone.status, alone.updates)
        for mine, its in zip(ours.curve, alone.curve, strict=True):
            assert vars(mine) == {k: pytest.approx(v, rel=2e-4, nan_ok=True) for k, v in vars(its).items()}


def test_a_stacked_chunk_of_which_nothing_is_scored_moves_nobody():
    pieces = Pieces.from_arrays(examples.text([6]), last_alone=True)
    trials = [_trial("softmax", seed=seed, chunk=4, batch=1) for seed in (1, 2)]
    updater, tallies = ChunkUpdater(Network(trials, frequencies(pieces, 5).float())), Tallies([Tally(), Tally()])
    before = updater.network.parameters.theta_SP.clone()
    first, _ = plan_chunks(pieces, [0], 1, 4)
    updater.update(stack(pieces, [first, first], 1, 4), None, torch.full((2, 1), 0.1), tallies)
    assert torch.equal(updater.network.parameters.theta_SP, before)
    assert tallies.members() == [(Tally(), False)] * 2


@pytest.mark.parametrize("longest", [256, 3, 1])
@pytest.mark.parametrize("output", ["bernoulli", "softmax", "gaussian"])
def test_scores_equal_a_loop_over_pieces(monkeypatch, output, longest):
    monkeypatch.setattr(metrics, "LONGEST", longest)
    monkeypatch.setattr(metrics, "LANES", 2)
    trial, pieces = _trial(output), _some(output)
    network = examples.network(trial, pieces)
    weights = network.parameters.member(0)
    scores = score(network, pieces, torch.Generator())
    for index in range(len(LENGTHS)):
        steps, counts = examples.steps_of(pieces, index), _scored_of(pieces, index)
        path = naive.states(weights, steps, "tanh")
        chosen = [t for t, count in enumerate(counts) if count]
        assert scores.steps[index] == len(chosen)
        nats = math.fsum(_nats(trial, weights, path[t], steps[t]).item() for t in chosen)
        assert scores.log_likelihood[index] == pytest.approx(nats, rel=1e-11)
        guesses = [weights["output_bias"] + path[t] @ weights["output_weight"] for t in chosen]
        if output == "softmax":
            right = [int(z.argmax()) == int(steps[t]) for z, t in zip(guesses, chosen, strict=True)]
            assert scores.success[index] == sum(right)
        if output == "gaussian":
            right = [abs(float(z) - float(steps[t, -1])) < TOLERANCE for z, t in zip(guesses, chosen, strict=True)]
            assert scores.success[index] == sum(right)
    assert (scores.success is None) == (output == "bernoulli")
    assert scores.accuracy is None


def test_the_probe_of_the_diagnostics_ends_with_the_step_that_is_asked_for():
    pieces = Pieces.from_arrays([np.arange(70, dtype=np.int32), np.arange(60, dtype=np.int32)], last_alone=True)
    probe = probe_of(pieces)
    assert probe.shape == (51, 2)
    assert probe[:, 0].tolist() == list(range(19, 70))
    assert probe[-1].tolist() == [69, 59]
    assert probe_of(replace(pieces, scored=None))[0].tolist() == [0, 0]


def test_baselines_count_scored_steps_alone():
    train_pieces = Pieces.from_arrays([np.array(x, np.int32) for x in ([0, 0, 3], [1, 3], [0, 2])], last_alone=True)
    test = Pieces.from_arrays([np.array(x, np.int32) for x in ([0, 3], [1, 1, 2])], last_alone=True)
    frequency = frequencies(train_pieces, 4)
    assert frequency.tolist() == [1 / 7, 1 / 7, 2 / 7, 3 / 7]
    known = baselines(train_pieces, 4)
    unigram = score_baseline(known["unigram"], test, generator_for(0))
    np.testing.assert_allclose(unigram.log_likelihood, np.log([3 / 7, 2 / 7]))
    assert unigram.success.tolist() == [1, 0]
    assert score_baseline(known["uniform"], test, generator_for(0)).success.tolist() == [0.25, 0.25]
    assert score_baseline(known["uniform"], replace(test, scored=None), generator_for(0)).success is None


def test_the_mean_of_train_as_the_guess():
    def ending(*answers: float) -> Pieces:
        arrays = [np.array([[0.1, 1, 0], [0, 0, answer]], np.float32) for answer in answers]
        return Pieces.from_arrays(arrays, torch.float64, last_alone=True)

    scores = score_mean(ending(0.2, 0.6), ending(0.37, 0.45, 0.9))
    assert scores.success.tolist() == [1, 0, 0]
    density = torch.distributions.Normal(0.4, 0.1)
    expected = density.log_prob(torch.tensor([0.37, 0.45, 0.9]))
    np.testing.assert_allclose(scores.log_likelihood, expected, rtol=1e-5)


def test_temporal_order_of_ten_symbols_is_learned_to_the_last_sequence():
    train_pieces, valid, test = (
        Pieces.from_arrays(temporal_order(n, 10, n), last_alone=True) for n in (1500, 200, 300)
    )
    trial = examples.trial(
        output="softmax", techniques=(Clipping(1.0),), hidden_size=30, learning_rate=0.5, chunk=11, batch=30, epochs=15
    )
    trained = train(replace(trial, decay=1.0, patience=15), train_pieces, valid, 10)
    network = Network(trial, frequencies(train_pieces, 10).float())
    assert score(network, test).success.sum() < 150
    network.load(trained.weights)
    assert score(network, test).success.sum() == 300
