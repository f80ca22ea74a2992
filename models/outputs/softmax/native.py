"""The native kernel of the cross-entropy: `cross_entropy.cpp`, on CPUs, for float32 and float64.

Shape letters: S stacked trials, N states, H hidden, D symbols.
"""

from itertools import chain

import torch
from torch import Tensor

from models.native.library import call
from models.outputs.softmax.reference import Gradients
from models.outputs.softmax.segments import Segments


def run(
    states_SNH: Tensor,
    weight_SHD: Tensor,
    bias_SD: Tensor,
    symbols_SN: Tensor,
    factor_SN: Tensor | None,
    segments: Segments,
    gradients: bool,
) -> tuple[Tensor, Gradients | None]:
    """Log-likelihoods and gradients, as in `reference.py`.

    Raises:
        ValueError: a symbol is not in its segment's columns.
    """
    values_SN = states_SNH.new_empty(states_SNH.shape[:2])
    leaves = (states_SNH, weight_SHD, bias_SD) if gradients else ()
    found = tuple(torch.empty_like(x, memory_format=torch.contiguous_format) for x in leaves)
    tensors = (states_SNH, weight_SHD, bias_SD, symbols_SN, factor_SN, values_SN, *(found or (None,) * 3))
    sizes = (*states_SNH.shape, weight_SHD.shape[-1], len(segments.columns) - 1)
    rows = tuple(chain(*segments.rows))
    if call("cross_entropy", states_SNH.dtype, *tensors, sizes, rows, segments.columns, torch.get_num_threads()):
        raise ValueError("symbols: one is none of those that its state chooses among")
    return values_SN, (found[0], found[1], found[2]) if gradients else None
