"""The leaky scan: the one recurrent operation, differentiable, with its backward pass written by hand.

Section 3.2 of arXiv:1212.0901, with the ordinary network as the case of no leak:

    h_t = a * h_{t-1} + (1 - a) * phi(pre_t + W h_{t-1}),        a = retention in [0, 1)

The inputs come in already projected for all steps (`pre`), and the backward pass gives d(pre), so that every
gradient outside the recurrence is an ordinary matrix product. This file is the autograd Function; the loops
over time are a body of their own (`reference.py`).

Shape letters: S stacked trials, T time, B batch, H hidden.
"""

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from models.core import reference

Activation = Literal["tanh", "sigmoid", "relu"]
ACTIVATIONS: tuple[Activation, ...] = ("tanh", "sigmoid", "relu")


def leaky_scan(
    pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: Activation
) -> Tensor:
    """All states of a leaky recurrent layer, h_t = a h_{t-1} + (1 - a) phi(pre_t + W h_{t-1}).

    Args:
        pre_STBH: the projected inputs W_in x_t + b of every step.
        h0_SBH: the state before the first step.
        W_SHH: the recurrent matrix; `W[s, i, j]` weighs unit j's state in unit i's next one.
        retention_SH: a of each unit, in [0, 1); data, not differentiated. None where no unit leaks.
        activation: phi, one of tanh, sigmoid, relu.

    Returns:
        h_STBH: the states h_1 ... h_T, differentiable once in pre, h0 and W.

    Raises:
        ValueError: shapes, types or the activation do not fit, or T, B or H is 0.

    >>> h = leaky_scan(torch.zeros(1, 3, 2, 4), torch.ones(1, 2, 4), torch.eye(4)[None], None, "tanh")
    >>> tuple(h.shape), round(h[0, 0, 0, 0].item(), 4)
    ((1, 3, 2, 4), 0.7616)
    """
    _check(pre_STBH, h0_SBH, W_SHH, retention_SH, activation)
    states_STBH: Tensor = _LeakyScan.apply(pre_STBH, h0_SBH, W_SHH, retention_SH, activation)[0]  # type: ignore[no-untyped-call]
    return states_STBH


def _check(pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: str) -> None:
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation: {activation!r} is none of {', '.join(ACTIVATIONS)}")
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
            raise ValueError(f"{name}: wants {pre_STBH.dtype} on {pre_STBH.device} like pre, got {tensor.dtype}")


class _LeakyScan(torch.autograd.Function):
    """The scan as autograd sees it: (pre, h0, W) -> states; the activations phi are kept for the way back."""

    @staticmethod
    def forward(
        pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: Activation
    ) -> tuple[Tensor, Tensor | None]:
        return reference.forward(pre_STBH, h0_SBH, W_SHH, retention_SH, activation)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor | None]) -> None:
        _, h0_SBH, W_SHH, retention_SH, activation = inputs
        states_STBH, phi_STBH = output
        if phi_STBH is not None:
            ctx.mark_non_differentiable(phi_STBH)
        ctx.save_for_backward(h0_SBH, W_SHH, retention_SH, states_STBH, phi_STBH)  # type: ignore[arg-type]
        ctx.activation = activation  # type: ignore[attr-defined]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states_STBH: Tensor, _d_phi: Tensor | None) -> tuple[Tensor | None, ...]:
        h0_SBH, W_SHH, retention_SH, states_STBH, phi_STBH = ctx.saved_tensors
        d_pre_STBH, d_h0_SBH = reference.backward(
            d_states_STBH, W_SHH, retention_SH, states_STBH, phi_STBH, ctx.activation
        )
        d_W_SHH = None
        if ctx.needs_input_grad[2]:
            d_W_SHH = recurrent_gradient(d_pre_STBH, h0_SBH, states_STBH)
        return d_pre_STBH, d_h0_SBH, d_W_SHH, None, None


def recurrent_gradient(d_pre_STBH: Tensor, h0_SBH: Tensor, states_STBH: Tensor) -> Tensor:
    """dW = sum over t and b of d(pre_t) h_{t-1}^T: one matrix product over all steps but the first, and that one."""
    S, _, _, H = d_pre_STBH.shape
    later = d_pre_STBH[:, 1:].reshape(S, -1, H).transpose(1, 2)
    first = d_pre_STBH[:, 0].transpose(1, 2)
    return torch.baddbmm(first @ h0_SBH, later, states_STBH[:, :-1].reshape(S, -1, H))
