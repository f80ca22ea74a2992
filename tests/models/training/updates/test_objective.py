"""The objective of a network against loops over single steps: cost, gradients of chunks, and explicit matrices."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.core import use_kernel
from models.data.chunks import Pieces, chunks
from models.data.frequencies import frequencies
from models.network import Network
from models.outputs.nade.nade import NadeSettings
from models.parameters import Parameters
from models.training.updates.objective import NetworkObjective
from tests.models import examples, naive

# torch loads old parts of itself at the first derivative in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
LENGTHS, LENGTH = [5, 4, 7, 1], 4
WIDTH, HIDDEN = 3, 3
LANES = (1, 2, 4)


class Naive:
    """The network's pieces in chunks, one step at a time; a chunk's start is carried, and does not move."""

    def __init__(self, network: Network, pieces: Pieces, length: int = LENGTH):
        self.network, self.pieces, self.length = network, pieces, length
        self.theta = network.parameters.theta_SP[0].clone()
        self.activation = network.core.activation
        self.learned = network.trial.initial_state == "learned"

    def chunks(self, theta: Tensor) -> list[tuple[list[Tensor], Tensor]]:
        """Of each chunk its states h_0 ... h_T and its data."""
        weights = {name: value[0] for name, value in self.network.parameters.split(theta.unsqueeze(0)).items()}
        if not self.learned:
            weights["initial_state"] = weights["initial_state"].detach()
        found = []
        for number in range(len(self.pieces)):
            steps, start = examples.steps_of(self.pieces, number), None
            for first in range(0, len(steps), self.length):
                part = steps[first : first + self.length]
                path = naive.states(weights, part, self.activation, examples.retention_of(self.network), start)
                found.append((path, part))
                start = path[-1].detach()
        return found

    def logits(self, theta: Tensor) -> Tensor:
        parts = {name: value[0] for name, value in self.network.parameters.split(theta.unsqueeze(0)).items()}
        steps = [(h, x) for path, data in self.chunks(theta) for h, x in zip(path, data, strict=False)]
        if self.network.trial.output == "nade":
            return torch.stack([naive.nade_logits(parts, h, x) for h, x in steps])
        return torch.stack([parts["output_bias"] + h @ parts["output_weight"] for h, _ in steps])

    def states(self, theta: Tensor) -> Tensor:
        return torch.stack([h for path, _ in self.chunks(theta) for h in path[1:]])

    def chunk_costs(self, theta: Tensor) -> Tensor:
        parts = {name: value[0] for name, value in self.network.parameters.split(theta.unsqueeze(0)).items()}
        costs = []
        for path, steps in self.chunks(theta):
            nats = [-naive.log_likelihood(parts, h, step) for h, step in zip(path, steps, strict=False)]
            price = sum(
                t.l1 * h.abs().sum() for t in self.network.trial.techniques if t.letter == "R" for h in path[1:]
            )
            costs.append(torch.stack(nats).sum() + price)
        return torch.stack(costs)

    def gauss_newton(self) -> Tensor:
        jacobian = torch.autograd.functional.jacobian(self.logits, self.theta, vectorize=True)
        p = 1 / (1 + (-self.logits(self.theta)).exp())
        flat = jacobian.flatten(0, 1)
        return flat.T @ ((p * (1 - p)).flatten().unsqueeze(1) * flat) / len(self.pieces.data)

    def structural(self) -> Tensor:
        flat = torch.autograd.functional.jacobian(self.states, self.theta, vectorize=True).flatten(0, 1)
        return flat.T @ flat / len(self.pieces.data)


def _pieces() -> Pieces:
    return examples.pieces("bernoulli", LENGTHS, WIDTH)


def _network(letters: str = "", **changes: object) -> Network:
    trial = examples.trial(letters, optimizer="HF", hidden_size=HIDDEN, **changes)
    return examples.network(trial, _pieces(), WIDTH)


def _objective(network: Network, lanes: int = 2, length: int = LENGTH) -> NetworkObjective:
    order = [2, 0, 1, 3]
    return examples.objective(network, chunks(_pieces(), order, lanes, length))


def _assert_products(objective: NetworkObjective, matrix: Tensor, structural: float = 0.0) -> None:
    """Random directions have a part in every column: a wrong entry is in all of their products."""
    random = torch.Generator().manual_seed(0)
    for direction in torch.randn(4, len(matrix), generator=random, dtype=torch.float64):
        product = objective.product(direction, structural)
        torch.testing.assert_close(product, matrix @ direction, rtol=1e-9, atol=1e-11)


networks = pytest.mark.parametrize(
    ("letters", "changes"),
    [
        ("", {}),
        ("L", {}),
        ("R", {}),
        ("LR", {}),
        ("", {"activation": "sigmoid"}),
        ("", {"initial_state": "zero"}),
        ("L", {"output": "nade", "output_settings": NadeSettings(units=2)}),
    ],
)


@networks
def test_products_equal_the_explicit_matrices(letters, changes):
    network = _network(letters, **changes)
    loops = Naive(network, _pieces())
    explicit, structural = loops.gauss_newton(), loops.structural()
    assert structural.abs().max() > 0.01
    for lanes in LANES:
        objective = _objective(network, lanes)
        _assert_products(objective, explicit)
        _assert_products(objective, explicit + 0.3 * structural, 0.3)


def test_products_of_nade_equal_the_explicit_matrix_in_plain_torch_too():
    network = _network("L", output="nade", output_settings=NadeSettings(units=2))
    with use_kernel("reference"):
        _assert_products(_objective(network), Naive(network, _pieces()).gauss_newton())


@networks
def test_cost_gradient_and_squared_gradients_of_chunks_equal_loops(letters, changes):
    network = _network(letters, **changes)
    loops, steps = Naive(network, _pieces()), sum(LENGTHS)
    rows = torch.autograd.functional.jacobian(loops.chunk_costs, loops.theta)
    expected = loops.chunk_costs(loops.theta).sum().item() / steps
    for lanes in LANES:
        objective = _objective(network, lanes)
        slope = objective.slope()
        assert slope.cost == pytest.approx(expected, rel=1e-12)
        assert objective.cost(loops.theta) == pytest.approx(expected, rel=1e-12)
        torch.testing.assert_close(slope.gradient_P, rows.sum(0) / steps)
        torch.testing.assert_close(slope.squares_P, rows.square().sum(0) / steps)


@pytest.mark.parametrize("letters", ["", "R"])
def test_the_cost_of_the_slope_is_the_cost_there_to_the_bit(letters):
    """A step is taken where a cost is lower than that of the slope: rounded otherwise, it may be higher in truth."""
    trial, pieces = examples.trial(letters, hidden_size=40), Pieces.from_arrays(examples.music([30, 25, 40]))
    for seed in range(3):
        network = Network(trial, frequencies(pieces, 5).float())
        theta_SP = network.parameters.theta_SP
        theta_SP.normal_(0, 0.6 if letters == "" else 0.1, generator=torch.Generator().manual_seed(seed))
        objective = examples.objective(network, chunks(pieces, range(3), 3, 20))
        assert objective.slope().cost == objective.cost(theta_SP[0].clone())


@pytest.mark.parametrize("output", ["bernoulli", "nade"])
def test_the_cost_elsewhere_leaves_the_parameters_and_the_products_as_they_are(output):
    network = _network("L", output=output)
    loops, objective = Naive(network, _pieces()), _objective(network)
    there = loops.theta + 0.1
    before = objective.product(there, 0.1)
    expected = loops.chunk_costs(there).sum().item() / sum(LENGTHS)
    assert objective.cost(there) == pytest.approx(expected, rel=1e-12)
    assert torch.equal(network.parameters.theta_SP[0], loops.theta)
    assert torch.equal(objective.product(there, 0.1), before)


def test_a_cost_that_overflows_is_infinite():
    network = _network("R")
    assert _objective(network).cost(network.parameters.theta_SP[0] * 1e200) == float("inf")


def test_products_may_be_over_other_pieces_than_the_slope():
    network, pieces = _network(), _pieces()
    some = Pieces.from_arrays([examples.steps_of(pieces, 1).numpy()], torch.float64)
    objective = examples.objective(network, chunks(pieces, range(4), 2, LENGTH), chunks(some, [0], 1, LENGTH))
    loops = Naive(network, some)
    _assert_products(objective, loops.gauss_newton())
    assert objective.slope().cost == pytest.approx(_objective(network).slope().cost, rel=1e-12)


def test_only_some_steps_may_be_scored_and_all_states_are_held_by_structural_damping():
    network, pieces = _network("L"), examples.pieces("bernoulli", [5, 5], WIDTH)
    (whole,) = chunks(pieces, [0, 1], 2, 5)
    last_TB = torch.zeros(5, 2, dtype=torch.bool)
    last_TB[4] = True
    objective = examples.objective(network, [replace(whole, scored_TB=last_TB)])
    loops = Naive(network, pieces, 5)
    last = [4, 9]
    jacobian = torch.autograd.functional.jacobian(lambda theta: loops.logits(theta)[last], loops.theta).flatten(0, 1)
    p = torch.sigmoid(loops.logits(loops.theta)[last]).flatten()
    explicit = jacobian.T @ ((p * (1 - p)).unsqueeze(1) * jacobian) / 2
    _assert_products(objective, explicit)
    _assert_products(objective, explicit + loops.structural() * len(pieces.data) / 2, 1.0)


def test_what_cannot_be_linearised_is_refused():
    network = _network()
    lstm = examples.network(examples.trial(core="lstm"), _pieces(), WIDTH)
    for core, output in ((lstm.core, network.output), (network.core, None)):
        if output is None:
            output = examples.network(examples.trial(output="softmax"), examples.pieces("softmax", [4])).output
        with pytest.raises(TypeError, match="^objective: .* cannot be linearised"):
            NetworkObjective(core, output, Parameters(1, {}), None, True, (), [])
