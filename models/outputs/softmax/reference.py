"""The reference kernel of the cross-entropy: one block of states at a time, in plain torch, on any device.

For each block there is one product for the logits, then the exponentials in place while they are in cache, then one
product for each of the three gradients. A state's gradient in its logits is stored as e^z for other symbols, and as
minus their sum for its own symbol, so that 1 - p is accurate also for p close to 1.

On a CPU the members of a stack are computed in turn, on copies, since a product rounds differently for other numbers of
members and other memory alignments. On other devices the members of a full softmax are computed together, and agree
with a single trial up to rounding.

Shape letters: S stacked trials, N states, n those of a block, H hidden, D symbols.
"""

from itertools import pairwise
from math import ceil

import torch
from torch import Tensor

from models.outputs.softmax.segments import Segments

Gradients = tuple[Tensor, Tensor, Tensor]
_BLOCK = {"cpu": 1 << 22}
_BLOCK_ELSEWHERE = 1 << 26
"""Number of logits in a block. Smaller blocks would fit in a nearer cache, but products of few rows are slower."""


def run(
    states_SNH: Tensor,
    weight_SHD: Tensor,
    bias_SD: Tensor,
    symbols_SN: Tensor,
    factor_SN: Tensor | None,
    segments: Segments,
    gradients: bool,
) -> tuple[Tensor, Gradients | None]:
    """Log-likelihood of each state's symbol and, if asked for, the gradients of their weighted sum.

    Args:
        states_SNH, weight_SHD, bias_SD: z = b + h W are the logits.
        symbols_SN: the true symbols, each a column of the state's segment.
        factor_SN: weight of each state's log-likelihood in the sum; None for 1.
        segments: which states choose among which columns.
        gradients: whether to compute the gradients.

    Returns:
        The log-likelihoods (S, N), and the gradients in states, weight and bias.
    """
    S, N, _ = states_SNH.shape
    if S > 1 and (states_SNH.device.type == "cpu" or not segments.is_whole):
        return _in_turns((states_SNH, weight_SHD, bias_SD, symbols_SN), factor_SN, segments, gradients)
    values_SN = states_SNH.new_empty(S, N)
    d_states = torch.empty_like(states_SNH, memory_format=torch.contiguous_format)
    d_weight, d_bias = (torch.zeros_like(x, memory_format=torch.contiguous_format) for x in (weight_SHD, bias_SD))
    for (start, end), (first, last) in zip(pairwise(segments.rows[0]), pairwise(segments.columns), strict=True):
        most = max(1, _BLOCK.get(states_SNH.device.type, _BLOCK_ELSEWHERE) // (S * (last - first)))
        block = ceil((end - start) / ceil((end - start) / most)) if start < end else 1
        weight, bias = weight_SHD[..., first:last], bias_SD[:, first:last]
        memory = states_SNH.new_empty(S * min(block, end - start) * (last - first))
        for row in range(start, end, block):
            rows = slice(row, min(row + block, end))
            states = states_SNH[:, rows]
            z_SnD = memory[: S * states.shape[1] * (last - first)].view(S, states.shape[1], last - first)
            torch.baddbmm(bias.unsqueeze(1), states, weight, out=z_SnD)
            values_SN[:, rows], total_Sn1 = _exponentials(z_SnD, symbols_SN[:, rows, None] - first)
            if gradients:
                factor_Sn1 = (1 if factor_SN is None else factor_SN[:, rows, None]) / -total_Sn1
                d_states[:, rows] = (z_SnD @ weight.transpose(1, 2)).mul_(factor_Sn1)
                d_weight[..., first:last].baddbmm_((states * factor_Sn1).transpose(1, 2), z_SnD)
                d_bias[:, first:last] += (factor_Sn1.transpose(1, 2) @ z_SnD).squeeze(1)
    return values_SN, (d_states, d_weight, d_bias) if gradients else None


def _in_turns(
    tensors: tuple[Tensor, Tensor, Tensor, Tensor], factor_SN: Tensor | None, segments: Segments, gradients: bool
) -> tuple[Tensor, Gradients | None]:
    values, found = [], []
    for s in range(len(tensors[0])):
        states, weight, bias, symbols = (tensor[s : s + 1].clone() for tensor in tensors)
        factor = None if factor_SN is None else factor_SN[s : s + 1].clone()
        value, gradient = run(states, weight, bias, symbols, factor, segments.member(s), gradients)
        values.append(value)
        if gradient is not None:
            found.append(gradient)
    if not gradients:
        return torch.cat(values), None
    d_states, d_weight, d_bias = (torch.cat(parts) for parts in zip(*found, strict=True))
    return torch.cat(values), (d_states, d_weight, d_bias)


def _exponentials(z_SnD: Tensor, symbols_Sn1: Tensor) -> tuple[Tensor, Tensor]:
    """Log-likelihoods, and sums of e^{z - max}; logits become e^{z - max}, a true symbol's minus the others' sum."""
    largest_Sn1 = z_SnD.amax(-1, keepdim=True)
    chosen_Sn1 = z_SnD.gather(-1, symbols_Sn1) - largest_Sn1
    z_SnD.sub_(largest_Sn1).exp_().scatter_(-1, symbols_Sn1, 0)
    others_Sn1 = z_SnD.sum(-1, keepdim=True)
    total_Sn1 = others_Sn1 + chosen_Sn1.exp()
    # log1p is accurate for a symbol with probability close to 1
    log_total_Sn1 = torch.where(chosen_Sn1 == 0, others_Sn1.log1p(), total_Sn1.log())
    z_SnD.scatter_(-1, symbols_Sn1, -others_Sn1)
    return (chosen_Sn1 - log_total_Sn1).squeeze(-1), total_Sn1
