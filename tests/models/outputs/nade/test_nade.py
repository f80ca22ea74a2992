"""NADE against a loop over single notes, enumeration of all frames, and autograd in float64."""

import functools
import itertools
import math

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

from models.core import use_kernel
from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.network import Network
from models.outputs import Nade, NadeSettings
from models.parameters import Parameters
from tests.models import examples, naive
from tests.models.core.kernels import needs_native

KERNELS = ("reference", pytest.param("native", marks=needs_native))

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
ORDERS = ((), (2, 0, 3, 1, 4, 6, 5, 7))
SIZES = (  # members, frames, notes, hidden, hidden units of NADE
    (1, 1, 1, 1, 1),
    (1, 5, 3, 2, 4),
    (3, 7, 9, 4, 5),
    (1, 3, 88, 6, 17),
    (2, 5, 31, 3, 83),
    (1, 3, 9, 5, 129),
)


@pytest.fixture(params=KERNELS, autouse=True)
def _kernel(request):
    """Every test on every kernel that is here."""
    with use_kernel(request.param):
        yield


def made(S: int, D: int, H: int, U: int, order: tuple[int, ...] = (), seed: int = 0) -> tuple[Nade, Parameters]:
    model = Nade(D, H, NadeSettings(U, order))
    parameters = Parameters(S, model.shapes(), torch.float64)
    parameters.theta_SP.normal_(0, 0.3, generator=torch.Generator().manual_seed(seed))
    return model, parameters


def frames(S: int, N: int, D: int, share: float = 0.3) -> Tensor:
    """Random frames, with silence and all notes on among them where there is room."""
    data = (torch.rand(S, 1, N, D, generator=torch.Generator().manual_seed(N)) < share).double()
    if N > 2:
        data[:, :, 1], data[:, :, 2] = 0, 1
    return data


def states(S: int, N: int, H: int) -> Tensor:
    return torch.randn(S, 1, N, H, generator=torch.Generator().manual_seed(7), dtype=torch.float64).requires_grad_()


def loop(parameters: Parameters, h: Tensor, data: Tensor, order: tuple[int, ...] = ()) -> Tensor:
    """Every frame by itself, inside the graph."""
    members = []
    for s in range(len(data)):
        weights = {name: value[s] for name, value in parameters.by_name.items()}
        rows = [naive.log_likelihood(weights, h[s, 0, n], v, order) for n, v in enumerate(data[s, 0])]
        members.append(torch.stack(rows))
    return torch.stack(members).unsqueeze(1)


@pytest.mark.parametrize("order", ORDERS)
def test_probabilities_of_all_frames_of_eight_notes_sum_to_one(order):
    model, parameters = made(1, 8, 3, 5, order)
    everything = torch.tensor(list(itertools.product((0.0, 1.0), repeat=8)), dtype=torch.float64)[None, None]
    h = states(1, 1, 3).expand(1, 1, 256, 3)
    assert model.log_likelihood(parameters.by_name, h, everything).exp().sum().item() == pytest.approx(1, rel=1e-12)


def _slopes(values: Tensor, leaves: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    weight = torch.randn(values.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return torch.autograd.grad(values, leaves, weight, materialize_grads=True)


@functools.cache
def _by_loop(S: int, N: int, D: int, H: int, U: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    """What every kernel has to give: the loop's values and gradients."""
    _, parameters = made(S, D, H, U)
    h = states(S, N, H)
    values = loop(parameters, h, frames(S, N, D))
    return values.detach(), _slopes(values, (h, *parameters.by_name.values()))


@pytest.mark.parametrize("size", SIZES)
def test_likelihood_and_gradients_equal_a_loop_over_notes(size):
    S, N, D, H, U = size
    model, parameters = made(S, D, H, U)
    h = states(S, N, H)
    ours = model.log_likelihood(parameters.by_name, h, frames(S, N, D))
    theirs, other = _by_loop(*size)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    mine = _slopes(ours, (h, *parameters.by_name.values()))
    for name, a, b in zip(("states", *parameters.by_name), mine, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}")


def test_gradients_equal_differences():
    model, parameters = made(2, 5, 3, 4, (3, 0, 4, 1, 2))
    h, data = states(2, 6, 3), frames(2, 6, 5)
    names = tuple(parameters.by_name)

    def likelihood(h: Tensor, *values: Tensor) -> Tensor:
        return model.log_likelihood(dict(zip(names, values, strict=True)), h, data)

    assert torch.autograd.gradcheck(likelihood, (h, *parameters.by_name.values()))


def test_frames_of_many_steps_are_those_of_one():
    model, parameters = made(2, 6, 3, 4)
    h, data = states(2, 12, 3), frames(2, 12, 6)
    row = model.log_likelihood(parameters.by_name, h, data)
    block = model.log_likelihood(parameters.by_name, h.view(2, 4, 3, 3), data.view(2, 4, 3, 6))
    assert torch.equal(row.view(2, 4, 3), block)
    logits = model.logits(parameters.by_name, h.view(2, 4, 3, 3), data.view(2, 4, 3, 6))
    torch.testing.assert_close(logits[1, 2, 1], naive.nade_logits(parameters.member(1), h[1, 0, 7], data[1, 0, 7]))


def test_a_member_of_a_stack_gets_the_bits_that_it_gets_alone():
    model, parameters = made(3, 21, 4, 37)
    h, data = states(3, 23, 4), frames(3, 23, 21)
    together = model.log_likelihood(parameters.by_name, h, data)
    mine = torch.autograd.grad(together.sum(), tuple(parameters.by_name.values()))
    for s in range(3):
        some = {name: value.detach()[s : s + 1].clone().requires_grad_() for name, value in parameters.by_name.items()}
        alone = model.log_likelihood(some, h[s : s + 1], data[s : s + 1])
        assert torch.equal(alone[0], together[s])
        for a, b in zip(torch.autograd.grad(alone.sum(), tuple(some.values())), mine, strict=True):
            torch.testing.assert_close(a[0], b[s], rtol=1e-12, atol=1e-12)


def test_an_order_is_the_order_of_pitch_on_turned_notes():
    order = (2, 0, 3, 1, 4)
    turned, parameters = made(1, 5, 3, 4, order)
    natural = Nade(5, 3, NadeSettings(4))
    h, data = states(1, 30, 3), frames(1, 30, 5)
    places = torch.tensor(order)
    columns = {name: value[..., places] for name, value in parameters.by_name.items() if name.startswith("output")}
    rows = {name: value[:, places] for name, value in parameters.by_name.items() if name.endswith("_hidden")}
    theirs = natural.log_likelihood({**parameters.by_name, **columns, **rows}, h, data[..., places])
    ours = turned.log_likelihood(parameters.by_name, h, data)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(ours, natural.log_likelihood(parameters.by_name, h, data))
    torch.testing.assert_close(ours, loop(parameters, h, data, order), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("order", [(), (1, 2, 0, 3)])
def test_tangents_of_the_logits_equal_differences_and_fit_the_way_back(order):
    model, parameters = made(2, 4, 3, 5, order)
    h, data, names = states(2, 9, 3), frames(2, 9, 4), tuple(parameters.by_name)
    values = (h.detach(), *(value.detach() for value in parameters.by_name.values()))
    random = torch.Generator().manual_seed(4)
    moved = tuple(torch.randn(x.shape, generator=random, dtype=x.dtype) for x in values)

    def logits(*values: Tensor) -> Tensor:
        return model.logits(dict(zip(names, values[1:], strict=True)), values[0], data)

    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(x, v) for x, v in zip(values, moved, strict=True)]
        tangent = forward_ad.unpack_dual(logits(*duals)).tangent
    step = 1e-6
    ahead, behind = ([x + sign * v for x, v in zip(values, moved, strict=True)] for sign in (step, -step))
    torch.testing.assert_close(tangent, (logits(*ahead) - logits(*behind)) / (2 * step), rtol=1e-6, atol=1e-6)
    leaves = [x.clone().requires_grad_() for x in values]
    weight = torch.randn(tangent.shape, generator=random, dtype=tangent.dtype)
    back = torch.autograd.grad(logits(*leaves), leaves, weight)
    across = sum((g * v).sum() for g, v in zip(back, moved, strict=True))
    torch.testing.assert_close((tangent * weight).sum(), across, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_exact_at_extreme_logits(dtype):
    model = Nade(4, 2, NadeSettings(3))
    parameters = Parameters(1, model.shapes(), dtype)
    parameters.member(0)["output_bias"].copy_(torch.tensor([1000.0, -1000, 1000, -1000]))
    data = torch.tensor([[[[1, 0, 1, 0], [0, 1, 1, 0]]]], dtype=dtype)
    ours = model.log_likelihood(parameters.by_name, torch.zeros(1, 1, 2, 2, dtype=dtype), data)
    assert ours.tolist() == [[[0.0, -2000.0]]]
    ours.sum().backward()
    assert parameters.by_name["output_bias"].grad.tolist() == [[-1.0, 1.0, 0.0, 0.0]]


@pytest.mark.parametrize("name", ["states", *Nade(4, 2).shapes()])
def test_what_is_not_a_number_is_passed_on(name):
    model, parameters = made(1, 4, 2, 3)
    h, data = states(1, 5, 2), frames(1, 5, 4)
    with torch.no_grad():
        (h if name == "states" else parameters.by_name[name]).view(-1)[0] = math.nan
    ours = model.log_likelihood(parameters.by_name, h, data)
    bad = ours.isnan()
    assert bad[0, 0, 0] == (name != "to_hidden" or bool(data[0, 0, 0, 0]))
    assert bad[0, 0, 2] == (name != "states"), "all notes are on"
    assert bad.sum() == 1 or name != "states"
    ours.sum().backward()
    assert parameters.by_name["from_hidden"].grad.isnan().any()


@pytest.mark.parametrize("order", [(), (2, 0, 3, 1)])
def test_samples_come_as_often_as_enumeration_says(order):
    model, parameters = made(2, 4, 3, 5, order)
    parameters.theta_SP.mul_(5)  # notes that depend on each other
    everything = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4)), dtype=torch.float64)
    h, count = states(2, 1, 3), 20_000
    many = h.expand(2, 1, 16, 3)
    probability = model.log_likelihood(parameters.by_name, many, everything.expand(2, 1, 16, 4)).exp()[:, 0]
    sampled = model.sample(parameters.by_name, h.expand(2, 4, count // 4, 3).contiguous(), _generators(5, 6))
    assert sampled.shape == (2, 4, count // 4, 4)
    assert not sampled.requires_grad
    code = (sampled @ torch.tensor([8.0, 4, 2, 1], dtype=torch.float64)).long().view(2, count)
    for s in range(2):
        found = torch.bincount(code[s], minlength=16).double()
        expected = probability[s].detach() * count
        chi_square = ((found - expected) ** 2 / expected).sum().item()
        assert chi_square < 44.3, "1 in 10,000 with 15 degrees of freedom"


def test_a_member_draws_what_it_draws_alone():
    model, parameters = made(2, 6, 3, 5)
    h = states(2, 10, 3).detach()
    together = model.sample(parameters.by_name, h, _generators(1, 2))
    alone = {name: value[1:] for name, value in parameters.by_name.items()}
    assert torch.equal(model.sample(alone, h[1:], _generators(2))[0], together[1])
    assert not torch.equal(together[0], together[1])


def _generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"units": 0}, "^nade units: wants an integer from 1, got 0$"),
        ({"units": 2.5}, "^nade units: wants an integer from 1, got 2.5$"),
        ({"order": (0, 1, 1)}, "^nade order: wants each of 0 to D - 1 once, .* got 3 that are no permutation$"),
        ({"order": (1, 2, 3)}, "^nade order: "),
        ({"order": (0, 1.0)}, "^nade order: "),
        ({"order": (True, 0)}, "^nade order: "),
    ],
)
def test_bad_settings_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        NadeSettings(**settings)


def test_an_order_of_other_notes_is_refused_before_anything_is_trained():
    train = Pieces.from_arrays(examples.music([5, 4]))
    trial = examples.trial(output="nade", output_settings=NadeSettings(3, (1, 0)))
    with pytest.raises(ValueError, match="^nade order: wants the 5 notes of the data, got 2 places$"):
        Network(trial, frequencies(train, 5))


@pytest.mark.parametrize("change", [lambda v: v[..., 1:], lambda v: v.float(), lambda v: v[:, :, 1:]])
def test_data_that_do_not_go_with_the_states_are_refused(change):
    model, parameters = made(1, 4, 2, 3)
    with pytest.raises(ValueError, match="^data: wants torch.float64 of shape "):
        model.log_likelihood(parameters.by_name, states(1, 5, 2), change(frames(1, 5, 4)))
