"""Every kernel of the leaky scan: against a loop over single vectors, torch.nn.RNN, finite differences, and itself."""

from collections.abc import Iterator
from functools import cache
from itertools import count, product

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

from models.core import leaky_scan, scan_kernel, use_kernel
from models.core.scan.activation import ACTIVATIONS
from tests.models import naive
from tests.models.core.kernels import KERNELS

LEAKS = ("none", "some", "all")
SHAPES = ((1, 1, 1, 1), (1, 2, 1, 3), (1, 7, 3, 5), (3, 1, 2, 4), (3, 5, 1, 1), (3, 6, 2, 7), (1, 3, 23, 8))
# Below, at and above every width of a vector, of a panel and of a tile; with batches of every remainder of 8.
HIDDEN = (*range(1, 18), 23, 24, 25, 31, 33, 47, 49, 57, 64, 71, 100)
FLOAT32 = {"rtol": 1e-5, "atol": 1e-5}
"""Sums of up to 100 products of ordinary size, and of up to 27 steps in dW; seen: 2.6e-6."""
FLOAT64 = {"rtol": 1e-12, "atol": 1e-12}
# torch loads old parts of itself at the first derivative in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
Inputs = tuple[Tensor, Tensor, Tensor, Tensor | None]


@pytest.fixture(params=KERNELS, autouse=True)
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    with use_kernel(request.param):
        assert scan_kernel() == request.param
        yield request.param


def _inputs(shape: tuple[int, ...], leak: str, seed: int = 0, dtype: torch.dtype = torch.float64) -> Inputs:
    S, _, B, H = shape
    random = torch.Generator().manual_seed(seed)

    def normal(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=random, dtype=torch.float64).to(dtype)

    retention = torch.rand(S, H, generator=random, dtype=torch.float64).to(dtype) * 0.98
    if leak == "some":
        retention[:, H // 2 :] = 0
    W = normal(S, H, H) / H**0.5
    return normal(*shape), normal(S, B, H), W, None if leak == "none" else retention


@cache
def _away_from_the_kink(shape: tuple[int, ...], leak: str, dtype: torch.dtype) -> Inputs:
    """Inputs with which no unit of a rectifier is so near 0 that rounding could put it on the other side."""
    for seed in count():
        inputs = _inputs(shape, leak, seed, dtype)
        pre, h0, W, retention = (None if x is None else x.double() for x in inputs)
        before = torch.cat([h0.unsqueeze(1), naive.scan(pre, h0, W, retention, "relu")[:, :-1]], dim=1)
        if (pre + torch.einsum("sij,stbj->stbi", W, before)).abs().min() > 1e-5:
            return inputs
    raise AssertionError


def _results(scan, inputs: Inputs, activation: str) -> dict[str, Tensor]:
    """States, and gradients of a cost with another weight for every state."""
    leaves = [x.clone().requires_grad_() for x in inputs[:3]]
    states = scan(*leaves, inputs[3], activation)
    weight = torch.randn(states.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    gradients = torch.autograd.grad((states * weight.to(states.dtype)).sum(), leaves)
    return dict(zip(("h", "d_pre", "d_h0", "d_W"), (states.detach(), *gradients), strict=True))


def _assert_close(ours: dict[str, Tensor], theirs: dict[str, Tensor], what: str, rtol: float, atol: float) -> None:
    for name, value in ours.items():
        expected = theirs[name].to(value.dtype)
        torch.testing.assert_close(value, expected, rtol=rtol, atol=atol, msg=lambda m, n=name: f"{what}, {n}: {m}")


@cache
def _by_loop(shape: tuple[int, ...], leak: str, activation: str, rounded: bool = False) -> dict[str, Tensor]:
    """What every kernel has to give; where it is rounded, on inputs that are the same in both types."""
    return _results(naive.scan, _rounded(shape, leak, activation) if rounded else _inputs(shape, leak), activation)


def _rounded(shape: tuple[int, ...], leak: str, activation: str) -> Inputs:
    """Numbers of float32 in float64."""
    make = _away_from_the_kink if activation == "relu" else _inputs
    return tuple(None if x is None else x.double() for x in make(shape, leak, dtype=torch.float32))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_values_and_gradients_equal_a_loop_over_single_vectors(activation):
    for shape, leak in product(SHAPES, LEAKS):
        ours = _results(leaky_scan, _inputs(shape, leak), activation)
        _assert_close(ours, _by_loop(shape, leak, activation), f"{shape}, leak {leak}", **FLOAT64)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, FLOAT64), (torch.float32, FLOAT32)], ids=str)
def test_sizes_that_fit_no_tile(dtype, tolerance, kernel):
    sizes = (1, 16, 33) if kernel == "reference" else HIDDEN  # it has no tiles
    for H, (activation, leak) in product(sizes, zip(ACTIVATIONS, ("all", "none", "some"), strict=True)):
        shape = (1 + H % 2, 3, 1 + (5 * H) % 13, H)
        inputs = tuple(None if x is None else x.to(dtype) for x in _rounded(shape, leak, activation))
        expected = _by_loop(shape, leak, activation, True)
        _assert_close(_results(leaky_scan, inputs, activation), expected, f"{shape}, {activation}", **tolerance)


def test_a_gradient_of_many_steps_sums_them_all():
    """More steps than the native kernel adds up in registers, and than it keeps in one block of tiles."""
    inputs = _inputs((1, 131, 97, 60), "none", dtype=torch.float32)
    leaves = [x.clone().requires_grad_() for x in inputs[:3]]
    states = leaky_scan(*leaves, None, "tanh")
    states.square().sum().backward()
    before = torch.cat([inputs[1].unsqueeze(1), states[:, :-1].detach()], dim=1)
    expected = torch.einsum("stbi,stbj->sij", leaves[0].grad.double(), before.double())
    torch.testing.assert_close(leaves[2].grad.double(), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("activation", "leak"), [*zip(ACTIVATIONS, ("some", "all", "none"), strict=True)])
def test_gradients_equal_finite_differences(activation, leak):
    pre, h0, W, retention = _away_from_the_kink((2, 3, 2, 2), leak, torch.float64)
    leaves = tuple(x.clone().requires_grad_() for x in (pre, h0, W))
    assert torch.autograd.gradcheck(
        lambda p, h, w: leaky_scan(p, h, w, retention, activation), leaves, check_forward_ad=True
    )


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_tangent_and_the_gradient_are_each_others_transpose(leak, activation):
    """For any directions, u . (J v) = (J^T u) . v: forward and backward mode, which share no loop."""
    inputs = _inputs((2, 9, 5, 19), leak)
    u, *moved = (torch.randn_like(x) for x in (inputs[0], *inputs[:3]))
    leaves = [x.clone().requires_grad_() for x in inputs[:3]]
    backward = torch.autograd.grad((leaky_scan(*leaves, inputs[3], activation) * u).sum(), leaves)
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(x, v) for x, v in zip(inputs[:3], moved, strict=True)]
        tangent = forward_ad.unpack_dual(leaky_scan(*duals, inputs[3], activation)).tangent
    assert tangent is not None
    expected = sum(float((g * v).sum()) for g, v in zip(backward, moved, strict=True))
    assert float((u * tangent).sum()) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("only", range(3))
def test_a_tangent_of_one_input_alone(only):
    inputs = _inputs((2, 4, 3, 5), "some")
    v, step = torch.randn_like(inputs[only]), 1e-6
    up, down = (tuple(x + s * v if i == only else x for i, x in enumerate(inputs[:3])) for s in (step, -step))
    expected = (leaky_scan(*up, inputs[3], "tanh") - leaky_scan(*down, inputs[3], "tanh")) / (2 * step)
    with forward_ad.dual_level():
        moved = [forward_ad.make_dual(x, v) if i == only else x for i, x in enumerate(inputs[:3])]
        tangent = forward_ad.unpack_dual(leaky_scan(*moved, inputs[3], "tanh")).tangent
    torch.testing.assert_close(tangent, expected, rtol=1e-6, atol=1e-8)


def test_torch_func_gives_the_same_derivatives():
    pre, h0, W, retention = _inputs((2, 4, 3, 5), "some")

    def cost(p, h, w):
        return leaky_scan(p, h, w, retention, "tanh").sin().sum()

    leaves = [x.clone().requires_grad_() for x in (pre, h0, W)]
    expected = torch.autograd.grad(cost(*leaves), leaves)
    gradients = torch.func.grad(cost, argnums=(0, 1, 2))(pre, h0, W)
    moved = tuple(torch.randn_like(x) for x in (pre, h0, W))
    _, tangent = torch.func.jvp(cost, (pre, h0, W), moved)
    for left, right in zip(gradients, expected, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-13, atol=1e-13)
    assert float(tangent) == pytest.approx(sum(float((g * v).sum()) for g, v in zip(expected, moved, strict=True)))


def test_a_gauss_newton_product_takes_one_forward_pass():
    """J^T J v: the tangent of a pass and then, after the level of its duals, the gradient of the same pass."""
    pre, h0, W, retention = _inputs((1, 4, 2, 3), "some")
    leaves, moved = [x.requires_grad_() for x in (pre, h0, W)], [torch.randn_like(x) for x in (pre, h0, W)]
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(x, v) for x, v in zip(leaves, moved, strict=True)]
        states, tangent = forward_ad.unpack_dual(leaky_scan(*duals, retention, "tanh"))
    products = torch.autograd.grad(states, leaves, tangent.detach())
    jacobians = torch.autograd.functional.jacobian(lambda *x: leaky_scan(*x, retention, "tanh"), (pre, h0, W))
    matrix = torch.cat([j.reshape(states.numel(), -1) for j in jacobians], dim=1)
    expected = matrix.T @ (matrix @ torch.cat([v.flatten() for v in moved]))
    torch.testing.assert_close(torch.cat([g.flatten() for g in products]), expected, rtol=1e-10, atol=1e-10)


def test_a_cost_of_the_last_state_alone_reaches_every_step():
    leaves = [x.requires_grad_() for x in _inputs((1, 9, 1, 4), "all")[:3]]
    retention = torch.full((1, 4), 0.5, dtype=torch.float64)
    leaky_scan(*leaves, retention, "tanh")[:, -1].sum().backward()
    assert (leaves[0].grad.abs().sum((0, 2, 3)) > 0).all()
    assert (leaves[1].grad != 0).all()


@pytest.mark.parametrize("leak", LEAKS)
def test_a_zero_initial_state_that_is_not_learned(leak):
    pre, h0, W, retention = _inputs((2, 3, 2, 4), leak)
    leaves, others = ([x.clone().requires_grad_() for x in (pre, W)] for _ in range(2))
    ours = leaky_scan(leaves[0], torch.zeros_like(h0), leaves[1], retention, "tanh")
    theirs = naive.scan(others[0], torch.zeros_like(h0), others[1], retention, "tanh")
    torch.testing.assert_close(ours, theirs)
    for left, right in zip(
        torch.autograd.grad(ours.sin().sum(), leaves), torch.autograd.grad(theirs.sin().sum(), others), strict=True
    ):
        torch.testing.assert_close(left, right)
    a = 0 if retention is None else retention[:, None, :]
    torch.testing.assert_close(ours[:, 0], (1 - a) * pre[:, 0].tanh())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_retention_equals_retention_zero(activation):
    pre, h0, W, _ = _inputs((2, 5, 3, 4), "none")
    zero = torch.zeros(2, 4, dtype=torch.float64)
    left, right = (_results(leaky_scan, (pre, h0, W, retention), activation) for retention in (None, zero))
    _assert_close(left, right, activation, rtol=1e-13, atol=1e-13)


def test_retention_belongs_to_its_unit_and_member():
    pre = torch.zeros(2, 3, 1, 3, dtype=torch.float64)
    W = torch.zeros(2, 3, 3, dtype=torch.float64)
    retention = torch.tensor([[0.0, 0.5, 0.9], [0.2, 0.0, 0.1]], dtype=torch.float64)
    states = leaky_scan(pre, torch.ones(2, 1, 3, dtype=torch.float64), W, retention, "tanh")
    for t in range(3):
        torch.testing.assert_close(states[:, t, 0], retention ** (t + 1))


@pytest.mark.parametrize("leak", LEAKS)
def test_inputs_need_not_be_contiguous(leak):
    pre, h0, W, retention = _inputs((2, 5, 3, 4), leak)
    weight = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    results = []
    for strided in (False, True):
        leaves = [x.clone().requires_grad_() for x in (pre, h0, W)]
        views = [_strided(x) for x in leaves] if strided else leaves
        assert all(x.is_contiguous() != strided for x in views)
        a = retention if retention is None or not strided else _strided(retention)
        states = leaky_scan(*views, a, "tanh")
        # The gradient that comes back is a view with its axes turned, too.
        cost = (states.permute(0, 2, 3, 1) * weight).sum()
        results.append([states, *torch.autograd.grad(cost, leaves)])
    for left, right in zip(*results, strict=True):
        torch.testing.assert_close(left, right)


def _strided(x: Tensor) -> Tensor:
    return torch.stack([x, x], dim=-1)[..., 0]


def test_expanded_inputs():
    pre, h0, W, retention = (x[:1, ...] for x in _inputs((1, 3, 4, 2), "some"))
    results = []
    for scan in (leaky_scan, naive.scan):
        row, step, matrix = (x.clone().requires_grad_() for x in (h0[:, :1], pre[:, :1], W))
        args = (step.expand(3, 6, 4, 2), row.expand(3, 4, 2), matrix.expand(3, 2, 2), retention.expand(3, 2))
        states = scan(*args, "tanh")
        # The gradient of a plain sum is expanded as well.
        results.append([states, *torch.autograd.grad(states.sum(), (row, step, matrix))])
    for left, right in zip(*results, strict=True):
        torch.testing.assert_close(left, right)


def test_inputs_stay_as_they_are():
    inputs = _inputs((2, 4, 2, 3), "some")
    copies = [x.clone() for x in inputs]
    leaves = [x.requires_grad_() for x in inputs[:3]]
    leaky_scan(*leaves, inputs[3], "relu").sum().backward()
    assert all(torch.equal(left, right) for left, right in zip(inputs, copies, strict=True))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_nothing_is_left_over_from_one_use_to_the_next(activation):
    first = _results(leaky_scan, _inputs((2, 5, 9, 21), "all"), activation)
    _results(leaky_scan, _inputs((1, 9, 17, 40), "some", seed=1), activation)
    again = _results(leaky_scan, _inputs((2, 5, 9, 21), "all"), activation)
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("leak", ["none", "all"])
@pytest.mark.parametrize(("B", "H"), [(1, 1), (2, 7), (3, 10), (8, 16), (9, 33), (16, 64), (33, 100)])
def test_a_member_of_a_stack_gets_the_numbers_it_gets_alone(B, H, leak, dtype):
    inputs = _inputs((3, 6, B, H), leak, dtype=dtype)
    together = _results(leaky_scan, inputs, "tanh")
    for s in range(3):
        alone = [None if x is None else x[s : s + 1] for x in inputs]
        leaves = [x.clone().requires_grad_() for x in alone[:3]]
        states = leaky_scan(*leaves, alone[3], "tanh")
        weight = torch.randn((3, 6, B, H), generator=torch.Generator().manual_seed(9), dtype=torch.float64)
        gradients = torch.autograd.grad((states * weight[s : s + 1].to(dtype)).sum(), leaves)
        for whole, one in zip(together.values(), (states, *gradients), strict=True):
            assert torch.equal(whole[s : s + 1], one)


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul:RuntimeWarning")  # Triton's interpreter
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_not_finite_is_passed_on(activation, value):
    pre, h0, W, retention = _inputs((1, 4, 3, 20), "all", dtype=torch.float32)
    pre[0, 1, 2, 5] = value
    states = leaky_scan(pre, h0, W, retention, activation)
    theirs = torch.empty_like(states)
    a, h = retention[0], h0[0]
    for t in range(4):
        h = a * h + (1 - a) * getattr(torch, activation)(pre[0, t] + h @ W[0].T)
        theirs[0, t] = h
    # The reference's interpolation makes NaN of infinity in a later step: it differs, and is as little hidden.
    finite = theirs.isfinite()
    assert torch.equal(states.isfinite(), finite)
    torch.testing.assert_close(states[finite], theirs[finite], **FLOAT32)
    torch.testing.assert_close(states[:, :2], theirs[:, :2], equal_nan=True, **FLOAT32)
    if value != value:
        assert states[0, 1:, 2].isnan().sum() == 41
        assert states[0, :, :2].isfinite().all()


def test_a_gradient_that_is_not_finite_is_passed_on():
    leaves = [x.requires_grad_() for x in _inputs((1, 4, 3, 20), "none", dtype=torch.float32)[:3]]
    d_states = torch.ones(1, 4, 3, 20)
    d_states[0, 2, 1, 7] = float("nan")
    leaky_scan(*leaves, None, "tanh").backward(d_states)
    assert leaves[0].grad[0, :2, 1].isnan().all()
    assert leaves[0].grad[0, :, [0, 2]].isfinite().all()
    assert leaves[2].grad[0, 7].isnan().all()


@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 4e-7), (torch.float64, 1e-15)])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_the_nonlinearity_is_exact_to_a_few_roundings(activation, dtype, within):
    """Relative to the value, over all magnitudes; float64's own function is the measure, so near its limit too."""
    small = torch.logspace(-30, 1.3, 4000, dtype=torch.float64)
    pre = torch.cat([small, -small, torch.linspace(-20, 20, 8001, dtype=torch.float64)]).to(dtype)
    pre = pre[: len(pre) // 16 * 16].view(1, 1, -1, 16)
    zero = torch.zeros(1, pre.shape[2], 16, dtype=dtype)
    ours = leaky_scan(pre, zero, torch.zeros(1, 16, 16, dtype=dtype), None, activation)
    expected = getattr(torch, activation)(pre.double())
    assert ((ours.double() - expected) / expected).abs().max() < within
    far = torch.tensor([[[[-1e30, -200.0, 0.0, 200.0, 1e30]]]], dtype=dtype)
    limits = leaky_scan(far, zero[:, :1, :5], torch.zeros(1, 5, 5, dtype=dtype), None, activation)
    torch.testing.assert_close(limits, getattr(torch, activation)(far), rtol=0, atol=1e-30)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("dtype", "rtol", "atol"), [(torch.float64, 1e-12, 1e-12), (torch.float32, 2e-5, 2e-6)])
def test_without_a_leak_it_is_torch_nn_rnn(activation, dtype, rtol, atol):
    S, T, B, H = 1, 12, 3, 9
    pre, h0, W, _ = _inputs((S, T, B, H), "none", dtype=dtype)
    theirs = torch.nn.RNN(H, H, nonlinearity=activation, bias=False, dtype=dtype)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.eye(H))
        theirs.weight_hh_l0.copy_(W[0])
    leaves = [x.requires_grad_() for x in (pre, h0, W)]
    ours = leaky_scan(*leaves, None, activation)
    ours.sin().sum().backward()
    other_pre, other_h0 = pre.detach()[0].clone().requires_grad_(), h0.detach().clone().requires_grad_()
    states, _ = theirs(other_pre, other_h0)
    states.sin().sum().backward()
    pairs = (
        (ours[0], states),
        (pre.grad[0], other_pre.grad),
        (h0.grad, other_h0.grad),
        (W.grad[0], theirs.weight_hh_l0.grad),
    )
    for left, right in pairs:
        torch.testing.assert_close(left, right, rtol=rtol, atol=atol)
