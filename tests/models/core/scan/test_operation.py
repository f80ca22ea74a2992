"""The leaky scan's edges: what it refuses, whichever kernel computes."""

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

from models.core import leaky_scan

# torch loads old parts of itself at the first derivative in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")


def _inputs() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)
    sizes = {"pre": (2, 3, 2, 4), "h0": (2, 2, 4), "W": (2, 4, 4), "retention": (2, 4)}
    return {name: torch.rand(size, generator=random, dtype=torch.float64) for name, size in sizes.items()}


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("pre", lambda a: a.update(pre=a["pre"][0])),
        ("pre", lambda a: a.update(pre=a["pre"][:0])),
        ("pre", lambda a: a.update(pre=a["pre"][:, :0])),
        ("pre", lambda a: a.update(pre=a["pre"][:, :, :0])),
        ("pre", lambda a: a.update(pre=a["pre"][..., :0])),
        ("pre", lambda a: a.update(pre=a["pre"].long())),
        ("pre", lambda a: a.update(pre=a["pre"] + 1j)),
        ("h0", lambda a: a.update(h0=a["h0"][:, :1])),
        ("h0", lambda a: a.update(h0=a["h0"].float())),
        ("h0", lambda a: a.update(h0=a["h0"].to("meta"))),
        ("W", lambda a: a.update(W=a["W"][:, :2])),
        ("W", lambda a: a.update(W=a["W"].float())),
        ("retention", lambda a: a.update(retention=a["retention"][0])),
        ("retention", lambda a: a.update(retention=a["retention"].float())),
        ("activation", lambda a: a.update(activation="softplus")),
    ],
)
def test_an_error_names_the_argument(argument, change):
    arguments = _inputs() | {"activation": "tanh"}
    change(arguments)
    with pytest.raises(ValueError, match=rf"^{argument}: [^\n]+$"):
        leaky_scan(*arguments.values())


def _cost(pre: Tensor) -> Tensor:
    inputs = _inputs()
    return leaky_scan(pre, inputs["h0"], inputs["W"], inputs["retention"], "tanh").square().sum()


def _backward_twice(pre: Tensor) -> None:
    pre = pre.clone().requires_grad_()
    (first,) = torch.autograd.grad(_cost(pre), pre, create_graph=True)
    first.sum().backward()


def _forward_over_backward(pre: Tensor) -> None:
    torch.func.jvp(torch.func.grad(_cost), (pre,), (torch.ones_like(pre),))


def _backward_in_a_dual_level(pre: Tensor) -> None:
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(pre.clone().requires_grad_(), torch.ones_like(pre))
        torch.autograd.grad(_cost(dual), dual)


def _backward_over_forward(pre: Tensor) -> None:
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(pre.clone().requires_grad_(), torch.ones_like(pre).requires_grad_())
        tangent = forward_ad.unpack_dual(_cost(dual)).tangent
        assert tangent is not None
        tangent.backward()


@pytest.mark.parametrize(
    "second", [_backward_twice, _forward_over_backward, _backward_in_a_dual_level, _backward_over_forward]
)
def test_a_second_derivative_is_refused_not_wrong(second):
    with pytest.raises(RuntimeError, match="^leaky_scan: differentiable once"):
        second(_inputs()["pre"])


def test_a_recording_is_refused_not_wrong():
    with pytest.raises(RuntimeError, match="^leaky_scan: cannot be recorded"):
        torch.func.linearize(_cost, _inputs()["pre"])
