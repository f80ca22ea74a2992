"""The leaky scan as a differentiable operation with a hand-written backward pass.

Section 3.2 of arXiv:1212.0901; a = 0 gives the ordinary recurrent network:

    h_t = a * h_{t-1} + (1 - a) * phi(pre_t + W h_{t-1}),        a = retention in [0, 1)

The inputs are projected for all steps in advance (`pre`), and the backward pass gives d(pre). So all gradients outside
of the recurrence are ordinary matrix products. The derivative along a direction is another scan, with phi replaced by a
product with the stored slope (Pearlmutter's R-operator), so a Gauss-Newton product costs little more than a gradient.
This file has the autograd Function. `choice.py` chooses a kernel for the loops over time: `reference.py`, `native.py`
or `triton.py`.

Shape letters: S stacked trials, T time, B batch, H hidden.
"""

import sys
from collections.abc import Callable
from inspect import signature
from typing import Any, TypeVar

import torch
from torch import Tensor

from models.core.scan.activation import ACTIVATIONS, Activation
from models.core.scan.choice import Kernel, kernel_for

_Function = TypeVar("_Function", bound=Callable[..., Any])


def leaky_scan(
    pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: Activation
) -> Tensor:
    """All states of a leaky recurrent layer, h_t = a h_{t-1} + (1 - a) phi(pre_t + W h_{t-1}).

    Args:
        pre_STBH: the projected inputs W_in x_t + b of every step.
        h0_SBH: the state before the first step.
        W_SHH: the recurrent matrix; `W[s, i, j]` is the weight from unit j to unit i.
        retention_SH: a of each unit, in [0, 1), without a gradient; None if no unit leaks.
        activation: phi, one of tanh, sigmoid, relu.

    Returns:
        h_STBH: the states h_1 ... h_T, differentiable once in pre, h0 and W, backward and forward.

    Raises:
        ValueError: shapes or types do not match, the activation is unknown, a size is 0, or a forced kernel cannot be
            used.
        RuntimeError: the call is being recorded, as by `torch.func.linearize`.

    >>> h = leaky_scan(torch.zeros(1, 3, 2, 4), torch.ones(1, 2, 4), torch.eye(4)[None], None, "tanh")
    >>> tuple(h.shape), round(h[0, 0, 0, 0].item(), 4)
    ((1, 3, 2, 4), 0.7616)
    """
    _check(pre_STBH, h0_SBH, W_SHH, retention_SH, activation)
    # torch.func.linearize cannot see the operations inside a kernel, and would record constants.
    recorder = sys.modules.get("torch.fx.experimental.proxy_tensor")
    if recorder is not None and recorder.get_proxy_mode() is not None:
        raise RuntimeError("leaky_scan: cannot be recorded, as torch.func.linearize does; use torch.func.jvp")
    kernel = kernel_for(pre_STBH.device, pre_STBH.dtype, pre_STBH.shape[-1])
    states_STBH: Tensor = _LeakyScan.apply(pre_STBH, h0_SBH, W_SHH, retention_SH, activation, kernel)[0]  # type: ignore[no-untyped-call]
    return states_STBH


def _check(pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: str) -> None:
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation: {activation!r} is none of {', '.join(ACTIVATIONS)}")
    if not pre_STBH.is_floating_point():
        raise ValueError(f"pre: wants floating-point numbers, got {pre_STBH.dtype}")
    if pre_STBH.dim() != 4 or 0 in pre_STBH.shape:
        raise ValueError(f"pre: wants shape (S, T, B, H) without a 0, got {tuple(pre_STBH.shape)}")
    S, _, B, H = pre_STBH.shape
    others: dict[str, tuple[Tensor, tuple[int, ...]]] = {"h0": (h0_SBH, (S, B, H)), "W": (W_SHH, (S, H, H))}
    if retention_SH is not None:
        others["retention"] = (retention_SH, (S, H))
    for name, (tensor, shape) in others.items():
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{name}: wants shape {shape} to go with pre, got {tuple(tensor.shape)}")
        if tensor.dtype != pre_STBH.dtype or tensor.device != pre_STBH.device:
            raise ValueError(
                f"{name}: wants {pre_STBH.dtype} on {pre_STBH.device} like pre, got {tensor.dtype} on {tensor.device}"
            )


def with_signature(function: _Function) -> _Function:
    """Cache a forward's signature, which torch asks for at every call; computing it takes as long as a small scan."""
    function.__signature__ = signature(function)  # type: ignore[attr-defined]
    return function


class _LeakyScan(torch.autograd.Function):
    """The scan as an autograd Function: (pre, h0, W) -> states; the activations phi are saved for the backward pass."""

    @staticmethod
    @with_signature
    def forward(
        pre_STBH: Tensor,
        h0_SBH: Tensor,
        W_SHH: Tensor,
        retention_SH: Tensor | None,
        activation: Activation,
        kernel: Kernel,
    ) -> tuple[Tensor, Tensor | None]:
        return kernel.forward(pre_STBH, h0_SBH, W_SHH, retention_SH, activation)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor | None]) -> None:
        _, h0_SBH, W_SHH, retention_SH, ctx.activation, ctx.kernel = inputs
        states_STBH, phi_STBH = output
        if phi_STBH is not None:
            ctx.mark_non_differentiable(phi_STBH)
        ctx.save_for_backward(h0_SBH, W_SHH, retention_SH, states_STBH, phi_STBH)
        ctx.save_for_forward(h0_SBH, W_SHH, retention_SH, states_STBH, phi_STBH)

    @staticmethod
    def backward(ctx: Any, d_states_STBH: Tensor, _d_phi: Tensor | None) -> tuple[Tensor | None, ...]:
        weight = ctx.needs_input_grad[2]
        gradients = _Gradient.apply(d_states_STBH, *ctx.saved_tensors, ctx.activation, weight, ctx.kernel)  # type: ignore[no-untyped-call]
        return *gradients, None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Tensor, None]:
        h0_SBH, W_SHH, retention_SH, states_STBH, phi_STBH = ctx.saved_tensors
        moved_pre_STBH, moved_h0_SBH, moved_W_SHH = tangents[:3]
        moved_pre_STBH = torch.zeros_like(states_STBH) if moved_pre_STBH is None else moved_pre_STBH
        moved_h0_SBH = torch.zeros_like(h0_SBH) if moved_h0_SBH is None else moved_h0_SBH
        if moved_W_SHH is not None:
            # W' h_{t-1} of all steps at once, but one member at a time, so that a stack rounds like a single trial.
            before_STBH = torch.cat([h0_SBH.unsqueeze(1), states_STBH[:, :-1]], dim=1)
            pairs = zip(before_STBH, moved_W_SHH, strict=True)
            moved_pre_STBH = moved_pre_STBH + torch.stack([before_TBH @ W_HH.T for before_TBH, W_HH in pairs])
        phi = states_STBH if phi_STBH is None else phi_STBH
        moved: Tensor = _Tangent.apply(  # type: ignore[no-untyped-call]
            moved_pre_STBH, moved_h0_SBH, W_SHH, retention_SH, phi, ctx.activation, ctx.kernel
        )
        return moved, None


class _Once(torch.autograd.Function):
    """Base of the scan's derivatives, which refuses a second derivative."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save nothing, since there is no further derivative."""

    @staticmethod
    def backward(ctx: Any, *_gradients: Any) -> Any:
        raise RuntimeError("leaky_scan: differentiable once; this asks for a second derivative")

    jvp = backward


class _Gradient(_Once):
    """The backward pass as a Function, so that it also works on tensors wrapped by `torch.func`."""

    @staticmethod
    @with_signature
    def forward(
        d_states_STBH: Tensor,
        h0_SBH: Tensor,
        W_SHH: Tensor,
        retention_SH: Tensor | None,
        states_STBH: Tensor,
        phi_STBH: Tensor | None,
        activation: Activation,
        weight: bool,
        kernel: Kernel,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        return kernel.backward(d_states_STBH, h0_SBH, W_SHH, retention_SH, states_STBH, phi_STBH, activation, weight)


class _Tangent(_Once):
    """The linear scan of a tangent, as a Function."""

    @staticmethod
    @with_signature
    def forward(
        pre_STBH: Tensor,
        h0_SBH: Tensor,
        W_SHH: Tensor,
        retention_SH: Tensor | None,
        phi_STBH: Tensor,
        activation: Activation,
        kernel: Kernel,
    ) -> Tensor:
        return kernel.tangent(pre_STBH, h0_SBH, W_SHH, retention_SH, phi_STBH, activation)
