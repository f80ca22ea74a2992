"""The reference body of the leaky scan: the two loops over time, in plain torch, on any device.

Per step forward one matrix product, the activation in place and, where units leak, one interpolation; backward
one product with the stored slope and one matrix product. Shapes are static and nothing waits for the device.

Shape letters: S stacked trials, T time, B batch, H hidden.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from models.core.scan import Activation

_APPLY = {"tanh": torch.tanh_, "sigmoid": torch.sigmoid_, "relu": torch.relu_}


def forward(
    pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: "Activation"
) -> tuple[Tensor, Tensor | None]:
    """States h and, where units leak, phi beside them; without a leak phi is h and is not kept twice."""
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
    W_SHH: Tensor,
    retention_SH: Tensor | None,
    states_STBH: Tensor,
    phi_STBH: Tensor | None,
    activation: "Activation",
) -> tuple[Tensor, Tensor]:
    """d(pre) of every step and d(h0), from the gradient of the cost in every state.

    With d_t the whole gradient in h_t:  d(pre_t) = d_t (1 - a) phi',  d_{t-1} = dcost/dh_{t-1} + a d_t + W^T d(pre_t).
    """
    slope_STBH = _slope(states_STBH if phi_STBH is None else phi_STBH, activation)
    if retention_SH is not None:
        slope_STBH.mul_(1 - retention_SH[:, None, None, :])
    d_pre_TSBH = torch.empty_like(slope_STBH.transpose(0, 1), memory_format=torch.contiguous_format)
    d_state_SBH = d_states_STBH[:, -1]
    for t in range(d_states_STBH.shape[1] - 1, -1, -1):
        d_pre_SBH = torch.mul(d_state_SBH, slope_STBH[:, t], out=d_pre_TSBH[t])
        # h_0 is no output: the cost reaches it through h_1 alone.
        beta = 0 if t == 0 else 1
        earlier_SBH = torch.baddbmm(d_states_STBH[:, max(t - 1, 0)], d_pre_SBH, W_SHH, beta=beta)
        if retention_SH is not None:
            earlier_SBH.addcmul_(d_state_SBH, retention_SH.unsqueeze(1))
        d_state_SBH = earlier_SBH
    return d_pre_TSBH.transpose(0, 1), d_state_SBH


def _slope(phi: Tensor, activation: "Activation") -> Tensor:
    """Phi' as a function of phi itself: 1 - phi^2, phi (1 - phi), or 1 where phi > 0."""
    if activation == "tanh":
        return torch.addcmul(phi.new_ones(()), phi, phi, value=-1)
    if activation == "sigmoid":
        return torch.addcmul(phi, phi, phi, value=-1)
    return (phi > 0).to(phi.dtype)
