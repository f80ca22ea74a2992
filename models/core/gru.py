"""The gated recurrent unit: a reset gate, and an update gate that mixes the state with a candidate.

    r, z = sigmoid(W h_{t-1} + W_in x_t + b)
    n = tanh(W_in x_t + b + r (W h_{t-1} + d)),   h_t = (1 - z) n + z h_{t-1}

Cho et al. 2014 (arXiv:1406.1078), in the form of `torch.nn.GRU`, which a test compares it with: the reset gate
multiplies W h + d, after the matrix product. The rows of the weights are in the order r, z, n. It is one loop over time
with a hand-written backward pass, for the reasons in `lstm.py`.

Initialisation: orthogonal recurrent matrix for each gate, input weights normal with standard deviation
1/sqrt(active inputs), biases and h_0 zero.

Shape letters: S stacked trials, T time, B batch, H hidden, G = 3 H, K carried numbers a lane.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from models.core.base import Core, orthogonal, project, weight_gradient


@dataclass(frozen=True)
class GRU(Core):
    """A layer of units with two gates; K is H."""

    name: ClassVar[str] = "gru"
    gated: ClassVar[bool] = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Weights and biases of both gates and the candidate in one tensor each, the bias d, and h_0."""
        H = self.hidden_size
        return {
            "input_weight": (self.width, 3 * H),
            "recurrent_weight": (3 * H, H),
            "bias": (3 * H,),
            "recurrent_bias": (H,),
            "initial_state": (H,),
        }

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, active: float) -> None:
        """Fill the parameters of one member in place, see above."""
        for name in ("bias", "recurrent_bias", "initial_state"):
            parameters[name].zero_()
        parameters["input_weight"].normal_(0.0, max(active, 1.0) ** -0.5, generator=generator)
        for block_HH in parameters["recurrent_weight"].chunk(3):
            block_HH.copy_(orthogonal(self.hidden_size, generator))

    def states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """States of every step, and the last one."""
        pre_STBG = project(parameters["input_weight"], parameters["bias"], inputs)
        weights = parameters["recurrent_weight"], parameters["recurrent_bias"]
        states_STBH: Tensor = _Scan.apply(pre_STBG, start_SBK, *weights)[0]  # type: ignore[no-untyped-call]
        return states_STBH, states_STBH[:, -1].detach()

    def step(
        self, parameters: Mapping[str, Tensor], pre_SBG: Tensor, carried_SBK: Tensor, retention_SH: Tensor | None
    ) -> Tensor:
        """h by the equations above."""
        inner_SBG = carried_SBK @ parameters["recurrent_weight"].transpose(1, 2)
        (pre_r, pre_z, pre_n), (r, z, n) = pre_SBG.chunk(3, dim=-1), inner_SBG.chunk(3, dim=-1)
        r_SBH, z_SBH = (pre_r + r).sigmoid(), (pre_z + z).sigmoid()
        n_SBH = (pre_n + r_SBH * (n + parameters["recurrent_bias"].unsqueeze(1))).tanh()
        return torch.lerp(n_SBH, carried_SBK, z_SBH)


class _Scan(torch.autograd.Function):
    """The loop over time as an autograd Function: (pre, h0, W, d) -> states.

    Saved for the backward pass: the candidates n, and `inner`, which holds r, z and the candidate's W h + d.
    """

    @staticmethod
    def forward(pre_STBG: Tensor, h0_SBH: Tensor, W_SGH: Tensor, d_SH: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        S, T, B, G = pre_STBG.shape
        H = G // 3
        W_SHG = W_SGH.transpose(1, 2)
        # Steps outermost in memory: each step's slice is then one dense block for every S.
        inner_TSBG = pre_STBG.new_empty(T, S, B, G)
        inner_TSBG[..., : 2 * H] = pre_STBG[..., : 2 * H].transpose(0, 1)
        inner_TSBG[..., 2 * H :] = d_SH.unsqueeze(1)
        states_TSBH, n_TSBH = pre_STBG.new_empty(T, S, B, H), pre_STBG.new_empty(T, S, B, H)
        h_SBH = h0_SBH
        for t, pre_SBH in enumerate(pre_STBG[..., 2 * H :].unbind(1)):
            inner_SBG = inner_TSBG[t].baddbmm_(h_SBH, W_SHG)
            inner_SBG[..., : 2 * H].sigmoid_()
            r_SBH, z_SBH, hidden_SBH = inner_SBG.chunk(3, dim=-1)
            n_SBH = torch.addcmul(pre_SBH, r_SBH, hidden_SBH, out=n_TSBH[t]).tanh_()
            h_SBH = torch.lerp(n_SBH, h_SBH, z_SBH, out=states_TSBH[t])
        states, n, inner = (each.transpose(0, 1) for each in (states_TSBH, n_TSBH, inner_TSBG))
        return states, n, inner

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        _, h0_SBH, W_SGH, _ = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(h0_SBH, W_SGH, *output)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states_STBH: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        h0_SBH, W_SGH, states_STBH, n_STBH, inner_STBG = ctx.saved_tensors
        S, T, B, H = states_STBH.shape
        z_STBH = inner_STBG[..., H : 2 * H]
        slopes_STBG, by_n_STBH = _slopes(h0_SBH, states_STBH, n_STBH, inner_STBG)
        d_inner_TSBG, d_n_TSBH = n_STBH.new_empty(T, S, B, 3 * H), n_STBH.new_empty(T, S, B, H)
        d_h_SBH = d_states_STBH[:, -1]
        for t in range(T - 1, -1, -1):
            torch.mul(d_h_SBH, by_n_STBH[:, t], out=d_n_TSBH[t])
            apart = slopes_STBG[:, t].view(S, B, 3, H)
            torch.mul(d_h_SBH.unsqueeze(2), apart, out=d_inner_TSBG[t].view(S, B, 3, H))
            # h_0 is not an output: the cost depends on it only through the first step.
            beta = 0 if t == 0 else 1
            earlier_SBH = torch.baddbmm(d_states_STBH[:, max(t - 1, 0)], d_inner_TSBG[t], W_SGH, beta=beta)
            d_h_SBH = earlier_SBH.addcmul_(d_h_SBH, z_STBH[:, t])
        d_inner_STBG = d_inner_TSBG.transpose(0, 1)
        d_W_SGH = weight_gradient(d_inner_STBG, h0_SBH, states_STBH) if ctx.needs_input_grad[2] else None
        d_pre_STBG = torch.cat([d_inner_STBG[..., : 2 * H], d_n_TSBH.transpose(0, 1)], dim=-1)
        return d_pre_STBG, d_h_SBH, d_W_SGH, d_inner_STBG[..., 2 * H :].sum((1, 2))


def _slopes(h0_SBH: Tensor, states_STBH: Tensor, n_STBH: Tensor, inner_STBG: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives of h_t in the values of `inner` (for r and z before the sigmoid), and in the argument of n's tanh."""
    r, z, hidden = inner_STBG.chunk(3, dim=-1)
    by_n = (1 - z) * (1 - n_STBH * n_STBH)
    before = torch.cat([h0_SBH.unsqueeze(1), states_STBH[:, :-1]], dim=1)
    by_z = (before - n_STBH) * z * (1 - z)
    by_hidden = by_n * r
    by_r = by_hidden * hidden * (1 - r)
    return torch.cat([by_r, by_z, by_hidden], dim=-1), by_n
