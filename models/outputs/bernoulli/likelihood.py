"""The log-likelihood of independent notes, with its derivative in the same pass: `bernoulli.cpp`, on CPUs.

    ll_n = sum_i v_i z_i - log(1 + e^{z_i}),        d ll_n / d z_i = v_i - sigmoid(z_i)

On other devices, and without compiled code, torch operations give the same up to rounding. Second derivatives always
use torch operations.

Shape letters: S stacked trials, T time, B batch, D notes.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.functional import softplus

from models.core.scan.choice import kernel_for
from models.core.scan.operation import with_signature
from models.native.library import call


def bernoulli_log_likelihood(logits: Tensor, data: Tensor) -> Tensor:
    """Log-probability of each frame, accurate for logits of any size.

    Args:
        logits: z, shape (S, T, B, D).
        data: v, zeros and ones of the same shape.

    Returns:
        Shape (S, T, B), nats.

    >>> bernoulli_log_likelihood(torch.zeros(1, 1, 1, 2), torch.ones(1, 1, 1, 2)).exp()
    tensor([[[0.2500]]])
    """
    if not _native(logits, data):
        return (data * logits - softplus(logits)).sum(-1)
    values_STB: Tensor = _Likelihood.apply(logits, data)[0]  # type: ignore[no-untyped-call]
    return values_STB


def _native(logits: Tensor, data: Tensor) -> bool:
    if logits.shape != data.shape or logits.dtype != data.dtype or data.requires_grad:
        return False
    return kernel_for(logits.device, logits.dtype).name == "native"


class _Likelihood(torch.autograd.Function):
    """(logits, data) -> (log-likelihood, its derivative in the logits), which is saved for the backward pass."""

    @staticmethod
    @with_signature
    def forward(logits: Tensor, data: Tensor) -> tuple[Tensor, Tensor]:
        logits, data = logits.contiguous(), data.contiguous()
        slope, values_STB = torch.empty_like(logits), logits.new_empty(logits.shape[:-1])
        sizes = values_STB.numel(), logits.shape[-1]
        call("bernoulli", logits.dtype, logits, data, slope, values_STB, *sizes)
        return values_STB, slope

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs, output[1])
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, d_values_STB: Tensor | None, _d_slope: None) -> tuple[Tensor | None, None]:
        if d_values_STB is None:
            return None, None
        logits, data, slope = ctx.saved_tensors
        if torch.is_grad_enabled() or forward_ad.unpack_dual(logits).tangent is not None:  # type: ignore[no-untyped-call]
            slope = data - torch.sigmoid(logits)  # part of the graph, for a second derivative
        return d_values_STB.unsqueeze(-1) * slope, None

    @staticmethod
    def jvp(ctx: Any, moved: Tensor, _data: None) -> tuple[Tensor, None]:
        logits, data = ctx.saved_tensors
        return (moved * (data - torch.sigmoid(logits))).sum(-1), None
