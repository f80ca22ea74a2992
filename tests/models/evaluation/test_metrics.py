"""Scores against a loop over whole pieces, and the metrics against sets and the standard library."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation import metrics
from models.evaluation.forward import likelihoods
from models.evaluation.metrics import Scores, frame_accuracy, score
from models.variants import all_subsets
from tests.models import examples, naive
from tests.models.pooled import summary

LENGTHS = [3, 1, 9, 4, 14, 2, 5]


def _naive_scores(network, pieces) -> list[float]:
    weights, activation = network.parameters.member(0), network.core.activation
    retention = examples.retention_of(network)
    return [
        naive.piece_log_likelihood(weights, examples.steps_of(pieces, i), activation, retention)
        for i in range(len(pieces))
    ]


@pytest.mark.parametrize("letters", ["", "L", "R", "CLRM"])
@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
@pytest.mark.parametrize(("lanes", "longest"), [(64, 256), (3, 4), (1, 1), (2, 100)])
def test_log_likelihood_equals_a_loop_over_pieces(monkeypatch, output, letters, lanes, longest):
    monkeypatch.setattr(metrics, "LANES", lanes)
    monkeypatch.setattr(metrics, "LONGEST", longest)
    pieces = examples.pieces(output, LENGTHS)
    network = examples.network(examples.trial(letters, output=output), pieces)
    scores = score(network, pieces)
    assert scores.steps.tolist() == LENGTHS
    assert scores.log_likelihood.dtype == np.float64
    expected = _naive_scores(network, pieces)
    np.testing.assert_allclose(scores.log_likelihood, expected, rtol=1e-11)
    assert scores.mean_log_likelihood == pytest.approx(math.fsum(expected) / sum(LENGTHS), rel=1e-12)
    assert scores.accuracy is scores.union_accuracy is None


@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
@pytest.mark.parametrize("core", ["lstm", "gru"])
def test_a_gated_core_carries_all_of_its_state_from_chunk_to_chunk(monkeypatch, core, output):
    monkeypatch.setattr(metrics, "LANES", 3)
    monkeypatch.setattr(metrics, "LONGEST", 4)
    pieces = examples.pieces(output, LENGTHS)
    trial = examples.trial(core=core, output=output)
    network = examples.network(trial, pieces)
    weights, run = network.parameters.member(0), getattr(naive, core)
    expected = []
    for index in range(len(pieces)):
        steps = examples.steps_of(pieces, index)
        path = run(weights, steps, weights["initial_state"])
        nats = [naive.log_likelihood(weights, path[t][: trial.hidden_size], step) for t, step in enumerate(steps)]
        expected.append(math.fsum(value.item() for value in nats))
    np.testing.assert_allclose(score(network, pieces).log_likelihood, expected, rtol=1e-11)


def test_more_pieces_than_lanes_and_more_steps_than_a_chunk():
    lengths = [2, 600, 300] + [1 + i % 3 for i in range(70)]
    assert len(lengths) > metrics.LANES
    assert max(lengths) > 2 * metrics.LONGEST
    pieces = examples.pieces("softmax", lengths)
    network = examples.network(examples.trial("L", output="softmax"), pieces)
    np.testing.assert_allclose(score(network, pieces).log_likelihood, _naive_scores(network, pieces), rtol=1e-10)


@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_the_first_step_counts(output):
    pieces = examples.pieces(output, [1, 1])
    network = examples.network(examples.trial(output=output), pieces)
    weights = network.parameters.member(0)
    ours = score(network, pieces).log_likelihood
    for i in range(2):
        expected = naive.log_likelihood(weights, weights["initial_state"], examples.steps_of(pieces, i)[0])
        assert ours[i] == pytest.approx(expected.item(), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(len(LENGTHS))), kept=st.integers(1, len(LENGTHS)))
def test_a_piece_scores_the_same_whatever_stands_beside_it(order, kept):
    arrays = examples.music(LENGTHS)
    pieces = examples.Pieces.from_arrays(arrays, torch.float64)
    network = examples.network(examples.trial("L"), pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "LANES", 2)
        patch.setattr(metrics, "LONGEST", 3)
        together = score(network, pieces).log_likelihood
        some = examples.Pieces.from_arrays([arrays[i] for i in order[:kept]], torch.float64)
        np.testing.assert_allclose(score(network, some).log_likelihood, together[order[:kept]], rtol=1e-12)


def test_steps_in_float32_are_summed_in_float64():
    pieces = examples.Pieces.from_arrays(examples.music([metrics.LONGEST]))
    network = examples.Network(examples.trial(), examples.frequencies(pieces, 5).float())
    ((rows, _),) = likelihoods(network, pieces, 1, metrics.LONGEST)
    assert rows.dtype == torch.float32
    assert score(network, pieces).log_likelihood[0] == pytest.approx(math.fsum(rows.flatten().tolist()), rel=1e-14)


def test_accuracy_of_every_pair_of_frames_equals_sets():
    frames = list(itertools.product((0, 1), repeat=4))
    for dtype in (torch.float32, torch.float64):
        everything = torch.tensor(frames, dtype=dtype)
        true = everything[:, None].expand(16, 16, 4)
        sampled = everything[None, :].expand(16, 16, 4)
        accuracy, union = frame_accuracy(true, sampled)
        for i, j in itertools.product(range(16), repeat=2):
            sets = [{note for note in range(4) if frames[k][note]} for k in (i, j)]
            expected = naive.matching(*sets)
            assert (accuracy[i, j].item(), union[i, j].item()) == pytest.approx(expected, rel=1e-6)
    assert [x.item() for x in frame_accuracy(torch.zeros(5), torch.zeros(5))] == [1.0, 1.0]


def test_samples_are_of_the_step_given_the_true_past():
    # A network made to play the last frame again: h_t = relu(x_t), and certain of what h says.
    trial = examples.trial("R", hidden_size=5)
    lengths = [4, 1, 9, 2, 6]
    pieces = examples.pieces("bernoulli", lengths)
    network = examples.network(trial, pieces)
    network.parameters.theta_SP.zero_()
    weights = network.parameters.member(0)
    weights["input_weight"].copy_(torch.eye(5))
    weights["output_weight"].copy_(2000 * torch.eye(5))
    weights["output_bias"].fill_(-1000.0)
    scores = score(network, pieces, torch.Generator().manual_seed(0))
    for i, length in enumerate(lengths):
        frames = [set(np.flatnonzero(row)) for row in examples.steps_of(pieces, i).numpy()]
        pairs = [naive.matching(frames[t], frames[t - 1] if t else set()) for t in range(length)]
        assert scores.accuracy[i] == pytest.approx(sum(pair[0] for pair in pairs))
        assert scores.union_accuracy[i] == pytest.approx(sum(pair[1] for pair in pairs))


def test_sampling_is_seeded_and_leaves_the_log_likelihood_alone():
    pieces = examples.pieces("bernoulli", LENGTHS)
    network = examples.network(examples.trial(), pieces)
    first, second, other = (score(network, pieces, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert np.array_equal(first.accuracy, second.accuracy)
    assert not np.array_equal(first.accuracy, other.accuracy)
    assert np.array_equal(first.log_likelihood, score(network, pieces).log_likelihood)
    text = examples.pieces("softmax", LENGTHS)
    network = examples.network(examples.trial(output="softmax"), text)
    assert score(network, text, torch.Generator().manual_seed(0)).accuracy is None


def test_scoring_builds_no_graph_and_changes_no_weight():
    pieces = examples.pieces("bernoulli", LENGTHS)
    network = examples.network(examples.trial(), pieces)
    before = network.parameters.theta_SP.clone()
    score(network, pieces, torch.Generator().manual_seed(0))
    assert torch.equal(network.parameters.theta_SP, before)
    assert not network.parameters.gradient_SP.any()


def test_metrics_pool_over_steps_not_over_pieces():
    nats = [[-3.0, -1.0], [-2.0, -2.5, -0.5], [-4.0]]
    scores = Scores(
        np.array([2, 3, 1]),
        np.array([sum(piece) for piece in nats]),
        np.array([1.5, 0.5, 1.0]),
        np.array([1.0, 0.25, 1.0]),
    )
    every = [x for piece in nats for x in piece]
    mean = sum(every) / len(every)
    assert summary("music", scores) == pytest.approx({"log_likelihood": mean, "accuracy": 50.0, "union_accuracy": 37.5})
    bits = sum(-math.log2(math.exp(x)) for x in every) / len(every)
    assert summary("characters", scores) == pytest.approx({"bits_per_character": bits})
    geometric = math.prod(math.exp(-x) for x in every) ** (1 / len(every))
    assert summary("words", scores) == pytest.approx({"perplexity": geometric})
    assert summary("music", Scores(scores.steps, scores.log_likelihood)) == {"log_likelihood": mean}


def test_uniform_guessing_over_symbols():
    uniform = Scores(np.array([4]), np.array([4 * math.log(1 / 8)]))
    assert summary("characters", uniform)["bits_per_character"] == pytest.approx(3)
    assert summary("words", uniform)["perplexity"] == pytest.approx(8)


@pytest.mark.parametrize("letters", all_subsets("CLRM"))
def test_every_variant_scores_a_finite_number(letters):
    pieces = examples.Pieces.from_arrays(examples.music([20, 30]))
    network = examples.Network(examples.trial(letters), examples.frequencies(pieces, 5).float())
    assert math.isfinite(score(network, pieces).mean_log_likelihood)
