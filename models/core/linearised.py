"""A simple recurrent layer, linearised at given parameters and inputs: Jacobian products and their transposes.

The forward pass is run once and kept. A Gauss-Newton product is then one linear forward scan (Pearlmutter's R-operator)
and one backward pass, both by the kernels of the leaky scan:

    h'_t = a h'_{t-1} + (1 - a) phi'_t (W' h_{t-1} + W h'_{t-1} + W_in' x_t + b')

All of it is outside of autograd. `scan/operation.py` gives the same numbers through autograd, but computes the states
again for each product.

Shape letters: S stacked trials, T time, B batch, D inputs, H hidden, N unpadded steps, K carried numbers a lane.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from models.core.base import project
from models.core.scan.activation import Activation
from models.core.scan.choice import kernel_for
from models.core.sparse import serves, sparse_gradients


def silenced(pre_STBH: Tensor, activation: Activation, unpadded: Tensor | None) -> Tensor:
    """The projected inputs, with -inf in padding for rectified units, so that phi is 0 there.

    Rectified units could otherwise grow in padding until they overflow, and zero gradients times infinity would be NaN.
    Unpadded steps are unchanged, to the bit.

    Args:
        pre_STBH: projected inputs.
        activation: of the units.
        unpadded: True for steps that are not padding, (T, B) or (S, T, B); None if there is no padding.

    >>> silenced(torch.ones(1, 2, 1, 1), "relu", torch.tensor([[True], [False]])).flatten()
    tensor([1., -inf])
    """
    if unpadded is None or activation != "relu":
        return pre_STBH
    return pre_STBH.masked_fill(~unpadded.unsqueeze(-1), -torch.inf)


class LinearisedRNN:
    """The layer of `rnn.py`, linearised at these parameters and inputs.

    Args:
        parameters: of the layer, by name, each with the S axis first.
        inputs: values (S, T, B, D), or symbols, integer (S, T, B).
        start_SBH: the state before the first step.
        retention_SH: retention of each unit; None if no unit leaks.
        activation: of the units.
        unpadded: True for steps that are not padding, (T, B); None if there is no padding.

    Attributes:
        before_STBH: h_0 ... h_{T-1}, the state before each step.
        last_SBH: h_T.
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        inputs: Tensor,
        start_SBH: Tensor,
        retention_SH: Tensor | None,
        activation: Activation,
        unpadded: Tensor | None = None,
    ):
        pre_STBH = project(parameters["input_weight"].detach(), parameters["bias"].detach(), inputs)
        pre_STBH = silenced(pre_STBH, activation, unpadded)
        self._kernel = kernel_for(pre_STBH.device, pre_STBH.dtype, pre_STBH.shape[-1])
        self._inputs, self._start_SBH, self._retention_SH = inputs, start_SBH.detach(), retention_SH
        self._W_SHH, self._activation = parameters["recurrent_weight"].detach(), activation
        self._width = parameters["input_weight"].shape[1]
        self._states_STBH, self._phi_STBH = self._kernel.forward(
            pre_STBH, self._start_SBH, self._W_SHH, retention_SH, activation
        )
        self.before_STBH = torch.cat([self._start_SBH.unsqueeze(1), self._states_STBH[:, :-1]], dim=1)
        self.last_SBH = self._states_STBH[:, -1]

    def tangent(self, moved: Mapping[str, Tensor], moved_start_SBH: Tensor) -> Tensor:
        """The Jacobian product: h'_1 ... h'_T for a direction of the parameters and of the start, (S, T, B, H)."""
        pre_STBH = project(moved["input_weight"], moved["bias"], self._inputs)
        pre_SNH, before_SNH = pre_STBH.flatten(1, 2), self.before_STBH.flatten(1, 2)
        torch.baddbmm(pre_SNH, before_SNH, moved["recurrent_weight"].transpose(1, 2), out=pre_SNH)
        phi = self._states_STBH if self._phi_STBH is None else self._phi_STBH
        return self._kernel.tangent(pre_STBH, moved_start_SBH, self._W_SHH, self._retention_SH, phi, self._activation)

    def gradient(self, d_states_STBH: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The transposed product: gradients in the parameters by name (not in h_0), and in the start, (S, B, H).

        Args:
            d_states_STBH: gradient of a cost in h_1 ... h_T.
        """
        d_pre_STBH, d_start_SBH, d_W_SHH = self._backward(d_states_STBH, weight=True)
        if d_W_SHH is None:
            raise RuntimeError("linearised: the kernel gave no gradient of the recurrent matrix")
        d_pre_SNH = d_pre_STBH.flatten(1, 2)
        d_input_SDH, d_bias_SH = self._input_gradients(d_pre_SNH)
        return {"recurrent_weight": d_W_SHH, "input_weight": d_input_SDH, "bias": d_bias_SH}, d_start_SBH

    def _backward(self, d_states_STBH: Tensor, weight: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        """The scan's backward pass at the kept forward pass: d(pre), d(h_0) and, if `weight`, dW."""
        return self._kernel.backward(
            d_states_STBH=d_states_STBH,
            h0_SBH=self._start_SBH,
            W_SHH=self._W_SHH,
            retention_SH=self._retention_SH,
            states_STBH=self._states_STBH,
            phi_STBH=self._phi_STBH,
            activation=self._activation,
            weight=weight,
        )

    @property
    def carried_STBK(self) -> Tensor:
        """h_0 ... h_T."""
        return torch.cat([self._start_SBH.unsqueeze(1), self._states_STBH], dim=1)

    def carried_gradients(self, d_last_SBK: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of a cost that depends only on h_T, in h_0 ... h_T and in the projected inputs.

        The scan gives d(pre_t); then d(h_{t-1}) = a d(h_t) + W^T d(pre_t).
        """
        d_states_STBH = torch.zeros_like(self._states_STBH)
        d_states_STBH[:, -1] = d_last_SBK
        d_pre_STBH, _, _ = self._backward(d_states_STBH, weight=False)
        d_before_STBH = torch.bmm(d_pre_STBH.flatten(1, 2), self._W_SHH).view(d_states_STBH.shape)
        if self._retention_SH is not None:
            later_SBH = d_last_SBK
            for t in range(d_states_STBH.shape[1] - 1, -1, -1):
                later_SBH = d_before_STBH[:, t].addcmul_(later_SBH, self._retention_SH.unsqueeze(1))
        return torch.cat([d_before_STBH, d_last_SBK.unsqueeze(1)], dim=1), d_pre_STBH

    def _input_gradients(self, d_pre_SNH: Tensor) -> tuple[Tensor, Tensor]:
        """The transpose of `project`: gradients of input weights and bias."""
        if self._inputs.is_floating_point():
            inputs_SND = self._inputs.flatten(1, 2)
            if serves(d_pre_SNH, self._W_SHH, inputs_SND):
                return sparse_gradients(inputs_SND, d_pre_SNH)
            return torch.bmm(inputs_SND.transpose(1, 2), d_pre_SNH), d_pre_SNH.sum(1)
        # A one-hot input selected a row; all members share one table, as in `project`.
        S, _, H = d_pre_SNH.shape
        first_row = torch.arange(S, device=d_pre_SNH.device).view(S, 1, 1) * self._width
        rows = (self._inputs + first_row).flatten()
        table = d_pre_SNH.new_zeros(S * self._width, H).index_add_(0, rows, d_pre_SNH.flatten(0, 1))
        return table.view(S, -1, H), d_pre_SNH.sum(1)
