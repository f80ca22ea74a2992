"""The Triton kernel of the leaky scan, for GPUs: the whole loop over time in one launch, with W and the state on chip.

A program runs some lanes of one member through all steps. So programs never wait for each other, and a member's states
and gradients do not depend on the rest of the stack. W has to fit on chip, which allows up to LIMIT units; wider layers
use the reference.

It is tested only under Triton's interpreter, on a CPU (TRITON_INTERPRET=1), and has not run on a GPU. It is therefore
used only if it is forced, and imported only then, since torch's CPU builds come without triton.

Shape letters: S stacked trials, T time, B batch, H hidden.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from models.core.scan.activation import Activation
from models.core.scan.reference import recurrent_gradient

LIMIT = 128
"""Largest number of units whose W, in float32, fits on chip beside the tiles of a step."""
INTERPRETED = triton.knobs.runtime.interpret
_ROWS = 16
_NUMBERS = {"tanh": 0, "sigmoid": 1, "relu": 2}


@triton.jit
def _activate(z, ACTIVATION: tl.constexpr):
    if ACTIVATION == 2:
        value = tl.where(z < 0, 0.0, z)
    elif ACTIVATION == 1:
        e = tl.exp(-tl.abs(z))
        value = tl.where(z < 0, e, 1.0) / (1 + e)
    else:
        # tanh |z| = -m / (2 + m) with m = e^y - 1, y = -2 |z|; near 0 by Kahan's formula, which avoids cancellation.
        y = -2 * tl.abs(z)
        u = tl.exp(y)
        safe = tl.where((u == 1) | (y < -1), 0.5, u)
        m = tl.where(y < -1, u - 1, tl.where(u == 1, y, (safe - 1) * y / tl.log(safe)))
        value = tl.where(z < 0, m, -m) / (2 + m)
    return value


@triton.jit
def _slope(phi, ACTIVATION: tl.constexpr):
    if ACTIVATION == 2:
        value = tl.where(phi > 0, 1.0, 0.0).to(phi.dtype)
    elif ACTIVATION == 1:
        value = phi - phi * phi
    else:
        value = 1 - phi * phi
    return value


@triton.jit
def _forward_kernel(
    pre, h0, W, retention, given, states, phi, T, B, H,
    ACTIVATION: tl.constexpr, LEAKS: tl.constexpr, TANGENT: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    s = tl.program_id(0).to(tl.int64)
    row, column = tl.program_id(1) * ROWS + tl.arange(0, ROWS), tl.arange(0, WIDTH)
    inside = (row < B)[:, None] & (column < H)[None, :]
    square = (column < H)[:, None] & (column < H)[None, :]
    W_transposed = tl.load(W + s * H * H + column[None, :] * H + column[:, None], mask=square, other=0.0)
    at = row[:, None] * H + column[None, :]
    h = tl.load(h0 + s * B * H + at, mask=inside, other=0.0)
    at += s * T * B * H
    for _ in range(T):
        z = tl.load(pre + at, mask=inside, other=0.0)
        z += tl.dot(h, W_transposed, input_precision="ieee", out_dtype=h.dtype)
        if TANGENT:
            value = _slope(tl.load(given + at, mask=inside, other=0.0), ACTIVATION) * z
        else:
            value = _activate(z, ACTIVATION)
        if LEAKS:
            if not TANGENT:
                tl.store(phi + at, value, mask=inside)
            a = tl.load(retention + s * H + column, mask=column < H, other=0.0)[None, :]
            value = a * h + (1 - a) * value
        # Lanes beyond the edge must stay 0, since infinity times 0 in a product would give NaN.
        h = tl.where(inside, value, 0.0)
        tl.store(states + at, h, mask=inside)
        at += B * H


@triton.jit
def _step_back(d, phi, d_pre, at, W_tile, a, inside, ACTIVATION: tl.constexpr, LEAKS: tl.constexpr):
    through = d * _slope(tl.load(phi + at, mask=inside, other=0.0), ACTIVATION)
    if LEAKS:
        through *= 1 - a
    through = tl.where(inside, through, 0.0)
    tl.store(d_pre + at, through, mask=inside)
    earlier = tl.dot(through, W_tile, input_precision="ieee", out_dtype=d.dtype)
    if LEAKS:
        earlier += a * d
    return tl.where(inside, earlier, 0.0)


@triton.jit
def _backward_kernel(
    d_states, W, retention, phi, d_pre, d_h0, T, B, H,
    ACTIVATION: tl.constexpr, LEAKS: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    s = tl.program_id(0).to(tl.int64)
    row, column = tl.program_id(1) * ROWS + tl.arange(0, ROWS), tl.arange(0, WIDTH)
    inside = (row < B)[:, None] & (column < H)[None, :]
    square = (column < H)[:, None] & (column < H)[None, :]
    W_tile = tl.load(W + s * H * H + column[:, None] * H + column[None, :], mask=square, other=0.0)
    first = row[:, None] * H + column[None, :]
    a = tl.zeros((WIDTH,), W_tile.dtype)
    if LEAKS:
        a = tl.load(retention + s * H + column, mask=column < H, other=0.0)
    at = first + (s * T + T - 1) * B * H
    d = tl.load(d_states + at, mask=inside, other=0.0)
    for _ in range(T - 1):
        d = _step_back(d, phi, d_pre, at, W_tile, a[None, :], inside, ACTIVATION, LEAKS)
        at -= B * H
        d += tl.load(d_states + at, mask=inside, other=0.0)
    # h_0 is not an output: the cost depends on it only through h_1.
    d = _step_back(d, phi, d_pre, at, W_tile, a[None, :], inside, ACTIVATION, LEAKS)
    tl.store(d_h0 + s * B * H + first, d, mask=inside)


def forward(
    pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: Activation
) -> tuple[Tensor, Tensor | None]:
    """States h, and phi if units leak."""
    states_STBH = _like(pre_STBH)
    phi_STBH = None if retention_SH is None else _like(pre_STBH)
    _scan(pre_STBH, h0_SBH, W_SHH, retention_SH, None, states_STBH, phi_STBH, activation)
    return states_STBH, phi_STBH


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
    _scan(pre_STBH, h0_SBH, W_SHH, retention_SH, phi_STBH, tangent_STBH, None, activation)
    return tangent_STBH


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
    S, T, B, H = states_STBH.shape
    d_pre_STBH, d_h0_SBH = _like(states_STBH), _like(h0_SBH)
    phi = (states_STBH if phi_STBH is None else phi_STBH).contiguous()
    retention = W_SHH if retention_SH is None else retention_SH.contiguous()
    _backward_kernel[(S, triton.cdiv(B, _ROWS))](
        d_states_STBH.contiguous(), W_SHH.contiguous(), retention, phi, d_pre_STBH, d_h0_SBH, T, B, H,
        ACTIVATION=_NUMBERS[activation], LEAKS=retention_SH is not None, ROWS=_ROWS, WIDTH=_width(H),
    )  # fmt: skip
    return d_pre_STBH, d_h0_SBH, recurrent_gradient(d_pre_STBH, h0_SBH, states_STBH) if weight else None


def _scan(
    pre_STBH: Tensor,
    h0_SBH: Tensor,
    W_SHH: Tensor,
    retention_SH: Tensor | None,
    given_STBH: Tensor | None,
    states_STBH: Tensor,
    phi_STBH: Tensor | None,
    activation: Activation,
) -> None:
    S, T, B, H = pre_STBH.shape
    # The kernel needs a valid pointer even for an argument that it does not use.
    retention = W_SHH if retention_SH is None else retention_SH.contiguous()
    given = states_STBH if given_STBH is None else given_STBH.contiguous()
    phi = states_STBH if phi_STBH is None else phi_STBH
    _forward_kernel[(S, triton.cdiv(B, _ROWS))](
        pre_STBH.contiguous(), h0_SBH.contiguous(), W_SHH.contiguous(), retention, given, states_STBH, phi, T, B, H,
        ACTIVATION=_NUMBERS[activation], LEAKS=retention_SH is not None, TANGENT=given_STBH is not None,
        ROWS=_ROWS, WIDTH=_width(H),
    )  # fmt: skip


def _like(tensor: Tensor) -> Tensor:
    return torch.empty_like(tensor, memory_format=torch.contiguous_format)


def _width(H: int) -> int:
    return max(16, int(triton.next_power_of_2(H)))
