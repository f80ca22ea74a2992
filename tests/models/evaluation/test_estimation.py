"""Estimated log-likelihoods of pieces against enumeration: the quick one, the reported one, and its error."""

from functools import partial

import numpy as np
import pytest
import torch

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.evaluation import estimation
from models.evaluation.estimation import drawn_steps
from models.evaluation.metrics import score, score_members
from models.network import Network
from models.outputs import RBM
from models.outputs.effort import Effort
from models.randomness import generator_for
from tests.models import examples, naive
from tests.models.outputs import machines as small

LENGTHS = [30, 1, 45, 12, 72]


def _made(coupling: float = 1.0) -> tuple[Network, Pieces, np.ndarray]:
    """A network with couplings so many times as strong, pieces, and exact log-likelihoods of their steps."""
    pieces = Pieces.from_arrays(examples.music(LENGTHS), torch.float64)
    network = examples.network(examples.trial(output="rbm", output_settings=examples.RBM_SETTINGS["data"]), pieces)
    output, weights = network.output, network.parameters.member(0)
    weights["coupling"].mul_(coupling)
    assert isinstance(output, RBM)
    exact = []
    for i in range(len(LENGTHS)):
        steps = examples.steps_of(pieces, i)
        states = torch.stack(naive.states(weights, steps, "tanh")[:-1])
        machines = output.machines(network.parameters.by_name, states[None, None])
        for n, notes in enumerate(steps):
            joint = small.log_joint(machines, 0, n)
            place = int(sum(note * 2 ** (4 - d) for d, note in enumerate(notes.tolist())))
            exact.append((joint[place].logsumexp(0) - joint.flatten().logsumexp(0)).item())
    return network, pieces, np.array(exact)


def _summed(pieces: Pieces, values_N: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values_N, pieces.starts[:-1])


def test_drawn_steps_are_different_ones_and_always_the_same():
    drawn = drawn_steps(1000, 100)
    assert torch.equal(drawn, drawn_steps(1000, 100))
    assert len(drawn.unique()) == 100
    assert torch.equal(drawn, drawn.sort().values)
    assert 0 <= int(drawn[0]) < 100 < 900 < int(drawn[-1]) < 1000, "from all over the split"
    assert drawn_steps(7, 7).tolist() == drawn_steps(7, 100).tolist() == list(range(7))


def test_while_training_a_few_steps_are_scored_always_alike(monkeypatch):
    network, pieces, exact = _made()
    monkeypatch.setattr(estimation, "MONITORED", 50)
    scores = score(network, pieces)
    drawn = drawn_steps(sum(LENGTHS), 50).numpy()
    counted = np.zeros(sum(LENGTHS))
    counted[drawn] = 1
    assert scores.steps.tolist() == _summed(pieces, counted).tolist()
    np.testing.assert_allclose(scores.log_likelihood, _summed(pieces, counted * exact), atol=0.6)
    assert scores.mean_log_likelihood == pytest.approx(exact[drawn].mean(), abs=0.03)
    assert scores.log_likelihood_error is scores.accuracy is None
    assert score(network, pieces).log_likelihood.tolist() == scores.log_likelihood.tolist()


def test_a_small_split_is_estimated_in_full(monkeypatch):
    network, pieces, exact = _made()
    monkeypatch.setattr(estimation, "FULL", Effort(100, 200))
    scores = score(network, pieces, generator_for("accuracy"), reported=True)
    assert scores.steps.tolist() == LENGTHS
    np.testing.assert_allclose(scores.log_likelihood, _summed(pieces, exact), atol=0.3)
    error = scores.log_likelihood_error.sum() / scores.steps.sum()
    assert abs(scores.mean_log_likelihood - exact.mean()) < 5 * error
    assert 0 < error < 0.01
    np.testing.assert_allclose(scores.log_likelihood_error, error * np.array(LENGTHS))
    assert scores.accuracy.shape == scores.union_accuracy.shape == (5,)
    assert (scores.accuracy <= scores.steps).all()


def test_the_error_of_what_is_reported_is_the_spread_of_reports(monkeypatch):
    """Coarse estimates of every step are off by much here; the drawn steps tell by how much, and how surely."""
    network, pieces, exact = _made(coupling=3.0)
    monkeypatch.setattr(estimation, "COARSE", Effort(3, 3))
    monkeypatch.setattr(estimation, "FULL", Effort(50, 60))
    monkeypatch.setattr(estimation, "REPORTED", 40)
    found, errors, coarse = [], [], []
    for draw in range(16):
        monkeypatch.setattr(estimation, "generator_for", partial(generator_for, "report number", draw))
        scores = score(network, pieces, reported=True)
        found.append(scores.mean_log_likelihood)
        errors.append(scores.log_likelihood_error.sum() / scores.steps.sum())
        coarse.append(
            estimation._estimates(network, pieces, torch.arange(160), Effort(3, 3), "coarse")[0].mean().item()
        )
    spread = np.std(found, ddof=1)
    assert abs(np.mean(found) - exact.mean()) < 4 * spread / 16**0.5 + 1e-3
    assert np.mean(coarse) - exact.mean() > 5 * spread / 16**0.5, "else there is nothing to mend"
    # A spread of 16 is known to about 18 %; the error leaves out nothing, and counts a little twice.
    assert 0.7 * spread < np.mean(errors) < 1.6 * spread


@pytest.mark.parametrize("drawn", [4, 8])
def test_what_is_reported_is_the_formula_of_its_parts(monkeypatch, drawn):
    """Of 8 steps some are estimated in full, and then all of them: the mean and its error by hand."""
    rng = np.random.default_rng(0)
    fine, error, coarse = rng.normal(-5, 1, (2, 8)), rng.uniform(0.1, 0.3, (2, 8)), rng.normal(-5, 1, (2, 8))
    pieces = Pieces.from_arrays(examples.music([3, 1, 4]), torch.float64)

    def estimates(network, pieces, place_n, effort, purpose):
        values = {"full": fine, "coarse": coarse}[purpose]
        return tuple(torch.tensor(value)[:, place_n] for value in (values, error))

    monkeypatch.setattr(estimation, "_estimates", estimates)
    monkeypatch.setattr(estimation, "REPORTED", drawn)
    sums, errors = estimation.report(None, pieces)
    of = drawn_steps(8, drawn).numpy()
    off = (fine - coarse)[:, of]
    own = np.sqrt((error[:, of] ** 2).sum(1)) / drawn
    rest = np.sqrt((1 - 4 / 8) * off.var(1, ddof=1) / 4)
    expected = (coarse + off.mean(1)[:, None], np.hypot(own, rest)) if drawn < 8 else (fine, own)
    np.testing.assert_allclose(sums, np.add.reduceat(expected[0], [0, 3, 4], axis=1))
    np.testing.assert_allclose(errors, expected[1][:, None] * [3, 1, 4])


@pytest.mark.parametrize("reported", [False, True])
def test_members_of_a_stack_have_the_scores_that_they_have_alone(monkeypatch, reported):
    for name, value in (("MONITORED", 30), ("REPORTED", 40), ("FULL", Effort(20, 30))):
        monkeypatch.setattr(estimation, name, value)
    pieces = Pieces.from_arrays(examples.music(LENGTHS), torch.float64)
    settings = examples.RBM_SETTINGS["data"]
    trials = [examples.trial(output="rbm", output_settings=settings, seed=seed) for seed in (1, 2)]
    frequency = frequencies(pieces, 5)
    for ours, trial in zip(
        score_members(Network(trials, frequency, torch.float64), pieces, None, reported), trials, strict=True
    ):
        theirs = score(Network(trial, frequency, torch.float64), pieces, None, reported)
        assert ours.steps.tolist() == theirs.steps.tolist()
        np.testing.assert_allclose(ours.log_likelihood, theirs.log_likelihood, rtol=1e-9)
        if reported:
            np.testing.assert_allclose(ours.log_likelihood_error, theirs.log_likelihood_error, rtol=1e-6)


def test_exact_models_know_no_effort():
    pieces = examples.pieces("bernoulli", [6, 3])
    network = examples.network(examples.trial(), pieces)
    quick, full = score(network, pieces), score(network, pieces, reported=True)
    assert quick.log_likelihood.tolist() == full.log_likelihood.tolist()
    assert quick.log_likelihood_error is full.log_likelihood_error is None
