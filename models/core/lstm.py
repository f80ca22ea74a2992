"""Long short-term memory: a cell beside the state, with forget, input and output gates.

    o, i, f = sigmoid(W h_{t-1} + W_in x_t + b),   g = tanh(W h_{t-1} + W_in x_t + b)
    c_t = f c_{t-1} + i g,   h_t = o tanh(c_t)

Hochreiter & Schmidhuber 1997, with forget gates (Gers et al. 2000): the equations of `torch.nn.LSTM`, which a test
compares it with. The rows of the weights are in the order o, i, f, g. It is one loop over time with a hand-written
backward pass, like the leaky scan. It computes all members of a stack at once. Symbols are a gather; `torch.nn.LSTM`
needs one-hot vectors, and so a matrix product as wide as the vocabulary.

Initialisation: orthogonal recurrent matrix for each gate, input weights normal with standard deviation
1/sqrt(active inputs), forget-gate biases 1, so that a cell keeps its value until training changes that (Jozefowicz et
al. 2015), all other parameters zero.

Shape letters: S stacked trials, T time, B batch, H hidden, G = 4 H, K = 2 H for h and c.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from models.core.base import Core, orthogonal, project, weight_gradient


@dataclass(frozen=True)
class LSTM(Core):
    """A layer of cells with gates; the carried values are h and c."""

    name: ClassVar[str] = "lstm"
    gated: ClassVar[bool] = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Weights and biases of all gates, in one tensor each; h_0 and c_0, concatenated."""
        H = self.hidden_size
        return {
            "input_weight": (self.width, 4 * H),
            "recurrent_weight": (4 * H, H),
            "bias": (4 * H,),
            "initial_state": (2 * H,),
        }

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, active: float) -> None:
        """Fill the parameters of one member in place, see above."""
        H = self.hidden_size
        for name in ("bias", "initial_state"):
            parameters[name].zero_()
        parameters["bias"][2 * H : 3 * H] = 1.0
        parameters["input_weight"].normal_(0.0, max(active, 1.0) ** -0.5, generator=generator)
        for block_HH in parameters["recurrent_weight"].chunk(4):
            block_HH.copy_(orthogonal(H, generator))

    def states(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBK: Tensor,
        retention_SH: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """States of every step, and the last h and c."""
        pre_STBG = project(parameters["input_weight"], parameters["bias"], inputs)
        states_STBH, cells_STBH, *_ = _Scan.apply(pre_STBG, start_SBK, parameters["recurrent_weight"])  # type: ignore[no-untyped-call]
        return states_STBH, torch.cat([states_STBH[:, -1].detach(), cells_STBH[:, -1]], dim=-1)

    def step(
        self, parameters: Mapping[str, Tensor], pre_SBG: Tensor, carried_SBK: Tensor, retention_SH: Tensor | None
    ) -> Tensor:
        """h and c by the equations above."""
        h_SBH, c_SBH = carried_SBK.chunk(2, dim=-1)
        gates_SBG = torch.baddbmm(pre_SBG, h_SBH, parameters["recurrent_weight"].transpose(1, 2))
        o_SBH, i_SBH, f_SBH, g_SBH = gates_SBG.chunk(4, dim=-1)
        c_SBH = f_SBH.sigmoid() * c_SBH + i_SBH.sigmoid() * g_SBH.tanh()
        return torch.cat([o_SBH.sigmoid() * c_SBH.tanh(), c_SBH], dim=-1)


class _Scan(torch.autograd.Function):
    """The loop over time as an autograd Function: (pre, start, W) -> states; saves cells, gates and tanh(c)."""

    @staticmethod
    def forward(pre_STBG: Tensor, start_SBK: Tensor, W_SGH: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        H = W_SGH.shape[-1]
        W_SHG = W_SGH.transpose(1, 2)
        # Steps outermost in memory: each step's slice is then one dense block for every S.
        gates_TSBG = pre_STBG.new_empty(pre_STBG.transpose(0, 1).shape)
        shape = (*gates_TSBG.shape[:3], H)
        states_TSBH, cells_TSBH, squashed_TSBH = (pre_STBG.new_empty(shape) for _ in range(3))
        h_SBH, c_SBH = start_SBK.chunk(2, dim=-1)
        for t, pre_SBG in enumerate(pre_STBG.unbind(1)):
            gates_SBG = torch.baddbmm(pre_SBG, h_SBH, W_SHG, out=gates_TSBG[t])
            gates_SBG[..., : 3 * H].sigmoid_()
            gates_SBG[..., 3 * H :].tanh_()
            o_SBH, i_SBH, f_SBH, g_SBH = gates_SBG.chunk(4, dim=-1)
            c_SBH = torch.mul(f_SBH, c_SBH, out=cells_TSBH[t]).addcmul_(i_SBH, g_SBH)
            h_SBH = torch.mul(o_SBH, torch.tanh(c_SBH, out=squashed_TSBH[t]), out=states_TSBH[t])
        kept = (states_TSBH, cells_TSBH, gates_TSBG, squashed_TSBH)
        states, cells, gates, squashed = (each.transpose(0, 1) for each in kept)
        return states, cells, gates, squashed

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        _, start_SBK, W_SGH = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(start_SBK, W_SGH, *output)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states_STBH: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        start_SBK, W_SGH, states_STBH, cells_STBH, gates_STBG, squashed_STBH = ctx.saved_tensors
        H = W_SGH.shape[-1]
        h0_SBH, c0_SBH = start_SBK.chunk(2, dim=-1)
        o, _, f, _ = gates_STBG.chunk(4, dim=-1)
        into_cell_STBH = torch.addcmul(o, o * squashed_STBH, squashed_STBH, value=-1)
        by_pre_STBG = _slopes(gates_STBG, c0_SBH, cells_STBH, squashed_STBH)
        S, T, B, G = gates_STBG.shape
        d_pre_TSBG = gates_STBG.new_empty(T, S, B, G)
        d_h_SBH, d_c_SBH = d_states_STBH[:, -1], torch.zeros_like(c0_SBH)
        for t in range(T - 1, -1, -1):
            d_c_SBH = d_c_SBH.addcmul(d_h_SBH, into_cell_STBH[:, t])
            d_pre_SBG, slope_SBG = d_pre_TSBG[t], by_pre_STBG[:, t]
            torch.mul(d_h_SBH, slope_SBG[..., :H], out=d_pre_SBG[..., :H])
            rest = slope_SBG[..., H:].view(S, B, 3, H)
            torch.mul(d_c_SBH.unsqueeze(2), rest, out=d_pre_SBG[..., H:].view(S, B, 3, H))
            # h_0 is not an output: the cost depends on it only through the gates of the first step.
            beta = 0 if t == 0 else 1
            d_h_SBH = torch.baddbmm(d_states_STBH[:, max(t - 1, 0)], d_pre_SBG, W_SGH, beta=beta)
            d_c_SBH = d_c_SBH * f[:, t]
        d_pre_STBG = d_pre_TSBG.transpose(0, 1)
        d_W_SGH = weight_gradient(d_pre_STBG, h0_SBH, states_STBH) if ctx.needs_input_grad[2] else None
        return d_pre_STBG, torch.cat([d_h_SBH, d_c_SBH], dim=-1), d_W_SGH


def _slopes(gates_STBG: Tensor, c0_SBH: Tensor, cells_STBH: Tensor, squashed_STBH: Tensor) -> Tensor:
    """Derivatives in the pre-activations, in the gates' layout: of h_t for o, and of c_t for i, f and g."""
    slopes = torch.addcmul(gates_STBG, gates_STBG, gates_STBG, value=-1)
    o, i, f, g = slopes.chunk(4, dim=-1)
    _, input_gate, _, candidate = gates_STBG.chunk(4, dim=-1)
    o.mul_(squashed_STBH)
    i.mul_(candidate)
    f[:, 0].mul_(c0_SBH)
    f[:, 1:].mul_(cells_STBH[:, :-1])
    g.copy_(input_gate).addcmul_(input_gate * candidate, candidate, value=-1)
    return slopes
