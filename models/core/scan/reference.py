"""The reference kernel of the leaky scan: loops over time in plain torch, on any device.

A forward step is one matrix product, the activation in place and, if units leak, one interpolation. A backward step is
one product with the stored slope and one matrix product. Shapes are static, and nothing synchronises with the device.

On a CPU the members of a stack are computed in turn, since a batched product there rounds differently for different
numbers of members, and is not faster. On other devices they are computed together, and agree with a single trial up to
rounding.

Shape letters: S stacked trials, T time, B batch, H hidden.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from models.core.scan.activation import Activation

_APPLY = {"tanh": torch.tanh_, "sigmoid": torch.sigmoid_, "relu": torch.relu_}


def forward(
    pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: Activation
) -> tuple[Tensor, Tensor | None]:
    """States h, and phi if units leak; without a leak phi equals h, and None is returned for it."""
    if _take_turns(pre_STBH):
        turns = [forward(*turn) for turn in _turns((pre_STBH, h0_SBH, W_SHH, retention_SH), activation)]
        phis = [phi for _, phi in turns if phi is not None]
        return torch.cat([states for states, _ in turns]), torch.cat(phis) if phis else None
    apply_ = _APPLY[activation]
    W_transposed = W_SHH.transpose(1, 2)
    # Steps outermost in memory: each step's slice is then one dense block for every S.
    phi_TSBH = pre_STBH.new_empty(pre_STBH.transpose(0, 1).shape)
    states_TSBH = phi_TSBH if retention_SH is None else torch.empty_like(phi_TSBH)
    state_SBH = h0_SBH
    for t, pre_SBH in enumerate(pre_STBH.unbind(1)):
        phi_SBH = apply_(torch.baddbmm(pre_SBH, state_SBH, W_transposed, out=phi_TSBH[t]))
        if retention_SH is not None:
            torch.lerp(phi_SBH, state_SBH, retention_SH.unsqueeze(1), out=states_TSBH[t])
        state_SBH = states_TSBH[t]
    states_STBH = states_TSBH.transpose(0, 1)
    return states_STBH, None if retention_SH is None else phi_TSBH.transpose(0, 1)


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
    """d(pre) of every step, d(h0) and, if `weight`, dW, from the direct gradient of the cost in every state.

    With d_t the total gradient in h_t:  d(pre_t) = d_t (1 - a) phi',  d_{t-1} = dcost/dh_{t-1} + a d_t + W^T d(pre_t).
    """
    if _take_turns(states_STBH):
        tensors = (d_states_STBH, h0_SBH, W_SHH, retention_SH, states_STBH, phi_STBH)
        results = [backward(*turn) for turn in _turns(tensors, activation, weight)]
        d_W_SHH = torch.cat([gradient for *_, gradient in results if gradient is not None]) if weight else None
        return torch.cat([d_pre for d_pre, *_ in results]), torch.cat([d_h0 for _, d_h0, _ in results]), d_W_SHH
    slope_STBH = _slope(states_STBH if phi_STBH is None else phi_STBH, retention_SH, activation)
    d_pre_TSBH = torch.empty_like(slope_STBH.transpose(0, 1), memory_format=torch.contiguous_format)
    d_state_SBH = d_states_STBH[:, -1]
    for t in range(d_states_STBH.shape[1] - 1, -1, -1):
        d_pre_SBH = torch.mul(d_state_SBH, slope_STBH[:, t], out=d_pre_TSBH[t])
        # h_0 is not an output: the cost depends on it only through h_1.
        beta = 0 if t == 0 else 1
        earlier_SBH = torch.baddbmm(d_states_STBH[:, max(t - 1, 0)], d_pre_SBH, W_SHH, beta=beta)
        if retention_SH is not None:
            earlier_SBH.addcmul_(d_state_SBH, retention_SH.unsqueeze(1))
        d_state_SBH = earlier_SBH
    d_pre_STBH = d_pre_TSBH.transpose(0, 1)
    return d_pre_STBH, d_state_SBH, recurrent_gradient(d_pre_STBH, h0_SBH, states_STBH) if weight else None


def tangent(
    pre_STBH: Tensor,
    h0_SBH: Tensor,
    W_SHH: Tensor,
    retention_SH: Tensor | None,
    phi_STBH: Tensor,
    activation: Activation,
) -> Tensor:
    """The linear scan h_t = a h_{t-1} + (1 - a) phi'_t (pre_t + W h_{t-1}), with phi' from a previous forward scan."""
    if _take_turns(pre_STBH):
        turns = _turns((pre_STBH, h0_SBH, W_SHH, retention_SH, phi_STBH), activation)
        return torch.cat([tangent(*turn) for turn in turns])
    slope_STBH = _slope(phi_STBH, retention_SH, activation)
    W_transposed = W_SHH.transpose(1, 2)
    states = []
    state_SBH = h0_SBH
    for t, pre_SBH in enumerate(pre_STBH.unbind(1)):
        moved_SBH = torch.baddbmm(pre_SBH, state_SBH, W_transposed).mul_(slope_STBH[:, t])
        if retention_SH is not None:
            moved_SBH.addcmul_(state_SBH, retention_SH.unsqueeze(1))
        state_SBH = moved_SBH
        states.append(state_SBH)
    return torch.stack(states, dim=1)


def _take_turns(tensor: Tensor) -> bool:
    return tensor.device.type == "cpu" and len(tensor) > 1


def _turns(tensors: tuple[Tensor | None, ...], *rest: Any) -> Iterator[list[Any]]:
    """The arguments for each member. Tensors are copied, since products also round differently by memory alignment."""
    members = len(next(tensor for tensor in tensors if tensor is not None))
    for s in range(members):
        yield [*(None if tensor is None else tensor[s : s + 1].clone() for tensor in tensors), *rest]


def _slope(phi: Tensor, retention_SH: Tensor | None, activation: Activation) -> Tensor:
    """(1 - a) phi', with phi' as a function of phi itself: 1 - phi^2, phi (1 - phi), or 1 where phi > 0."""
    if activation == "tanh":
        slope = torch.addcmul(phi.new_ones(()), phi, phi, value=-1)
    elif activation == "sigmoid":
        slope = torch.addcmul(phi, phi, phi, value=-1)
    else:
        slope = (phi > 0).to(phi.dtype)
    return slope if retention_SH is None else slope.mul_(1 - retention_SH[:, None, None, :])


def recurrent_gradient(d_pre_STBH: Tensor, h0_SBH: Tensor, states_STBH: Tensor) -> Tensor:
    """dW = sum over t and b of d(pre_t) h_{t-1}^T: one matrix product for t > 1, and one for t = 1."""
    if _take_turns(d_pre_STBH):
        return torch.cat([recurrent_gradient(*turn) for turn in _turns((d_pre_STBH, h0_SBH, states_STBH))])
    S, _, _, H = d_pre_STBH.shape
    later = d_pre_STBH[:, 1:].reshape(S, -1, H).transpose(1, 2)
    first = d_pre_STBH[:, 0].transpose(1, 2)
    return torch.baddbmm(first @ h0_SBH, later, states_STBH[:, :-1].reshape(S, -1, H))
