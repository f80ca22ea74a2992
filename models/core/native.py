"""The native body of the leaky scan: `scan.cpp`, on processors, for float32 and float64.

Called on raw pointers, so every tensor is made dense first. Threads: as many as torch may use. Results do not
depend on how many that is. One thread a process is the best case; threads start and end with each call.

Shape letters: S stacked trials, T time, B batch, H hidden.
"""

import ctypes
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from models.core import native_build

if TYPE_CHECKING:
    from models.core.scan import Activation

SOURCE = Path(__file__).parents[1] / "native" / "chunk.cpp"
"""Of which `scan.cpp` and the compiled parts of other files are parts: all are compiled once, together."""
SUFFIXES = {torch.float32: "f32", torch.float64: "f64"}
_POINTERS = {"forward": 8, "backward": 10}
NUMBERS = {"tanh": 0, "sigmoid": 1, "relu": 2}
_WORK_OF_A_THREAD = 1 << 22
"""Operations below which starting a thread takes longer than the work."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | str:
    """The compiled library, or why there is none. Asked once a process."""
    kinds = {name: (ctypes.c_void_p,) * pointers + (ctypes.c_int,) * 2 for name, pointers in _POINTERS.items()}
    names = [(f"scan_{name}_{suffix}", kinds[name]) for name in kinds for suffix in SUFFIXES.values()]
    return native_build.library(SOURCE, tuple(names))


def reason() -> str | None:
    """Why this body cannot be used here, in one line; None where it can."""
    library = _library()
    return library if isinstance(library, str) else None


def available() -> bool:
    """Whether this body can be used here; compiles it at the first call."""
    return reason() is None


def forward(
    pre_STBH: Tensor, h0_SBH: Tensor, W_SHH: Tensor, retention_SH: Tensor | None, activation: "Activation"
) -> tuple[Tensor, Tensor | None]:
    """States h and, where units leak, phi beside them."""
    states_STBH = _like(pre_STBH)
    phi_STBH = None if retention_SH is None else torch.empty_like(states_STBH)
    _call("forward", activation, states_STBH, pre_STBH, h0_SBH, W_SHH, retention_SH, None, states_STBH, phi_STBH)
    return states_STBH, phi_STBH


def backward(
    d_states_STBH: Tensor,
    h0_SBH: Tensor,
    W_SHH: Tensor,
    retention_SH: Tensor | None,
    states_STBH: Tensor,
    phi_STBH: Tensor | None,
    activation: "Activation",
    weight: bool,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """d(pre), d(h0) and, if `weight`, dW, as in `reference.py`."""
    d_pre_STBH, d_h0_SBH = _like(states_STBH), _like(h0_SBH)
    d_W_SHH = _like(W_SHH) if weight else None
    phi = states_STBH if phi_STBH is None else phi_STBH
    inputs = (d_states_STBH, W_SHH, retention_SH, phi, h0_SBH, states_STBH)
    _call("backward", activation, d_pre_STBH, *inputs, d_pre_STBH, d_h0_SBH, d_W_SHH)
    return d_pre_STBH, d_h0_SBH, d_W_SHH


def tangent(
    pre_STBH: Tensor,
    h0_SBH: Tensor,
    W_SHH: Tensor,
    retention_SH: Tensor | None,
    phi_STBH: Tensor,
    activation: "Activation",
) -> Tensor:
    """The linear scan, as in `reference.py`."""
    tangent_STBH = _like(pre_STBH)
    _call("forward", activation, tangent_STBH, pre_STBH, h0_SBH, W_SHH, retention_SH, phi_STBH, tangent_STBH, None)
    return tangent_STBH


def _like(tensor: Tensor) -> Tensor:
    return torch.empty_like(tensor, memory_format=torch.contiguous_format)


def _call(name: str, activation: "Activation", shaped: Tensor, *tensors: Tensor | None) -> None:
    library = _library()
    if isinstance(library, str):
        raise RuntimeError(f"the native scan cannot be used: {library}")
    dense = [None if tensor is None else tensor.contiguous() for tensor in tensors]
    S, T, B, H = shaped.shape
    threads = min(torch.get_num_threads(), 1 + S * T * B * H * H // _WORK_OF_A_THREAD)
    failed = getattr(library, f"scan_{name}_{SUFFIXES[shaped.dtype]}")(
        *(None if tensor is None else tensor.data_ptr() for tensor in dense),
        (ctypes.c_int64 * 4)(S, T, B, H),
        NUMBERS[activation],
        threads,
    )
    if failed:
        raise MemoryError(f"leaky_scan: no memory for the workspaces of a scan of shape {(S, T, B, H)}")
