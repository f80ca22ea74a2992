"""Core, output model and techniques put together: what is predicted from what, and where states begin."""

import pytest
import torch

from models.data.frequencies import frequencies
from models.network import Network, drop
from models.variants import all_subsets
from tests.models import examples, naive


def _inputs(output: str, T: int = 5, B: int = 2) -> torch.Tensor:
    lanes = [examples.steps_of(examples.pieces(output, [T], seed=b), 0) for b in range(B)]
    return torch.stack(lanes, dim=1).unsqueeze(0)


@pytest.mark.parametrize("letters", all_subsets("CLRM"))
@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_every_variant_equals_a_loop_over_steps(output, letters):
    trial = examples.trial(letters, output=output)
    network = examples.network(trial, examples.pieces(output, [6]))
    data = _inputs(output)
    states, _ = network.states(data, network.start(None, torch.ones(2, dtype=torch.bool)))
    ours = network.log_likelihood(states[:, :-1], data)
    activation = "relu" if "R" in letters else "tanh"
    weights = network.parameters.member(0)
    for b in range(2):
        path = naive.states(weights, data[0, :, b], activation, examples.retention_of(network))
        torch.testing.assert_close(states[0, :, b].detach(), torch.stack(path), rtol=1e-12, atol=1e-12)
        for t in range(5):
            theirs = naive.log_likelihood(weights, path[t], data[0, t, b])
            assert ours[0, t, b].item() == pytest.approx(theirs.item(), rel=1e-11)


def test_a_step_is_predicted_from_its_past_alone():
    network = examples.network(examples.trial("L"), examples.pieces("bernoulli", [6]))
    data = _inputs("bernoulli")
    changed = data.clone()
    changed[0, 3] = 1 - changed[0, 3]
    fresh = torch.ones(2, dtype=torch.bool)
    first, second = (network.states(x, network.start(None, fresh))[0] for x in (data, changed))
    assert torch.equal(first[:, :4], second[:, :4]), "h_0 to h_3 predict steps 1 to 4"
    assert (first[:, 4] != second[:, 4]).any()


@pytest.mark.parametrize("initial", ["learned", "zero"])
def test_states_begin_where_pieces_do_and_are_carried_elsewhere(initial):
    network = examples.network(examples.trial(initial_state=initial), examples.pieces("bernoulli", [6]))
    h0 = network.parameters.member(0)["initial_state"]
    assert h0.any() == (initial == "learned")
    carried = torch.randn(1, 3, 7, dtype=torch.float64, requires_grad=True)
    start = network.start(carried, torch.tensor([True, False, True]))
    assert torch.equal(start[0, 0], h0)
    assert torch.equal(start[0, 1], carried[0, 1])
    assert torch.equal(start[0, 2], h0)
    everything = network.start(None, torch.ones(3, dtype=torch.bool))
    assert torch.equal(everything[0], h0.expand(3, 7))
    for state in (start, everything):
        assert state.requires_grad == (initial == "learned")
    if initial == "learned":
        start.sum().backward()
        assert carried.grad is None
        assert network.parameters.by_name["initial_state"].grad.tolist() == [[2.0] * 7]


def test_leaky_units_change_the_states_and_only_they():
    train, data = examples.pieces("bernoulli", [6]), _inputs("bernoulli")
    fresh = torch.ones(2, dtype=torch.bool)
    plain, leaky = (examples.network(examples.trial(letters), train) for letters in ("", "L"))
    assert torch.equal(plain.parameters.theta_SP, leaky.parameters.theta_SP)
    assert plain.retention_SH is None
    assert int((leaky.retention_SH > 0).sum()) == 4
    first, second = (n.states(data, n.start(None, fresh))[0][0, 1] for n in (plain, leaky))
    assert (first[:, :4] != second[:, :4]).all()
    assert torch.equal(first[:, 4:], second[:, 4:])


def test_variants_of_one_seed_start_from_the_same_weights():
    frequency = frequencies(examples.pieces("bernoulli", [6]), 5)
    rows = [Network(examples.trial(letters), frequency).parameters.theta_SP for letters in all_subsets("CLRM")]
    assert all(torch.equal(rows[0], row) for row in rows)
    other = Network(examples.trial(seed=2), frequency).parameters.theta_SP
    assert not torch.equal(rows[0], other)


@pytest.mark.parametrize("letters", ["", "L"])
def test_a_network_takes_over_weights_and_refuses_other_names(letters):
    train, data = examples.pieces("bernoulli", [6]), _inputs("bernoulli")
    trained, other = (examples.network(examples.trial(letters), train, seed=seed) for seed in (3, 4))
    weights = dict(trained.parameters.member(0))
    if letters:
        trained.retention_SH = trained.retention_SH * 0.9
        weights["retention"] = trained.retention_SH[0]
    other.load(weights)
    fresh = torch.ones(2, dtype=torch.bool)
    first, second = (network.states(data, network.start(None, fresh))[0] for network in (trained, other))
    assert torch.equal(first, second)
    assert torch.equal(trained.parameters.theta_SP, other.parameters.theta_SP)
    lacking = {name: value for name, value in weights.items() if name != "bias"}
    for wrong in (weights | {"surplus": torch.zeros(1)}, lacking, weights | {"bias": torch.zeros(1)}):
        with pytest.raises(ValueError, match="^weights: not those of"):
            other.load(wrong)


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_dropout_keeps_the_mean(rate):
    values = torch.full((1, 100_000), 3.0, dtype=torch.float64)
    dropped = drop(values, rate, [torch.Generator().manual_seed(0)])
    zero = dropped == 0
    assert abs(zero.double().mean().item() - rate) < 5 * (rate * (1 - rate) / 100_000) ** 0.5
    torch.testing.assert_close(dropped[~zero], values[~zero] / (1 - rate))
    assert abs(dropped.mean().item() - 3) < 0.06


def test_dropout_of_inputs_and_of_outputs():
    data, fresh = _inputs("bernoulli", T=20), torch.ones(2, dtype=torch.bool)
    train = examples.pieces("bernoulli", [6])

    def run(generators: list[torch.Generator] | None, **rates: float) -> tuple[torch.Tensor, torch.Tensor]:
        network = examples.network(examples.trial(**rates), train)
        states, _ = network.states(data, network.start(None, fresh), generators)
        return states, network.log_likelihood(states[:, :-1], data, generators)

    def seeded(seed: int) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(seed)]

    plain = run(None)
    rates = {"input_dropout": 0.3, "output_dropout": 0.3}
    assert all(map(torch.equal, run(None, **rates), plain)), "none outside training"
    assert all(map(torch.equal, run(seeded(0)), plain)), "none at rate 0"
    states, _ = run(seeded(0), input_dropout=0.3)
    assert not torch.equal(states, plain[0])
    states, nats = run(seeded(0), output_dropout=0.3)
    assert torch.equal(states, plain[0]), "the recurrence is not touched"
    assert not torch.equal(nats, plain[1])
