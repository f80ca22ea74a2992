"""A network that goes on by itself: against a loop that computes its whole past anew at every step, in float64."""

import pytest
import torch
from torch import Tensor

from models.core import CORES
from models.data.frequencies import frequencies
from models.evaluation.sampling import generate
from models.network import Network
from models.outputs import OUTPUTS, Gaussian
from tests.models import examples, naive

STEPS = 12
OUTPUT_NAMES = [output.name for output in OUTPUTS if output is not Gaussian]  # which answers a question, once
CORE_NAMES = [core.name for core in CORES]


def _generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def _symbols(output: str) -> bool:
    return next(known.symbols for known in OUTPUTS if known.name == output)


def _pieces(output: str, length: int = 6, seed: int = 0) -> examples.Pieces:
    return examples.pieces("softmax" if _symbols(output) else "bernoulli", [length], seed=seed)


def _prefix(output: str, length: int = 4, seed: int = 0) -> Tensor:
    return examples.steps_of(_pieces(output, length, seed), 0)[None, :, None]


def _network(output: str, core: str = "rnn", letters: str = "", seed: int = 3) -> Network:
    network = examples.network(examples.trial(letters, output=output, core=core), _pieces(output), seed=seed)
    if output == "rbm" or core == "frame":  # what its many units say adds up, until it draws the same at every step
        network.parameters.theta_SP.mul_(0.3)
    return network


def _last_state(network: Network, past: Tensor) -> Tensor:
    """h after a past, from its first step on, one number at a time."""
    weights, core = network.parameters.member(0), network.trial.core
    if core == "rnn":
        activation = network.trial.network_activation
        return naive.states(weights, past, activation, examples.retention_of(network))[-1]
    if core == "frame":
        return torch.zeros_like(weights["initial_state"])
    path = {"lstm": naive.lstm, "gru": naive.gru}[core](weights, past, weights["initial_state"])
    return path[-1][: network.trial.hidden_size]


@pytest.mark.parametrize("letters", ["", "CLRM"])
@pytest.mark.parametrize("core", CORE_NAMES)
@pytest.mark.parametrize("output", OUTPUT_NAMES)
def test_it_equals_a_loop_that_computes_the_whole_past_anew(output, core, letters):
    network = _network(output, core, letters if core == "rnn" else letters.replace("LR", ""))
    prefix = _prefix(output)
    ours = generate(network, prefix, STEPS, _generators(5))
    (generator,) = _generators(5)
    past = prefix
    for _ in range(STEPS):
        h = _last_state(network, past[0, :, 0])
        with torch.no_grad():
            past = torch.cat([past, network.sample(h.view(1, 1, 1, -1), [generator])], dim=1)
    assert ours.shape == past.shape
    assert torch.equal(ours, past)
    assert torch.equal(ours[:, :4], prefix), "what was given is kept"
    assert ours.dtype == prefix.dtype
    assert len(ours[0, 4:].unique(dim=0)) > 1


@pytest.mark.parametrize("output", OUTPUT_NAMES)
def test_a_seed_gives_its_bits_and_another_one_others(output):
    network, prefix = _network(output), _prefix(output)
    first, again, other = (generate(network, prefix, 30, _generators(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    short = generate(network, prefix, 10, _generators(1))
    assert torch.equal(short, first[:, :14]), "a longer one goes on where a shorter one ends"
    assert torch.equal(generate(network, prefix, 0, _generators(1)), prefix)


@pytest.mark.parametrize("output", OUTPUT_NAMES)
def test_a_step_costs_the_same_however_long_the_past_is(output, monkeypatch):
    """The core sees the beginning once, and then one step at a time."""
    network, seen = _network(output), []
    states = network.states

    def watched(data: Tensor, start_SBK: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(data.shape[1])
        return states(data, start_SBK)

    monkeypatch.setattr(network, "states", watched)
    generate(network, _prefix(output), STEPS, _generators(0))
    assert seen == [4] + [1] * (STEPS - 1)


@pytest.mark.parametrize("output", OUTPUT_NAMES)
def test_without_a_beginning_it_starts_at_the_initial_state(output):
    network, prefix = _network(output), _prefix(output)
    ours = generate(network, prefix[:, :0], 1, _generators(4))
    h0 = network.parameters.member(0)["initial_state"].view(1, 1, 1, -1)
    with torch.no_grad():
        assert torch.equal(ours, network.sample(h0, _generators(4)))


@pytest.mark.parametrize("output", OUTPUT_NAMES)
def test_lanes_and_members_do_not_mix(output):
    """Each member draws what it draws alone; each lane goes on from its own beginning."""
    one, two = (_network(output, letters="L", seed=seed) for seed in (3, 4))
    prefix = torch.cat([_prefix(output, seed=seed) for seed in (0, 1)], dim=2)
    alone = [generate(one, prefix, STEPS, _generators(7)), generate(two, prefix, STEPS, _generators(8))]
    both = Network([one.trial, two.trial], frequencies(_pieces(output), 5), torch.float64)
    both.parameters.theta_SP.copy_(torch.cat([one.parameters.theta_SP, two.parameters.theta_SP]))
    together = generate(both, prefix.repeat_interleave(2, dim=0), STEPS, _generators(7, 8))
    assert torch.equal(together, torch.cat(alone))
    assert not torch.equal(together[0], together[1])
    assert not torch.equal(together[0, :, 0], together[0, :, 1])


@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_a_network_that_knows_a_period_keeps_it(output):
    """Input d turns unit d on, and unit d makes step d + 1 certain: 0 1 2 3 4 0 1 ..."""
    width = 5
    network = examples.network(examples.trial(output=output, hidden_size=width), _pieces(output))
    member = network.parameters.member(0)
    for value in member.values():
        value.zero_()
    member["input_weight"].copy_(50 * torch.eye(width))
    member["bias"].fill_(-25.0)
    member["output_weight"].copy_(1000 * torch.eye(width).roll(1, dims=1))  # tanh: on is 1, off is -1
    wanted = torch.arange(4 + 40) % width
    if output == "bernoulli":
        wanted = torch.nn.functional.one_hot(wanted, width).double()
    made = generate(network, wanted[:4][None, :, None], 40, _generators(0))
    assert torch.equal(made[0, :, 0], wanted)


@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_a_state_that_outgrows_its_type_ends_it(output):
    network = examples.network(examples.trial("R", output=output), _pieces(output))
    member = network.parameters.member(0)
    member["recurrent_weight"].copy_(1e60 * torch.eye(7))
    member["bias"].fill_(1.0)
    made = generate(network, _prefix(output), 30, _generators(0))
    # h_t is about 1e60^(t - 1): h_4 has a square over 1e308 already, or one soon.
    assert made.shape[1] == 4
    member["recurrent_weight"].copy_(1e20 * torch.eye(7))
    made = generate(network, _prefix(output), 30, _generators(0))
    assert 4 < made.shape[1] < 15


def test_the_parameters_gather_no_gradient():
    network = _network("bernoulli")
    made = generate(network, _prefix("bernoulli"), 3, _generators(0))
    assert not made.requires_grad
    assert not network.parameters.gradient_SP.any()


def test_it_draws_no_fewer_than_no_steps():
    with pytest.raises(ValueError, match="steps: wants 0 or more, got -1"):
        generate(_network("softmax"), _prefix("softmax"), -1, _generators(0))
