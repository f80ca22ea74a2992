"""The native kernel of NADE: its bits, its rounding, and where it is not used. What it computes is in test_nade.py."""

import math

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

from models.core import use_kernel
from models.native import library
from models.outputs import Nade, NadeSettings
from models.outputs.nade import native
from tests.models.outputs.nade.test_nade import frames, made, states

WIDE = (2, 150, 88, 6, 150)
pytestmark = [
    pytest.mark.skipif(library.reason() is not None, reason=f"no native kernel here: {library.reason()}"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning"),
]


def _inputs(S: int, N: int, D: int, H: int, U: int, share: float = 0.05) -> tuple[Tensor, ...]:
    """b, c, V, W and data, in float64."""
    random = torch.Generator().manual_seed(N + U)

    def normal(*shape: int) -> Tensor:
        return (0.3 * torch.randn(*shape, generator=random, dtype=torch.float64)).requires_grad_()

    return normal(S, N, D), normal(S, N, U), normal(S, D, U), normal(S, D, U), frames(S, N, D, share)[:, 0]


def _everything(b: Tensor, c: Tensor, V: Tensor, W: Tensor, data: Tensor, order: tuple[int, ...] = ()):
    """The likelihoods and all gradients, for weights that differ by frame."""
    likelihood = native.log_likelihood(b, c, V, W, data, order)
    weight = torch.linspace(0.5, 2, likelihood.numel(), dtype=b.dtype).view_as(likelihood)
    return (likelihood, *torch.autograd.grad(likelihood, (b, c, V, W), weight))


def _tangent(b: Tensor, c: Tensor, V: Tensor, W: Tensor, data: Tensor, order: tuple[int, ...] = ()) -> Tensor:
    """That of z - b, at a point and in a direction that are all there is; each frame with its own."""
    point = (x.detach() for x in (c, V, W))
    return native.NativeUnits(*point, data, order).tangent(c.detach().flip(2), V.detach().mT.contiguous().mT, -W)


@pytest.fixture
def _one_thread():
    yield
    torch.set_num_threads(1)


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("share", [0.0, 0.05, 0.9, 1.0])
def test_the_number_of_threads_changes_no_bit(monkeypatch, share):
    monkeypatch.setattr(library, "_WORK_OF_A_THREAD", 1)
    inputs = _inputs(*WIDE, share=share)
    alone = *_everything(*inputs), _tangent(*inputs)
    for threads in (2, 3, 7):
        torch.set_num_threads(threads)
        again = *_everything(*inputs), _tangent(*inputs)
        assert all(torch.equal(a, b) for a, b in zip(again, alone, strict=True))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.9, 1.0])
def test_a_frame_has_the_same_bits_in_any_company(share):
    b, c, V, W, data = _inputs(*WIDE, share=share)
    together, moved = native.log_likelihood(b, c, V, W, data, ()), _tangent(b, c, V, W, data)
    for n in (0, 1, 77, 149):
        some = slice(n, n + 1)
        assert torch.equal(native.log_likelihood(b[:, some], c[:, some], V, W, data[:, some], ()), together[:, some])
        assert torch.equal(_tangent(b[:, some], c[:, some], V, W, data[:, some]), moved[:, some])


@pytest.mark.parametrize("size", [WIDE, (1, 33, 5, 1, 3), (1, 20, 97, 1, 40)])
@pytest.mark.parametrize("share", [0.05, 0.6])
def test_float32_is_float64_but_for_rounding(size, share):
    exact = _inputs(*size, share=share)
    rounded = tuple(x.detach().float().requires_grad_(x.requires_grad) for x in exact)
    same = tuple(x.detach().double().requires_grad_(x.requires_grad) for x in rounded)
    pairs = zip((*_everything(*rounded), _tangent(*rounded)), (*_everything(*same), _tangent(*same)), strict=True)
    for a, b in pairs:
        assert ((a.double() - b).abs() / b.abs().clamp(min=1)).max() < 1e-5


def test_a_second_way_back_is_the_first_again_and_a_second_derivative_is_refused():
    b, c, V, W, data = _inputs(1, 9, 12, 1, 20)
    likelihood = native.log_likelihood(b, c, V, W, data, ())
    first = torch.autograd.grad(likelihood.sum(), (b, c, V, W), retain_graph=True)
    again = torch.autograd.grad(likelihood.sum(), (b, c, V, W))
    assert all(torch.equal(x, y) for x, y in zip(first, again, strict=True))
    likelihood = native.log_likelihood(b, c, V, W, data, ())
    with pytest.raises(RuntimeError, match="^nade: differentiable once; this asks for a second derivative$"):
        torch.autograd.grad(likelihood.sum(), c, create_graph=True)
    with forward_ad.dual_level(), pytest.raises(NotImplementedError, match="forward mode AD"):
        native.log_likelihood(b, forward_ad.make_dual(c, torch.ones_like(c)), V, W, data, ())


def test_tensors_need_not_be_dense():
    b, c, V, W, data = _inputs(2, 7, 6, 1, 5)
    turned = [x.detach().transpose(1, 2).contiguous().transpose(1, 2).requires_grad_() for x in (b, c, V, W)]
    dense, other = _everything(b, c, V, W, data), _everything(*turned, data.mT.contiguous().mT)
    assert all(torch.equal(x, y) for x, y in zip(dense, other, strict=True))


@pytest.mark.parametrize("logit", [math.inf, -math.inf])
def test_infinity_is_passed_on_as_torch_does(logit):
    model, parameters = made(1, 3, 2, 4)
    parameters.member(0)["output_bias"][1] = logit
    h, data = states(1, 4, 2), frames(1, 4, 3)
    results = []
    for kernel in ("reference", "native"):
        with use_kernel(kernel):
            results.append(model.log_likelihood(parameters.by_name, h, data).detach())
    assert not results[0].isfinite().all()
    torch.testing.assert_close(*results, equal_nan=True)


def test_the_setting_of_the_scan_and_the_type_decide():
    cpu = torch.device("cpu")
    with use_kernel("native"):
        assert native.serves(cpu, torch.float32)
    with use_kernel("reference"):
        assert not native.serves(cpu, torch.float32)
    assert not native.serves(cpu, torch.bfloat16)
    assert not native.serves(torch.device("cuda"), torch.float32)


def test_without_a_compiler_pure_torch_serves(monkeypatch):
    model, parameters = made(1, 4, 2, 3)
    h, data = states(1, 5, 2), frames(1, 5, 4)
    expected = model.log_likelihood(parameters.by_name, h, data)
    monkeypatch.setattr(library, "_library", lambda: "no C++ compiler on the PATH")
    torch.testing.assert_close(model.log_likelihood(parameters.by_name, h, data), expected)
    with pytest.raises(RuntimeError, match="^compiled code cannot be used: no C"):
        native.log_likelihood(*_inputs(1, 2, 3, 1, 4), ())


@pytest.mark.parametrize("order", [(), tuple(reversed(range(88)))])
def test_it_equals_pure_torch(order):
    model = Nade(88, 6, NadeSettings(150, order))
    _, parameters = made(2, 88, 6, 150)
    h, data = states(2, 100, 6), frames(2, 100, 88, 0.05)
    results = []
    for kernel in ("reference", "native"):
        with use_kernel(kernel):
            likelihood = model.log_likelihood(parameters.by_name, h, data)
            gradients = torch.autograd.grad(likelihood.sum(), (h, *parameters.by_name.values()))
            results.append((likelihood, *gradients))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)
