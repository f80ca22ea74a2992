"""The native body of NADE: `nade.cpp`, on processors, for float32 and float64, and what autograd sees of it.

Called on raw pointers, so every tensor is made dense first. Results do not depend on the number of threads. Backward
needs v - p of every note, which the forward pass leaves behind; the gradient in b is written over it, so that a second
way back through one graph computes it anew.

Shape letters: S stacked trials, N frames, D notes, U hidden units of NADE.
"""

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.core import native_build
from models.core.bodies import body_for
from models.core.native import SUFFIXES

SOURCE = Path(__file__).with_name("nade.cpp")
_POINTERS = {"forward": 9, "backward": 10}
_WORK_OF_A_THREAD = 1 << 22
"""Operations below which starting a thread takes longer than the work."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | str:
    """The compiled library, or why there is none. Asked once a process."""
    kinds = {name: (ctypes.c_void_p,) * pointers + (ctypes.c_int,) for name, pointers in _POINTERS.items()}
    names = [(f"nade_{name}_{suffix}", kinds[name]) for name in kinds for suffix in SUFFIXES.values()]
    return native_build.library(SOURCE, tuple(names))


def reason() -> str | None:
    """Why this body cannot be used here, in one line; None where it can."""
    library = _library()
    return library if isinstance(library, str) else None


def serves(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether this body is to be used: where the scan's native body is, which one setting forces, and it can be built.

    Raises:
        ValueError: that setting forces a body that cannot serve.
    """
    return body_for(device, dtype).name == "native" and reason() is None


def log_likelihood(
    b_SND: Tensor, c_SNU: Tensor, V_SDU: Tensor, W_SDU: Tensor, data_SND: Tensor, order: Sequence[int]
) -> Tensor:
    """Nats of every frame, shape (S, N), differentiable once in all but the data; arguments as in `nade_logits.py`."""
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
        d_c_SNU, d_V_SDU, d_W_SDU = torch.empty_like(c_SNU), torch.empty_like(V_SDU), torch.empty_like(W_SDU)
        tensors = (data_SND, d_b_SND, c_SNU, V_SDU, W_SDU)
        _call("backward", tensors, ctx.order, (d_c_SNU, d_V_SDU, d_W_SDU))
        return d_b_SND, d_c_SNU, d_V_SDU, d_W_SDU, None, None


def _forward(
    b_SND: Tensor, c_SNU: Tensor, V_SDU: Tensor, W_SDU: Tensor, data_SND: Tensor, order: Sequence[int], wanted: bool
) -> tuple[Tensor, Tensor | None]:
    """Log-likelihoods and, where it is wanted, v - p."""
    likelihood_SN = b_SND.new_empty(b_SND.shape[:2])
    error_SND = torch.empty_like(b_SND) if wanted else None
    _call("forward", (data_SND, b_SND, c_SNU, V_SDU, W_SDU), order, (likelihood_SN, error_SND))
    return likelihood_SN, error_SND


def _call(name: str, inputs: Sequence[Tensor], order: Sequence[int], results: Sequence[Tensor | None]) -> None:
    library = _library()
    if isinstance(library, str):
        raise RuntimeError(f"the native NADE cannot be used: {library}")
    (S, N, D), U = inputs[0].shape, inputs[-1].shape[-1]
    places = (ctypes.c_ssize_t * D)(*(order or range(D)))
    threads = min(torch.get_num_threads(), 1 + S * N * D * U // _WORK_OF_A_THREAD)
    failed = getattr(library, f"nade_{name}_{SUFFIXES[inputs[0].dtype]}")(
        *(tensor.data_ptr() for tensor in inputs),
        places,
        *(None if tensor is None else tensor.data_ptr() for tensor in results),
        (ctypes.c_int64 * 4)(S, N, D, U),
        threads,
    )
    if failed:
        raise MemoryError(f"nade: no memory for the workspaces of {(S, N, D)} notes and {U} units")
