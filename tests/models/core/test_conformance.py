"""What every core promises, whoever wrote it: one suite over the tuple; ours against torch.nn and loops as well."""

import itertools

import pytest
import torch
from torch import Tensor

from models.core import GRU, LSTM, RNN, Core
from models.core.base import project
from models.parameters import Parameters
from models.variants import BY_CORE
from tests.models import naive

# Members, steps, lanes, units: from 1, and of no round number.
SIZES = [(1, 1, 1, 1), (1, 6, 3, 5), (2, 1, 2, 4), (3, 5, 1, 3), (2, 7, 4, 6)]
WIDTH = 4
NAIVE = {
    "rnn": lambda weights, steps, start: naive.states(weights, steps, "tanh", start=start),
    "lstm": naive.lstm,
    "gru": naive.gru,
}
# torch says once that members' gradients, views into one matrix, are not dense: slower, not wrong.
pytestmark = pytest.mark.filterwarnings("ignore:grad and param do not obey")
# What those that remember promise; `frame`, which does not, is in a file of its own.
REMEMBERING = [kind for kind in BY_CORE.values() if kind.remembers]
every_core = pytest.mark.parametrize("kind", REMEMBERING, ids=lambda kind: kind.name)
ours = pytest.mark.parametrize("kind", [kind for kind in REMEMBERING if kind.name in NAIVE], ids=lambda kind: kind.name)


def _core(kind: type[Core], S: int, H: int) -> tuple[Core, Parameters]:
    """A float64 layer with no weight at a special value."""
    core = kind(WIDTH, H, "tanh")
    parameters = Parameters(S, core.shapes(), torch.float64)
    parameters.theta_SP.normal_(0, 0.7, generator=torch.Generator().manual_seed(0))
    return core, parameters


def _inputs(S: int, T: int, B: int, symbols: bool = False) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    if symbols:
        return torch.randint(0, WIDTH, (S, T, B), generator=generator)
    return torch.rand(S, T, B, WIDTH, generator=generator, dtype=torch.float64) - 0.3


def _start(parameters: Parameters, B: int) -> Tensor:
    """Another start for every lane, and differentiable."""
    initial = parameters.by_name["initial_state"].unsqueeze(1)
    return initial * torch.linspace(0.5, 1.5, B, dtype=torch.float64)[:, None]


def _weighed(states: Tensor) -> Tensor:
    """A number to which every state counts differently, and not linearly."""
    weights = torch.linspace(-1, 2, states.numel(), dtype=states.dtype).view(states.shape)
    return (states.sin() * weights).sum()


def test_names_differ():
    assert list(BY_CORE)[:4] == ["rnn", "lstm", "gru", "frame"]


@ours
@pytest.mark.parametrize("symbols", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_states_and_gradients_equal_autograd_through_single_steps(kind, symbols, size):
    S, T, B, H = size
    core, parameters = _core(kind, S, H)
    inputs, start = _inputs(S, T, B, symbols), _start(parameters, B)
    states, last = core.states(parameters.by_name, inputs, start, None)
    assert tuple(states.shape) == (S, T, B, H)
    assert tuple(last.shape) == tuple(start.shape)
    assert not last.requires_grad
    _weighed(states).backward()

    weights = [{name: value.clone().requires_grad_() for name, value in parameters.member(s).items()} for s in range(S)]
    scales = torch.linspace(0.5, 1.5, B, dtype=torch.float64)
    paths = [
        [NAIVE[kind.name](weights[s], inputs[s, :, b], weights[s]["initial_state"] * scales[b]) for b in range(B)]
        for s in range(S)
    ]
    theirs = torch.stack([torch.stack([torch.stack(path[1:]) for path in lanes], dim=1) for lanes in paths])
    torch.testing.assert_close(states.detach(), theirs[..., :H].detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(last, theirs[:, -1].detach(), rtol=1e-12, atol=1e-12)
    _weighed(theirs[..., :H]).backward()
    for s, name in itertools.product(range(S), parameters.shapes):
        ours, expected = parameters.by_name[name].grad[s], weights[s][name].grad
        expected = torch.zeros_like(ours) if expected is None else expected
        torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-11, msg=lambda text, n=name: f"{n}: {text}")


@every_core
def test_gradients_of_inputs_and_of_the_start_equal_finite_differences(kind):
    core, parameters = _core(kind, 2, 3)
    inputs = _inputs(2, 4, 2).requires_grad_()
    start = _start(parameters, 2).detach().requires_grad_()
    torch.autograd.gradcheck(lambda x, h: core.states(parameters.by_name, x, h, None)[0], (inputs, start))


@every_core
@pytest.mark.parametrize("symbols", [False, True])
def test_gradients_of_the_parameters_equal_autograd_through_its_own_steps(kind, symbols):
    core, parameters = _core(kind, 2, 3)
    inputs, start = _inputs(2, 4, 2, symbols), _start(parameters, 2).detach()
    parameters.differentiate(_weighed(core.states(parameters.by_name, inputs, start, None)[0]))
    by_states = parameters.gradient_SP.clone()
    carried, path = start, []
    for pre in project(parameters.by_name["input_weight"], parameters.by_name["bias"], inputs).unbind(1):
        carried = core.step(parameters.by_name, pre, carried, None)
        path.append(carried[..., :3])
    parameters.differentiate(_weighed(torch.stack(path, dim=1)))
    torch.testing.assert_close(by_states, parameters.gradient_SP, rtol=1e-9, atol=1e-11)


@every_core
def test_two_halves_equal_one_go(kind):
    core, parameters = _core(kind, 2, 5)
    inputs = _inputs(2, 9, 3)
    whole, end = core.states(parameters.by_name, inputs, _start(parameters, 3), None)
    first, carried = core.states(parameters.by_name, inputs[:, :4], _start(parameters, 3), None)
    second, last = core.states(parameters.by_name, inputs[:, 4:], carried, None)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(last, end, rtol=1e-13, atol=1e-13)
    forgotten, _ = core.states(parameters.by_name, inputs[:, 4:], torch.zeros_like(carried), None)
    assert not torch.allclose(forgotten, second, rtol=1e-3), "what is carried matters"


@every_core
def test_all_that_is_carried_matters(kind):
    core, parameters = _core(kind, 1, 3)
    start = _start(parameters, 1).detach()
    plain, _ = core.states(parameters.by_name, _inputs(1, 2, 1), start, None)
    for k in range(start.shape[-1]):
        other = start.clone()
        other[..., k] += 0.5
        assert not torch.allclose(core.states(parameters.by_name, _inputs(1, 2, 1), other, None)[0], plain)


FORMS = [
    (kind, activation, leaks)
    for kind in REMEMBERING
    for activation in (("tanh",) if kind.gated else ("tanh", "sigmoid", "relu"))
    for leaks in ((False,) if kind.gated else (False, True))
]


@pytest.mark.parametrize(("kind", "activation", "leaks"), FORMS)
def test_single_steps_equal_the_scan_also_in_what_is_carried(kind, activation, leaks):
    core, parameters = _core(kind, 2, 5)
    core = kind(WIDTH, 5, activation)
    retention = torch.rand(2, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64) if leaks else None
    inputs, carried = _inputs(2, 6, 3), _start(parameters, 3)
    states, last = core.states(parameters.by_name, inputs, carried, retention)
    path = []
    for pre in project(parameters.by_name["input_weight"], parameters.by_name["bias"], inputs).unbind(1):
        carried = core.step(parameters.by_name, pre, carried, retention)
        path.append(carried[..., :5])
    torch.testing.assert_close(torch.stack(path, dim=1), states, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(carried.detach(), last, rtol=1e-12, atol=1e-12)


@every_core
def test_members_and_lanes_never_meet(kind):
    core, parameters = _core(kind, 3, 4)
    inputs, start = _inputs(3, 5, 2), _start(parameters, 2).detach()
    together, _ = core.states(parameters.by_name, inputs, start, None)
    changed = inputs.clone()
    changed[1, 2, 0] += 1
    apart, _ = core.states(parameters.by_name, changed, start, None)
    different = (together != apart).any(-1)
    expected = torch.zeros(3, 5, 2, dtype=torch.bool)
    expected[1, 2:, 0] = True
    assert torch.equal(different, expected)


@every_core
def test_bits_do_not_depend_on_memory_that_was_used_before(kind):
    core, parameters = _core(kind, 1, 5)
    results = []
    for _ in range(2):
        states, _ = core.states(parameters.by_name, _inputs(1, 6, 3), _start(parameters, 3), None)
        parameters.differentiate(_weighed(states))
        results.append((states.detach(), parameters.gradient_SP.clone()))
        torch.full((1000,), float("nan")), torch.full((1, 6, 3, 15), float("nan"))
    assert all(map(torch.equal, *results))


@every_core
def test_what_is_not_finite_is_passed_on(kind):
    core, parameters = _core(kind, 1, 4)
    inputs = _inputs(1, 5, 2)
    inputs[0, 2, 1, 0] = float("nan")
    states, last = core.states(parameters.by_name, inputs, _start(parameters, 2), None)
    assert states[0, 2:, 1].isnan().all()
    assert states[0, :, 0].isfinite().all()
    assert last[0, 1].isnan().all()


@ours
def test_initial_values_of_ours(kind):
    H, width = 32, 50
    core = kind(width, H, "tanh")
    parameters = Parameters(1, core.shapes())
    parameters.theta_SP.fill_(7.0)
    member = parameters.member(0)
    core.initialise(member, torch.Generator().manual_seed(0), 16.0)
    blocks = member["recurrent_weight"].double().split(H)
    assert len(blocks) == {"rnn": 1, "lstm": 4, "gru": 3}[kind.name]
    for block in blocks:
        torch.testing.assert_close(block @ block.T, torch.eye(H, dtype=torch.float64), rtol=0, atol=1e-5)
    assert all(not torch.allclose(a, b, atol=0.1) for a, b in itertools.combinations(blocks, 2))
    assert abs(member["input_weight"].std().item() - 0.25) < 0.02
    ones = slice(2 * H, 3 * H) if kind.name == "lstm" else slice(0, 0)
    expected = torch.zeros_like(member["bias"])
    expected[ones] = 1
    assert torch.equal(member["bias"], expected), "only forget gates are open"
    assert not member["initial_state"].any()
    assert kind.name != "gru" or not member["recurrent_bias"].any()


@every_core
def test_initial_values_are_given_to_all_and_follow_the_generator(kind):
    core = kind(50, 32, "tanh")
    parameters, again, other = (Parameters(1, core.shapes()) for _ in range(3))
    for fresh, seed in ((parameters, 0), (again, 0), (other, 1)):
        fresh.theta_SP.fill_(7.0)
        core.initialise(fresh.member(0), torch.Generator().manual_seed(seed), 16.0)
    assert not (parameters.theta_SP == 7.0).any()
    assert torch.equal(again.theta_SP, parameters.theta_SP)
    assert not torch.equal(other.theta_SP, parameters.theta_SP)


def _theirs(kind: str, H: int, activation: str, member: dict[str, Tensor]) -> torch.nn.RNNBase:
    """torch.nn's layer with the same weights, its gates in its own order."""
    if kind == "rnn":
        layer: torch.nn.RNNBase = torch.nn.RNN(WIDTH, H, nonlinearity=activation, dtype=torch.float64)
        order = [0]
    elif kind == "lstm":
        layer, order = torch.nn.LSTM(WIDTH, H, dtype=torch.float64), [1, 2, 3, 0]
    else:
        layer, order = torch.nn.GRU(WIDTH, H, dtype=torch.float64), [0, 1, 2]

    def turned(rows: Tensor) -> Tensor:
        return torch.cat([rows.split(H)[block] for block in order])

    with torch.no_grad():
        layer.weight_ih_l0.copy_(turned(member["input_weight"].T))
        layer.weight_hh_l0.copy_(turned(member["recurrent_weight"]))
        layer.bias_ih_l0.copy_(turned(member["bias"]))
        layer.bias_hh_l0.zero_()
        if kind == "gru":
            layer.bias_hh_l0[2 * H :] = member["recurrent_bias"]
    return layer


def _blocks(kind: str, rows: Tensor, H: int) -> Tensor:
    """Gradient of torch.nn's rows in our order."""
    blocks = rows.split(H)
    return torch.cat([blocks[3], *blocks[:3]]) if kind == "lstm" else rows


@pytest.mark.parametrize(("kind", "activation"), [(RNN, "tanh"), (RNN, "relu"), (LSTM, "tanh"), (GRU, "tanh")])
def test_states_and_gradients_equal_those_of_torch(kind, activation):
    T, B, H = 8, 3, 5
    core, parameters = kind(WIDTH, H, activation), _core(kind, 1, H)[1]
    inputs, start = _inputs(1, T, B), _start(parameters, B).detach().requires_grad_()
    states, last = core.states(parameters.by_name, inputs, start, None)
    _weighed(states).backward()

    layer = _theirs(kind.name, H, activation, parameters.member(0))
    their_start = start.detach().clone().requires_grad_()
    parts = tuple(part.contiguous() for part in their_start.split(H, dim=-1))
    theirs, end = layer(inputs[0], parts if kind.name == "lstm" else parts[0])
    torch.testing.assert_close(states[0], theirs, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(last, torch.cat(end, dim=-1) if kind.name == "lstm" else end, rtol=1e-12, atol=1e-12)
    _weighed(theirs.unsqueeze(0)).backward()
    grads = {name: value.grad[0] for name, value in parameters.by_name.items() if value.grad is not None}
    torch.testing.assert_close(start.grad, their_start.grad, rtol=1e-10, atol=1e-12)
    expected = {
        "input_weight": _blocks(kind.name, layer.weight_ih_l0.grad, H).T,
        "recurrent_weight": _blocks(kind.name, layer.weight_hh_l0.grad, H),
        "bias": _blocks(kind.name, layer.bias_ih_l0.grad, H),
    }
    if kind.name == "gru":
        expected["recurrent_bias"] = layer.bias_hh_l0.grad[2 * H :]
    for name, gradient in expected.items():
        torch.testing.assert_close(grads[name], gradient, rtol=1e-10, atol=1e-12)


@every_core
def test_single_precision_is_close_to_double(kind):
    core, parameters = _core(kind, 2, 16)
    single = Parameters(2, core.shapes())
    single.theta_SP.copy_(parameters.theta_SP)
    inputs = _inputs(2, 30, 4)
    double_states, _ = core.states(parameters.by_name, inputs, _start(parameters, 4), None)
    start = _start(parameters, 4).float()
    single_states, _ = core.states(single.by_name, inputs.float(), start, None)
    torch.testing.assert_close(single_states.double(), double_states, rtol=0, atol=2e-3)
