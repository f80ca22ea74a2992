"""Diagnostics against naive loops in float64, closed forms, and the scans' own gradients."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.evaluation.diagnostics import LAGS, LANES, Diagnosis, diagnose, probe_of, spectral_radius, time_constants
from models.network import Network
from models.outputs import ClassSettings
from models.randomness import generator_for
from models.training.run import Run, train, train_stack
from models.variants import all_subsets
from tests.models import examples, naive

LENGTHS = [9, 4, 12, 7, 12]


def _measured(network: Network, probe: Tensor) -> Diagnosis:
    (found,) = diagnose(network, network.parameters.theta_SP, network.retention_SH, probe, "best", [3])
    assert (found.moment, found.epoch) == ("best", 3)
    return found


def _paths(network: Network, steps: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """What is carried from h_0 on, through one vector after another, what is added to each step, and the last loss."""
    weights, trial = network.parameters.member(0), network.trial
    start = weights["initial_state"].requires_grad_()
    # A push of 0 of every input of a unit or a gate: its gradient is that of the input.
    pushes = [torch.zeros_like(weights["bias"]).requires_grad_() for _ in steps[:-1]]
    path = [start]
    for step, push in zip(steps[:-1], pushes, strict=True):
        pushed = weights | {"bias": weights["bias"] + push}
        if trial.core == "rnn":
            retention = examples.retention_of(network)
            path += naive.states(pushed, step[None], trial.network_activation, retention, path[-1])[1:]
        else:
            path += {"lstm": naive.lstm, "gru": naive.gru}[trial.core](pushed, step[None], path[-1])[1:]
    return path, pushes, -naive.log_likelihood(weights, path[-1][: trial.hidden_size], steps[-1])


CASES = [
    *((letters, {"output": output}) for letters in ("", "L", "R", "LR") for output in ("bernoulli", "softmax")),
    ("", {"activation": "sigmoid"}),
    *(("", {"core": core, "output": output}) for core in ("lstm", "gru") for output in ("bernoulli", "softmax")),
]


@pytest.mark.parametrize(("letters", "changes"), CASES)
def test_it_equals_autograd_through_a_naive_loop(letters, changes):
    trial = examples.trial(letters, **changes)
    pieces = examples.pieces(trial.output, LENGTHS)
    network, probe = examples.network(trial, pieces), probe_of(pieces)
    found = _measured(network, probe)

    norms, states, inputs = [], [], []
    for lane in range(probe.shape[1]):
        path, pushes, loss = _paths(network, probe[:, lane])
        gradients = torch.autograd.grad(loss, [*path, *pushes])
        norms.append([naive.norm([each]) for each in reversed(gradients[: len(path)])])
        states += [value == 0 for h in path[1:] for value in h[:7].tolist()]
        inputs += [value == 0 for each in gradients[len(path) :] for value in each.tolist()]
    assert found.gradient_norms == pytest.approx(np.mean(norms, axis=0).tolist(), rel=1e-9)
    assert found.zero_states == pytest.approx(np.mean(states))
    assert found.zero_gradients == pytest.approx(np.mean(inputs))
    assert (found.zero_gradients > 0) == ("R" in letters)
    assert (found.zero_states > 0) == ("R" in letters)


@pytest.mark.parametrize(
    ("letters", "changes"),
    [
        ("", {}),
        ("L", {}),
        ("R", {}),
        ("", {"core": "lstm"}),
        ("", {"core": "gru"}),
        *(("L", {"output": output}) for output in ("rbm", "nade")),
        ("L", {"output": "classes", "output_settings": ClassSettings(3)}),
    ],
)
def test_it_equals_the_gradient_that_the_scan_gives_to_its_start(letters, changes):
    # Another way to each: the scan itself, begun anew at every step, with its backward pass written by hand.
    trial = examples.trial(letters, **changes)
    pieces = examples.pieces("softmax" if trial.output_type.symbols else "bernoulli", LENGTHS)
    network, probe = examples.network(trial, pieces), probe_of(pieces)
    parameters, data, carried = network.parameters.by_name, probe.unsqueeze(0), []
    state = parameters["initial_state"].detach().unsqueeze(1).repeat(1, probe.shape[1], 1)
    for t in range(len(probe)):
        carried.append(state)
        _, state = network.core.states(parameters, data[:, t : t + 1], state, network.retention_SH)
    norms = []
    for t, start in enumerate(carried):
        start.requires_grad_()
        read = start[..., :7]
        if t < len(probe) - 1:
            read = network.core.states(parameters, data[:, t:-1], start, network.retention_SH)[0][:, -1]
        chains = [generator_for("diagnosis")]
        loss = network.output.cost(network.named, read.unsqueeze(1), data[:, -1:], chains).sum()
        (gradient,) = torch.autograd.grad(loss, start)
        norms.append(gradient.norm(dim=-1).mean().item())
    assert _measured(network, probe).gradient_norms == pytest.approx(norms[::-1], rel=1e-9)


def _linear(factor: float, H: int = 6) -> tuple[Network, Tensor]:
    """A rectified network in which every unit is on, with `factor` times a permutation: linear, and normal."""
    pieces = examples.pieces("bernoulli", [20, 20, 20], width=5)
    network = examples.network(examples.trial("R", hidden_size=H), pieces)
    weights = network.parameters.member(0)
    weights["recurrent_weight"].copy_(factor * torch.eye(H, dtype=torch.float64).roll(1, 0))
    weights["input_weight"].zero_()
    weights["bias"].fill_(1.0)
    weights["initial_state"].fill_(1.0)
    return network, probe_of(pieces)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_a_linear_network_multiplies_the_gradient_by_its_radius_each_step(factor):
    network, probe = _linear(factor)
    found = _measured(network, probe)
    expected = [found.gradient_norms[0] * factor**k for k in range(20)]
    assert found.gradient_norms == pytest.approx(expected, rel=1e-9)
    assert found.spectral_radius == pytest.approx(factor, rel=1e-6)
    assert (found.zero_states, found.zero_gradients) == (0, 0)


def test_a_dead_unit_is_a_share_of_zeros():
    network, probe = _linear(1.0)
    network.parameters.member(0)["bias"][2] = -100.0
    found = _measured(network, probe)
    assert found.zero_states == pytest.approx(1 / 6)
    assert found.zero_gradients > 1 / 6, "what goes into the dead unit gets none, nor what leads to it alone"


def test_a_unit_that_only_leaks_passes_on_its_retention():
    pieces = examples.pieces("bernoulli", [15, 15])
    network = examples.network(examples.trial("L"), pieces)
    network.parameters.member(0)["recurrent_weight"].zero_()
    network.retention_SH = torch.full((1, 7), 0.8, dtype=torch.float64)
    found = _measured(network, probe_of(pieces))
    assert found.gradient_norms == pytest.approx([found.gradient_norms[0] * 0.8**k for k in range(15)], rel=1e-9)


def test_the_radius_of_known_matrices():
    turn = torch.tensor([[math.cos(1), -math.sin(1)], [math.sin(1), math.cos(1)]])
    known = torch.stack([turn, 3 * turn, torch.tensor([[0.5, 100.0], [0.0, -0.9]]), torch.tensor([[0.0, 1.0], [0, 0]])])
    radii = spectral_radius(known)
    assert radii[:3].tolist() == pytest.approx([1, 3, 0.9], rel=2e-3)
    assert radii[3] < 0.3, "nilpotent: 0, but for what the smallest number lets through"
    random = torch.randn(5, 40, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact = torch.linalg.eigvals(random).abs().amax(1)
    torch.testing.assert_close(spectral_radius(random), exact, rtol=2e-3, atol=0)
    torch.testing.assert_close(spectral_radius(random.float()), exact, rtol=2e-3, atol=0)
    assert spectral_radius(torch.zeros(1, 3, 3)).tolist() == [0]


def test_time_constants_are_those_of_the_decay():
    retention = torch.tensor([0.98, 0.0, 0.5])
    constants = time_constants(retention)
    assert (retention[[0, 2]] ** constants).tolist() == pytest.approx([math.exp(-1)] * 2, rel=1e-5)
    assert time_constants(torch.zeros(4)).tolist() == []


def test_the_probe_is_the_beginnings_of_pieces_spread_over_the_split():
    pieces = Pieces.from_arrays(examples.text([LAGS + 1 + i % 3 for i in range(3 * LANES)] + [5], width=50))
    probe = probe_of(pieces)
    assert probe.shape == (LAGS + 1, LANES)
    starts = {tuple(examples.steps_of(pieces, i)[: LAGS + 1].tolist()): i for i in range(len(pieces))}
    chosen = [starts[tuple(lane.tolist())] for lane in probe.unbind(1)]
    assert len(set(chosen)) == LANES
    assert (chosen[0], chosen[-1]) == (0, 3 * LANES - 1)
    short = probe_of(Pieces.from_arrays(examples.music([3, 6, 2, 6])))
    assert short.shape == (6, 2, 5), "the longest pieces, where none is long enough"


def test_pieces_of_one_step_have_a_gradient_at_lag_0_alone():
    pieces = examples.pieces("bernoulli", [1, 1])
    found = _measured(examples.network(examples.trial(), pieces), probe_of(pieces))
    assert len(found.gradient_norms) == 1
    assert math.isnan(found.zero_states)
    assert math.isnan(found.zero_gradients)


@pytest.mark.parametrize(
    "changes", [{}, {"core": "lstm"}, {"core": "gru"}, {"output": "softmax"}, {"output": "rbm"}, {"output": "classes"}]
)
def test_members_of_a_stack_are_measured_as_alone(changes):
    letters = ["", "C"] if "core" in changes else ["", "CL", "L"]
    trials = [examples.trial(each, seed=s, **changes) for s, each in enumerate(letters)]
    made = examples.text if changes.get("output") in ("softmax", "classes") else examples.music
    pieces = Pieces.from_arrays(made(LENGTHS))
    stacked = Network(trials, frequencies(pieces, 5).float())
    probe, epochs = probe_of(pieces), list(range(len(trials)))
    found = diagnose(stacked, stacked.parameters.theta_SP, stacked.retention_SH, probe, "start", epochs)
    for epoch, (ours, trial) in enumerate(zip(found, trials, strict=True)):
        alone = Network(trial, frequencies(pieces, 5).float())
        (theirs,) = diagnose(alone, alone.parameters.theta_SP, alone.retention_SH, probe, "start", [epoch])
        assert ours == theirs


def splits(output: str) -> tuple[Pieces, Pieces]:
    """Train and validation split of a few short pieces."""
    make = examples.music if output == "bernoulli" else examples.text
    return Pieces.from_arrays(make([9, 4, 6, 1, 7, 3], seed=1)), Pieces.from_arrays(make([8, 5], seed=2))


@pytest.mark.parametrize("letters", all_subsets("CLRM"))
def test_training_has_the_same_bits_without(letters):
    trial, both = examples.trial(letters, output_dropout=0.2), splits("bernoulli")
    run = Run([trial], *both, 5, diagnosing=False)
    while run.advance():
        pass
    without, result = run.ended[trial.key], train(trial, *both, 5)
    assert without.diagnoses == ()
    for name, weight in result.weights.items():
        assert torch.equal(without.weights[name], weight)
    for ours, theirs in zip(result.curve, without.curve, strict=True):
        assert math.isnan(theirs.update_ratio)
        assert repr(replace(ours, update_ratio=0.0)) == repr(replace(theirs, update_ratio=0.0))


def test_a_trial_is_measured_as_it_starts_and_at_its_best():
    trial, both = examples.trial("CL", epochs=8, output="softmax", learning_rate=0.5), splits("softmax")
    result = train(trial, *both, 5)
    start, best = result.diagnoses
    assert (start.moment, start.epoch, best.moment, best.epoch) == ("start", 0, "best", result.best.epoch)
    assert 0 < result.best.epoch < result.curve[-1].epoch, "choose a rate at which the best is not the last"
    network = Network(trial, frequencies(both[0], 5).float())
    probe = probe_of(both[1])
    assert diagnose(network, network.parameters.theta_SP, network.retention_SH, probe, "start", [0]) == [start]
    network.load(result.weights)
    epochs = [result.best.epoch]
    assert diagnose(network, network.parameters.theta_SP, network.retention_SH, probe, "best", epochs) == [best]
    assert start.spectral_radius == pytest.approx(1, rel=1e-4), "orthogonal"


def test_members_of_a_stack_that_end_apart_are_measured_each_at_its_own_best():
    trials = [examples.trial("C", seed=s, epochs=1 + s) for s in range(3)]
    together = train_stack(trials, *splits("bernoulli"), 5)
    for trial in trials:
        alone = train(trial, *splits("bernoulli"), 5)
        for ours, theirs in zip(together[trial.key].diagnoses, alone.diagnoses, strict=True):
            assert (ours.moment, ours.epoch) == (theirs.moment, theirs.epoch)
            assert ours.gradient_norms == pytest.approx(theirs.gradient_norms, rel=1e-3)


def test_the_epoch_tells_the_largest_norm_and_how_large_its_updates_were():
    trial = examples.trial("M", batch=2)
    run = Run([trial], *splits("bernoulli"), 5)
    run.advance()
    norms, ratios = [], []
    network = run._network
    while run.progress()[0].epoch == 1:
        before, updates = network.parameters.theta_SP.clone(), run.progress()[0].updates
        run.advance()
        if run.progress()[0].updates > updates and run.progress()[0].epoch == 1:
            norms.append(naive.norm([network.parameters.gradient_SP]))
            ratios.append(naive.norm([network.parameters.theta_SP - before]) / naive.norm([before]))
    row = run.progress()[0].curve[1]
    assert row.largest_norm == pytest.approx(max(norms), rel=1e-5)
    assert row.update_ratio == pytest.approx(np.mean(ratios), rel=1e-5)
    assert row.largest_norm > row.gradient_norm > 0
