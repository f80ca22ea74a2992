"""An affine map of sparse vectors on CPUs, whose cost is proportional to their non-zero values (`sparse.cpp`).

    out_n = b + x_n W,      dW = sum over n of x_n^T d_out_n,      db = sum over n of d_out_n

A frame of music has some four notes of 88. The projection of a core's inputs is then a sum of a few rows of W instead
of a full matrix product. It differs from that product only by rounding, and, like a gather, it ignores non-finite
values in a row of W whose input is zero.

Second derivatives, and derivatives by `torch.func`, are computed by plain torch.

Shape letters: S stacked trials, N vectors, D inputs, G outputs.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from models.core.scan.choice import kernel_for
from models.core.scan.operation import with_signature
from models.native.library import call


def serves(weight: Tensor, bias: Tensor, inputs: Tensor) -> bool:
    """Whether `sparse_affine` can be used: the native kernel is in use, types agree, inputs need no derivative."""
    alike = weight.dtype == bias.dtype == inputs.dtype
    if not alike or inputs.requires_grad or forward_ad.unpack_dual(inputs).tangent is not None:  # type: ignore[no-untyped-call]
        return False
    return kernel_for(inputs.device, inputs.dtype).name == "native"


def sparse_affine(weight_SDG: Tensor, bias_SG: Tensor, inputs_SND: Tensor) -> Tensor:
    """b + x W of every vector, shape (S, N, G), differentiable in W and b.

    Args:
        weight_SDG: W of each member.
        bias_SG: b.
        inputs_SND: x, without gradients; the cost of a vector is its number of non-zero values.

    >>> sparse_affine(torch.eye(3)[None], torch.ones(1, 3), torch.tensor([[[0.0, 2, 0]]]))
    tensor([[[1., 3., 1.]]])
    """
    out_SNG: Tensor = _Affine.apply(weight_SDG, bias_SG, inputs_SND)  # type: ignore[no-untyped-call]
    return out_SNG


def sparse_gradients(inputs_SND: Tensor, d_out_SNG: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients dW and db of the map, outside of autograd; only if `serves` is true."""
    S, _, G = d_out_SNG.shape
    d_weight_SDG, d_bias_SG = d_out_SNG.new_empty(S, inputs_SND.shape[-1], G), d_out_SNG.new_empty(S, G)
    _call("backward", inputs_SND, d_out_SNG, d_weight_SDG, d_bias_SG)
    return d_weight_SDG, d_bias_SG


class _Affine(torch.autograd.Function):
    @staticmethod
    @with_signature
    def forward(weight_SDG: Tensor, bias_SG: Tensor, inputs_SND: Tensor) -> Tensor:
        S, N, D = inputs_SND.shape
        out_SNG = weight_SDG.new_empty(S, N, weight_SDG.shape[-1])
        _call("forward", inputs_SND, weight_SDG, bias_SG, out_SNG)
        return out_SNG

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[2])
        ctx.save_for_forward(inputs[2])

    @staticmethod
    def backward(ctx: Any, d_out_SNG: Tensor) -> tuple[Tensor, Tensor, None]:
        (inputs_SND,) = ctx.saved_tensors
        if torch.is_grad_enabled() or forward_ad.unpack_dual(d_out_SNG).tangent is not None:  # type: ignore[no-untyped-call]
            return inputs_SND.transpose(1, 2) @ d_out_SNG, d_out_SNG.sum(1), None
        return *sparse_gradients(inputs_SND, d_out_SNG), None

    @staticmethod
    def jvp(ctx: Any, weight_SDG: Tensor | None, bias_SG: Tensor | None, _inputs: None) -> Tensor:
        (inputs_SND,) = ctx.saved_tensors
        moved = inputs_SND.new_zeros(()) if bias_SG is None else bias_SG.unsqueeze(1)
        return moved if weight_SDG is None else inputs_SND @ weight_SDG + moved


def _call(name: str, *tensors: Tensor) -> None:
    dense = [tensor.contiguous() for tensor in tensors]
    S, N, D = tensors[0].shape
    for members in zip(*dense, strict=True) if S > 1 else [[tensor[0] for tensor in dense]]:
        call(f"sparse_{name}", tensors[0].dtype, *members, N, D, tensors[1].shape[-1])
