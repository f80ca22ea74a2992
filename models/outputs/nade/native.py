"""The native kernel of NADE: `nade.cpp`, on CPUs, for float32 and float64; an autograd Function, and Jacobian products.

The backward pass needs v - p of every note, which the forward pass stores. The gradient in b overwrites it, so that a
second backward pass through the same graph computes it again.

Shape letters: S stacked trials, N frames, D notes, U hidden units of NADE.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from models.core.scan.choice import kernel_for
from models.native.library import call, threads_for


def serves(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether this kernel is used: exactly if the scan's native kernel is, since one setting controls both.

    Raises:
        ValueError: the setting forces a kernel that cannot be used here.
    """
    return kernel_for(device, dtype).name == "native"


def log_likelihood(
    b_SND: Tensor, c_SNU: Tensor, V_SDU: Tensor, W_SDU: Tensor, data_SND: Tensor, order: Sequence[int]
) -> Tensor:
    """Log-likelihood of each frame in nats, (S, N), once differentiable, not in the data; arguments as in `rows.py`."""
    likelihood: Tensor = _Nade.apply(b_SND, c_SNU, V_SDU, W_SDU, data_SND, tuple(order))  # type: ignore[no-untyped-call]
    return likelihood


class _Nade(torch.autograd.Function):
    """(b, c, V, W) -> log-likelihoods."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        *tensors, ctx.order = inputs
        b_SND, c_SNU, V_SDU, W_SDU, data_SND = (tensor.contiguous() for tensor in tensors)
        ctx.save_for_backward(b_SND, c_SNU, V_SDU, W_SDU, data_SND)
        wanted = any(ctx.needs_input_grad)
        likelihood_SN, ctx.error = _forward(b_SND, c_SNU, V_SDU, W_SDU, data_SND, ctx.order, wanted)
        return likelihood_SN

    @staticmethod
    def backward(ctx: Any, d_likelihood_SN: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError("nade: differentiable once; this asks for a second derivative")
        b_SND, c_SNU, V_SDU, W_SDU, data_SND = ctx.saved_tensors
        error_SND, ctx.error = ctx.error, None
        if error_SND is None:
            _, error_SND = _forward(b_SND, c_SNU, V_SDU, W_SDU, data_SND, ctx.order, True)
        d_b_SND = error_SND.mul_(d_likelihood_SN.unsqueeze(-1))
        return d_b_SND, *_backward(data_SND, d_b_SND, c_SNU, V_SDU, W_SDU, ctx.order), None, None


class NativeUnits:
    """The hidden units' part of the logits, z - b, linearised in c, V and W; outside autograd.

    It keeps only its arguments; the hidden units are computed again for each product.

    Args:
        c_SNU, V_SDU, W_SDU, data_SND, order: as for `log_likelihood`.
    """

    def __init__(self, c_SNU: Tensor, V_SDU: Tensor, W_SDU: Tensor, data_SND: Tensor, order: Sequence[int]):
        self._data_SND = data_SND.contiguous()
        self._c_SNU, self._V_SDU, self._W_SDU = c_SNU.contiguous(), V_SDU.contiguous(), W_SDU.contiguous()
        self._order = order

    def logits(self) -> Tensor:
        """V_i . s, shape (S, N, D). It is linear in V, so it equals its tangent in the direction V."""
        return self.tangent(torch.zeros_like(self._c_SNU), self._V_SDU, torch.zeros_like(self._W_SDU))

    def tangent(self, c_SNU: Tensor, V_SDU: Tensor, W_SDU: Tensor) -> Tensor:
        """V'_i . s + V_i . (s (1 - s) a'), shape (S, N, D)."""
        moved_SND = torch.empty_like(self._data_SND)
        moved = (tensor.contiguous() for tensor in (c_SNU, V_SDU, W_SDU))
        point = self._c_SNU, self._V_SDU, self._W_SDU
        _call("tangent", (self._data_SND, *point, *moved), self._order, (moved_SND,))
        return moved_SND

    def gradient(self, d_SND: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The transposed product: gradients in c, V and W."""
        return _backward(self._data_SND, d_SND.contiguous(), self._c_SNU, self._V_SDU, self._W_SDU, self._order)


def _forward(
    b_SND: Tensor, c_SNU: Tensor, V_SDU: Tensor, W_SDU: Tensor, data_SND: Tensor, order: Sequence[int], wanted: bool
) -> tuple[Tensor, Tensor | None]:
    """Log-likelihoods and, if wanted, v - p."""
    likelihood_SN = b_SND.new_empty(b_SND.shape[:2])
    error_SND = torch.empty_like(b_SND) if wanted else None
    _call("forward", (data_SND, b_SND, c_SNU, V_SDU, W_SDU), order, (likelihood_SN, error_SND))
    return likelihood_SN, error_SND


def _backward(
    data_SND: Tensor, d_SND: Tensor, c_SNU: Tensor, V_SDU: Tensor, W_SDU: Tensor, order: Sequence[int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients in c, V and W, from the gradient in the logits."""
    gradients = torch.empty_like(c_SNU), torch.empty_like(V_SDU), torch.empty_like(W_SDU)
    _call("backward", (data_SND, d_SND, c_SNU, V_SDU, W_SDU), order, gradients)
    return gradients


def _call(name: str, inputs: Sequence[Tensor], order: Sequence[int], results: Sequence[Tensor | None]) -> None:
    (S, N, D), U = inputs[0].shape, inputs[-1].shape[-1]
    sizes = (S, N, D, U), threads_for(S * N * D * U)
    call(f"nade_{name}", inputs[0].dtype, *inputs, order or range(D), *results, *sizes)
