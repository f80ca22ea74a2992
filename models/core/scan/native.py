"""The native kernel of the leaky scan: `scan.cpp`, on CPUs, for float32 and float64.

Shape letters: S stacked trials, T time, B batch, H hidden.
"""

import torch
from torch import Tensor

from models.core.scan.activation import Activation
from models.native.library import call, threads_for

NUMBERS = {"tanh": 0, "sigmoid": 1, "relu": 2}


def forward(
    pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: Activation
) -> tuple[Tensor, Tensor | None]:
    """States h, and phi if units leak."""
    states_STBH = _like(pre_STBH)
    phi_STBH = None if retention_SH is None else torch.empty_like(states_STBH)
    _call("forward", activation, states_STBH, pre_STBH, h0_SBH, W_SHH, retention_SH, None, states_STBH, phi_STBH)
    return states_STBH, phi_STBH


def backward(
    d_states_STBH: Tensor,
    h0_SBH: Tensor,
    W_SHH: Tensor,
    retention_SH: Tensor | None,
    states_STBH: Tensor,
    phi_STBH: Tensor | None,
    activation: Activation,
    weight: bool,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """d(pre), d(h0) and, if `weight`, dW, as in `reference.py`."""
    d_pre_STBH, d_h0_SBH = _like(states_STBH), _like(h0_SBH)
    d_W_SHH = _like(W_SHH) if weight else None
    phi = states_STBH if phi_STBH is None else phi_STBH
    inputs = (d_states_STBH, W_SHH, retention_SH, phi, h0_SBH, states_STBH)
    _call("backward", activation, d_pre_STBH, *inputs, d_pre_STBH, d_h0_SBH, d_W_SHH)
    return d_pre_STBH, d_h0_SBH, d_W_SHH


def tangent(
    pre_STBH: Tensor,
    h0_SBH: Tensor,
    W_SHH: Tensor,
    retention_SH: Tensor | None,
    phi_STBH: Tensor,
    activation: Activation,
) -> Tensor:
    """The linear scan, as in `reference.py`."""
    tangent_STBH = _like(pre_STBH)
    _call("forward", activation, tangent_STBH, pre_STBH, h0_SBH, W_SHH, retention_SH, phi_STBH, tangent_STBH, None)
    return tangent_STBH


def _like(tensor: Tensor) -> Tensor:
    return torch.empty_like(tensor, memory_format=torch.contiguous_format)


def _call(name: str, activation: Activation, shaped: Tensor, *tensors: Tensor | None) -> None:
    S, T, B, H = shaped.shape
    call(f"scan_{name}", shaped.dtype, *tensors, (S, T, B, H), NUMBERS[activation], threads_for(S * T * B * H * H))
