"""The core without memory: zeros, and the output model alone."""

import pytest
import torch

from models.core import Frame
from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.evaluation.metrics import score
from models.network import Network
from models.outputs import NadeSettings
from models.outputs.nade.nade import Nade
from models.parameters import Parameters
from models.training.run import train
from tests.models import examples

SPLITS = [Pieces.from_arrays(examples.music(lengths, seed=seed)) for seed, lengths in enumerate(([9, 4, 6], [8, 5]))]


@pytest.mark.parametrize("symbols", [False, True])
def test_states_are_zero_whatever_comes_and_whatever_was_before(symbols):
    core = Frame(4, 3, "tanh")
    parameters = Parameters(2, core.shapes(), torch.float64)
    parameters.theta_SP.normal_(generator=torch.Generator().manual_seed(0))
    inputs = torch.ones(2, 5, 3, dtype=torch.long) if symbols else torch.ones(2, 5, 3, 4, dtype=torch.float64)
    states, carried = core.states(parameters.by_name, inputs, torch.ones(2, 3, 3, dtype=torch.float64), None)
    assert (states.shape, states.dtype, carried.shape) == ((2, 5, 3, 3), torch.float64, (2, 3, 3))
    assert not states.any()
    assert not carried.any()


def test_a_step_is_zero_and_has_a_gradient_of_zero():
    pre, carried = (torch.ones(1, 2, 3, requires_grad=True) for _ in range(2))
    after = Frame(4, 3, "tanh").step({}, pre, carried, None)
    assert not after.any()
    gradients = torch.autograd.grad(after.sum(), [pre, carried])
    assert not any(gradient.any() for gradient in gradients)


def test_nothing_of_it_is_drawn():
    core, generator = Frame(4, 3, "tanh"), torch.Generator().manual_seed(0)
    parameters, before = Parameters(1, core.shapes()), generator.get_state()
    parameters.theta_SP.fill_(1.0)
    core.initialise(parameters.member(0), generator, 2.0)
    assert not parameters.theta_SP.any()
    assert torch.equal(generator.get_state(), before)


def test_its_likelihood_is_that_of_nade_with_zero_states():
    trial = examples.trial(core="frame", output="nade", output_settings=NadeSettings(6))
    network = Network(trial, frequencies(SPLITS[0], 5).float())
    member = network.parameters.member(0)
    for name in ("from_hidden", "to_hidden", "hidden_bias", "output_bias"):
        member[name].normal_(generator=torch.Generator().manual_seed(len(name)))
    # As many units as anyone likes: what states are multiplied with plays no part.
    wide = Nade(5, 9, NadeSettings(6))
    parameters = Parameters(1, wide.shapes())
    parameters.theta_SP.fill_(7.0)
    for name in ("from_hidden", "to_hidden", "hidden_bias", "output_bias"):
        parameters.member(0)[name].copy_(member[name])
    frames = SPLITS[1].data[None, None]
    expected = wide.log_likelihood(parameters.by_name, torch.zeros(1, 1, frames.shape[2], 9), frames)
    assert score(network, SPLITS[1]).mean_log_likelihood == pytest.approx(expected.mean().item(), rel=1e-5)


def test_bernoulli_notes_learn_how_often_each_comes():
    trial = examples.trial(core="frame", learning_rate=0.3, cost="mean", chunk=20, epochs=200, patience=200, decay=1.0)
    trained = train(trial, SPLITS[0], SPLITS[0], 5)
    rates = SPLITS[0].data.mean(0)
    torch.testing.assert_close(trained.weights["output_bias"].sigmoid(), rates, rtol=0, atol=0.03)
    # The best possible for constant probabilities: minus the sum of the notes' entropies.
    entropy = -(rates * rates.log() + (1 - rates) * (1 - rates).log()).sum().item()
    assert -trained.best.valid == pytest.approx(entropy, rel=2e-3)
    assert -trained.best.valid >= entropy - 1e-5


@pytest.mark.parametrize("output", ["nade", "rbm", "bernoulli"])
def test_what_states_are_multiplied_with_and_h_0_never_move(output):
    settings = {"output_settings": examples.RBM_SETTINGS["data"]} if output == "rbm" else {}
    trial = examples.trial("CM", core="frame", output=output, **settings)
    before = Network(trial, frequencies(SPLITS[0], 5).float()).parameters.member(0)
    after = train(trial, SPLITS[0], SPLITS[0], 5).weights
    still = {name for name, value in after.items() if torch.equal(value, before[name])}
    matrices = {"nade": {"hidden_weight"}, "rbm": {"units_weight"}, "bernoulli": set()}[output]
    assert still == {"input_weight", "bias", "initial_state", "output_weight"} | matrices


def test_its_diagnosis_is_of_zeros():
    training = train(examples.trial(core="frame", output="nade"), *SPLITS, 5)
    for diagnosis in training.diagnoses:
        assert (diagnosis.zero_states, diagnosis.zero_gradients, diagnosis.spectral_radius) == (1.0, 1.0, None)
        assert not any(diagnosis.gradient_norms[1:])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hidden_size": 7}, "hidden_size: frame has no state but zero, got 7; wants 1"),
        ({"activation": "relu"}, "activation: frame has no state but zero, got 'relu'; wants tanh"),
        ({"initial_state": "learned"}, "initial_state: frame has no state but zero, got 'learned'; wants zero"),
        ({"input_dropout": 0.1}, "input_dropout: frame has no state but zero, got 0.1; wants 0.0"),
        ({"output_dropout": 0.1}, "output_dropout: frame has no state but zero, got 0.1; wants 0.0"),
        ({"techniques": examples.techniques("L")}, "technique L .* does not go with frame: .*; take it with rnn"),
        ({"techniques": examples.techniques("R")}, "technique R .* does not go with frame: .*; take it with rnn"),
        ({"techniques": examples.techniques("P"), "output": "nade"}, "technique P .* does not go with frame: "),
        ({"optimizer": "HF"}, "optimizer: HF does not go with frame: "),
    ],
)
def test_what_would_be_without_effect_is_refused(changes, reason):
    with pytest.raises(ValueError, match=f"^{reason}"):
        examples.trial(core="frame", **changes)
