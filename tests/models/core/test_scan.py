"""The leaky scan against a loop over single vectors, against torch.nn.RNN and against finite differences."""

import pytest
import torch
from torch import Tensor

from models.core import leaky_scan
from models.core.scan import ACTIVATIONS
from tests.models import naive

LEAKS = ("none", "some", "all")
SIZES = ((1, 1, 1, 1), (1, 2, 1, 3), (1, 7, 3, 5), (3, 1, 2, 4), (3, 5, 1, 1), (3, 6, 2, 7))


def _inputs(
    shape: tuple[int, int, int, int], leak: str, seed: int = 0, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    S, T, B, H = shape
    random = torch.Generator().manual_seed(seed)

    def normal(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=random, dtype=torch.float64).to(dtype)

    retention = torch.rand(S, H, generator=random, dtype=torch.float64).to(dtype) * 0.98
    if leak == "some":
        retention[:, H // 2 :] = 0
    W = normal(S, H, H) / H**0.5
    return normal(S, T, B, H), normal(S, B, H), W, None if leak == "none" else retention


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_values_and_gradients_equal_a_loop_over_single_vectors(shape, leak, activation):
    pre, h0, W, retention = _inputs(shape, leak)
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    results = []
    for scan in (leaky_scan, naive.scan):
        leaves = [x.clone().requires_grad_() for x in (pre, h0, W)]
        states = scan(*leaves, retention, activation)
        gradients = torch.autograd.grad((states * weight).sum(), leaves)
        results.append([states.detach(), *gradients])
    for name, ours, theirs in zip(("h", "d_pre", "d_h0", "d_W"), *results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_equal_finite_differences(leak, activation):
    shape = (2, 4, 2, 3)
    pre, h0, W, retention = _inputs(shape, leak, seed=5)
    if activation == "relu":
        states = naive.scan(pre, h0, W, retention, activation)
        before = torch.cat([h0.unsqueeze(1), states[:, :-1]], dim=1)
        z = pre + torch.einsum("sij,stbj->stbi", W, before)
        assert z.abs().min() > 1e-3, "choose a seed that keeps away from the kink"
    leaves = tuple(x.requires_grad_() for x in (pre, h0, W))
    assert torch.autograd.gradcheck(lambda p, h, w: leaky_scan(p, h, w, retention, activation), leaves)


def test_a_cost_of_the_last_state_alone_reaches_every_step():
    leaves = [x.requires_grad_() for x in _inputs((1, 9, 1, 4), "all")[:3]]
    retention = torch.full((1, 4), 0.5, dtype=torch.float64)
    leaky_scan(*leaves, retention, "tanh")[:, -1].sum().backward()
    assert (leaves[0].grad.abs().sum((0, 2, 3)) > 0).all()
    assert (leaves[1].grad != 0).all()


@pytest.mark.parametrize("leak", LEAKS)
def test_a_zero_initial_state(leak):
    pre, h0, W, retention = _inputs((2, 3, 2, 4), leak)
    ours = leaky_scan(pre, torch.zeros_like(h0), W, retention, "tanh")
    torch.testing.assert_close(ours, naive.scan(pre, torch.zeros_like(h0), W, retention, "tanh"))
    a = 0 if retention is None else retention[:, None, :]
    torch.testing.assert_close(ours[:, 0], (1 - a) * pre[:, 0].tanh())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_retention_equals_retention_zero(activation):
    pre, h0, W, _ = _inputs((2, 5, 3, 4), "none")
    zero = torch.zeros(2, 4, dtype=torch.float64)
    results = []
    for retention in (None, zero):
        leaves = [x.clone().requires_grad_() for x in (pre, h0, W)]
        states = leaky_scan(*leaves, retention, activation)
        results.append([states, *torch.autograd.grad(states.square().sum(), leaves)])
    for left, right in zip(*results, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-13, atol=1e-13)


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


def test_an_expanded_initial_state_and_gradient():
    pre, h0, W, _ = _inputs((1, 3, 4, 2), "none")
    row = h0[:, :1].clone().requires_grad_()
    leaky_scan(pre, row.expand(1, 4, 2), W, None, "tanh").sum().backward()
    again = h0[:, :1].clone().requires_grad_()
    naive.scan(pre, again.expand(1, 4, 2), W, None, "tanh").sum().backward()
    torch.testing.assert_close(row.grad, again.grad)


def test_inputs_stay_as_they_are():
    inputs = _inputs((2, 4, 2, 3), "some")
    copies = [x.clone() for x in inputs]
    leaves = [x.requires_grad_() for x in inputs[:3]]
    leaky_scan(*leaves, inputs[3], "relu").sum().backward()
    assert all(torch.equal(left, right) for left, right in zip(inputs, copies, strict=True))


def test_members_of_a_stack_never_meet():
    pre, h0, W, retention = _inputs((3, 4, 2, 5), "some")
    together = leaky_scan(pre, h0, W, retention, "sigmoid")
    for s in range(3):
        alone = leaky_scan(pre[s : s + 1], h0[s : s + 1], W[s : s + 1], retention[s : s + 1], "sigmoid")
        torch.testing.assert_close(together[s : s + 1], alone, rtol=1e-13, atol=1e-13)


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


def test_a_second_derivative_is_refused_not_wrong():
    leaves = [x.requires_grad_() for x in _inputs((1, 2, 1, 2), "none")[:3]]
    cost = leaky_scan(*leaves, None, "tanh").square().sum()
    (first,) = torch.autograd.grad(cost, leaves[:1], create_graph=True)
    with pytest.raises(RuntimeError, match="differentiable once"):
        first.sum().backward()


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("pre", lambda a: a.update(pre=a["pre"][0])),
        ("pre", lambda a: a.update(pre=a["pre"][:, :0])),
        ("pre", lambda a: a.update(pre=a["pre"][:, :, :0])),
        ("h0", lambda a: a.update(h0=a["h0"][:, :1])),
        ("h0", lambda a: a.update(h0=a["h0"].float())),
        ("W", lambda a: a.update(W=a["W"][:, :2])),
        ("W", lambda a: a.update(W=a["W"].float())),
        ("retention", lambda a: a.update(retention=a["retention"][0])),
        ("retention", lambda a: a.update(retention=a["retention"].float())),
        ("activation", lambda a: a.update(activation="softplus")),
    ],
)
def test_an_error_names_the_argument(argument, change):
    names = ("pre", "h0", "W", "retention")
    arguments = dict(zip(names, _inputs((2, 3, 2, 4), "all"), strict=True)) | {"activation": "tanh"}
    change(arguments)
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        leaky_scan(*arguments.values())
