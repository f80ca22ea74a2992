"""The log-likelihood of a softmax without its full matrix of logits, with a hand-written backward pass.

    ll_n = z_nw - log sum_v e^{z_nv},   z = b + h W

With a large vocabulary this is nearly all of a training step, and apart from the three matrix products most of its time
is spent on writing and reading logits. So states are processed in blocks whose logits stay in cache; the full matrix
never exists. On a CPU the gradients are computed in the same pass, for weights of 1. If the incoming gradient is the
same number for all states of a member, as it is for a sum, they are multiplied by it, which is exact. Otherwise, and on
other devices, the backward pass computes the logits again.

This file has the autograd Function. The loops are in its kernels: `native.py` if the scan's kernel is native
(`models/core/scan/choice.py`), otherwise `reference.py`. They agree up to rounding.

Shape letters: S stacked trials, N states, H hidden, D symbols.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.core.scan.choice import kernel_for
from models.outputs.softmax import native, reference
from models.outputs.softmax.reference import Gradients
from models.outputs.softmax.segments import Segments

_Kernel = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor | None, Segments, bool], tuple[Tensor, Gradients | None]]


def symbol_log_likelihood(
    states_SNH: Tensor,
    weight_SHD: Tensor,
    bias_SD: Tensor,
    symbols_SN: Tensor,
    segments: Segments | None = None,
) -> Tensor:
    """Logarithm of the probability of each state's symbol, among the symbols of its segment.

    Args:
        states_SNH: h.
        weight_SHD, bias_SD: W and b.
        symbols_SN: the true symbols, integers.
        segments: which states choose among which symbols; None if every state chooses among all of them.

    Returns:
        (S, N), nats, accurate for logits of any size; differentiable once in states, weight and bias, backward only.

    Raises:
        ValueError: the symbols are not integers, shapes or types do not match, or, on a CPU, a symbol is not in the
            segment of its state.
        RuntimeError: a tangent or a second derivative is requested.

    >>> zeros = torch.zeros(1, 2, 3), torch.zeros(1, 3, 8), torch.zeros(1, 8)
    >>> symbol_log_likelihood(*zeros, torch.tensor([[0, 7]])).exp()
    tensor([[0.1250, 0.1250]])
    """
    _check(states_SNH, weight_SHD, bias_SD, symbols_SN)
    if segments is None:
        S, N, _ = states_SNH.shape
        segments = Segments.whole(S, N, weight_SHD.shape[-1])
    leaves = states_SNH, weight_SHD, bias_SD
    on_processor = states_SNH.device.type == "cpu"
    wanted = on_processor and torch.is_grad_enabled() and any(leaf.requires_grad for leaf in leaves)
    kernel = _kernel_for(states_SNH)
    values_SN: Tensor = _CrossEntropy.apply(*leaves, symbols_SN, segments, kernel, wanted)  # type: ignore[no-untyped-call]
    return values_SN


def _kernel_for(states_SNH: Tensor) -> _Kernel:
    chosen = kernel_for(states_SNH.device, states_SNH.dtype, states_SNH.shape[-1])
    return native.run if chosen.name == "native" else reference.run


def check_symbols(symbols: Tensor, vocabulary: int) -> None:
    """Check that symbols belong to a vocabulary of that size.

    Raises:
        ValueError: the symbols are not integers or, on a CPU, out of range. On a GPU the range is not checked, which
            would wait for the device; torch's own gather fails there.
    """
    if symbols.is_floating_point():
        raise ValueError(f"symbols: wants integers, as a text has, got {symbols.dtype}: notes have no vocabulary")
    if symbols.device.type == "cpu" and symbols.numel():
        numbers = symbols.numpy()
        least, most = int(numbers.min()), int(numbers.max())
        if not 0 <= least <= most < vocabulary:
            raise ValueError(f"symbols: wants numbers from 0 to {vocabulary - 1}, got {least} to {most}")


def _check(states_SNH: Tensor, weight_SHD: Tensor, bias_SD: Tensor, symbols_SN: Tensor) -> None:
    check_symbols(symbols_SN, bias_SD.shape[-1])
    if states_SNH.dim() != 3 or not states_SNH.shape[-1]:
        raise ValueError(f"states: wants shape (S, N, H), got {tuple(states_SNH.shape)}")
    (S, N, H), D = states_SNH.shape, bias_SD.shape[-1]
    wanted = {"weight": (weight_SHD, (S, H, D)), "bias": (bias_SD, (S, D)), "symbols": (symbols_SN, (S, N))}
    for name, (tensor, shape) in wanted.items():
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{name}: wants shape {shape} to go with states, got {tuple(tensor.shape)}")
        if name != "symbols" and tensor.dtype != states_SNH.dtype:
            raise ValueError(f"{name}: wants {states_SNH.dtype} like states, got {tensor.dtype}")


class _CrossEntropy(torch.autograd.Function):
    """(states, weight, bias) -> log-likelihoods; keeps gradients for weights of 1, which the backward pass scales."""

    @staticmethod
    def forward(
        ctx: Any,
        states_SNH: Tensor,
        weight_SHD: Tensor,
        bias_SD: Tensor,
        symbols_SN: Tensor,
        segments: Segments,
        kernel: _Kernel,
        wanted: bool,
    ) -> Tensor:
        values_SN, ctx.gradients = kernel(states_SNH, weight_SHD, bias_SD, symbols_SN.long(), None, segments, wanted)
        ctx.save_for_backward(states_SNH, weight_SHD, bias_SD, symbols_SN.long())
        ctx.segments, ctx.kernel = segments, kernel
        return values_SN

    @staticmethod
    def backward(ctx: Any, d_values_SN: Tensor) -> tuple[Tensor | None, ...]:
        ready, ctx.gradients = ctx.gradients, None  # used once, since they are changed in place
        gradients = _Gradient.apply(d_values_SN, *ctx.saved_tensors, ctx.segments, ctx.kernel, ready)  # type: ignore[no-untyped-call]
        return *gradients, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        raise RuntimeError("symbol_log_likelihood: has no tangent; differentiate it backward")


class _Gradient(torch.autograd.Function):
    """The gradients, as a Function of their own, which refuses a second derivative."""

    @staticmethod
    def forward(
        ctx: Any,
        d_values_SN: Tensor,
        states_SNH: Tensor,
        weight_SHD: Tensor,
        bias_SD: Tensor,
        symbols_SN: Tensor,
        segments: Segments,
        kernel: _Kernel,
        ready: Gradients | None,
    ) -> Gradients | None:
        one_S = None if ready is None else _one_number(d_values_SN)
        if ready is None or one_S is None:
            return kernel(states_SNH, weight_SHD, bias_SD, symbols_SN, d_values_SN, segments, True)[1]
        for gradient in ready:
            gradient.mul_(one_S.view(-1, *[1] * (gradient.dim() - 1)))
        return ready

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise RuntimeError("symbol_log_likelihood: differentiable once; this asks for a second derivative")

    jvp = backward


def _one_number(values_SN: Tensor) -> Tensor | None:
    """The common value of each member, (S,); None if a member's values differ. For tensors on a CPU."""
    numbers_SN = values_SN.detach().double().numpy()
    return values_SN[:, 0] if numbers_SN.size and (numbers_SN == numbers_SN[:, :1]).all() else None
