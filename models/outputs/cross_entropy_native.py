"""The native body of the cross-entropy: `cross_entropy.cpp`, on processors, for float32 and float64.

Called on raw pointers, so every tensor is made dense first. Threads: as many as torch may use. Results do not depend on
how many that is.

Shape letters: S stacked trials, N states, H hidden, D symbols.
"""

import ctypes
from functools import lru_cache
from itertools import chain

import torch
from torch import Tensor

from models.core import native_build
from models.core.native import SOURCE, SUFFIXES
from models.outputs.cross_entropy_reference import Gradients
from models.outputs.segments import Segments

_NO_MEMORY = 1


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | str:
    """The compiled library, or why there is none. Asked once a process."""
    kinds = (ctypes.c_void_p,) * 12 + (ctypes.c_int,)
    return native_build.library(SOURCE, tuple((f"cross_entropy_{suffix}", kinds) for suffix in SUFFIXES.values()))


def reason() -> str | None:
    """Why this body cannot be used here, in one line; None where it can. Compiles it at the first call."""
    library = _library()
    return library if isinstance(library, str) else None


def run(
    states_SNH: Tensor,
    weight_SHD: Tensor,
    bias_SD: Tensor,
    symbols_SN: Tensor,
    factor_SN: Tensor | None,
    segments: Segments,
    gradients: bool,
) -> tuple[Tensor, Gradients | None]:
    """Log-likelihoods and gradients, as in `cross_entropy_reference.py`.

    Raises:
        ValueError: a symbol is none of its segment's columns.
    """
    library = _library()
    if isinstance(library, str):
        raise RuntimeError(f"the native cross-entropy cannot be used: {library}")
    inputs = [x if x is None else x.contiguous() for x in (states_SNH, weight_SHD, bias_SD, symbols_SN, factor_SN)]
    values_SN = states_SNH.new_empty(states_SNH.shape[:2])
    leaves = (states_SNH, weight_SHD, bias_SD) if gradients else ()
    found = tuple(torch.empty_like(x, memory_format=torch.contiguous_format) for x in leaves)
    tensors = (*inputs, values_SN, *(found or (None,) * 3))
    sizes = (*states_SNH.shape, weight_SHD.shape[-1], len(segments.columns) - 1)
    failed = getattr(library, f"cross_entropy_{SUFFIXES[states_SNH.dtype]}")(
        *(None if x is None else x.data_ptr() for x in tensors),
        *(_integers(*numbers) for numbers in (sizes, tuple(chain(*segments.rows)), segments.columns)),
        torch.get_num_threads(),
    )
    if failed == _NO_MEMORY:
        raise MemoryError(f"cross_entropy: no memory for the workspaces of {sizes[1]} states and {sizes[3]} symbols")
    if failed:
        raise ValueError("symbols: one is none of those that its state chooses among")
    return values_SN, (found[0], found[1], found[2]) if gradients else None


def _integers(*numbers: int) -> "ctypes.Array[ctypes.c_int64]":
    return (ctypes.c_int64 * len(numbers))(*numbers)
