"""The library of all compiled code, and the only function that calls it.

All sources are included by `chunk.cpp`, and are compiled together at first use. A function gets raw pointers, so every
tensor is made contiguous first. The number of threads does not change the results by a bit. Threads start and end with
each call, so one thread for each process is the most efficient.
"""

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from models.native.build import BuildError, load

SOURCE = Path(__file__).with_name("chunk.cpp")
SUFFIXES = {torch.float32: "f32", torch.float64: "f64"}
"""Suffix of a function's name for each number type that it is compiled for."""
Argument = Tensor | Sequence[int] | int | ctypes.Structure | None
_NO_MEMORY = 1
_WORK_OF_A_THREAD = 1 << 22
"""Operations below which starting a thread takes longer than the work."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | str:
    """The compiled library, or the reason why there is none; cached for the process."""
    try:
        return load(SOURCE)
    except BuildError as error:
        return str(error)


def reason() -> str | None:
    """The reason why compiled code cannot be used here, in one line, or None. The first call compiles the code."""
    library = _library()
    return library if isinstance(library, str) else None


def threads_for(work: int) -> int:
    """The number of threads worth starting for so many operations, at most torch's own number."""
    return min(torch.get_num_threads(), 1 + work // _WORK_OF_A_THREAD)


def call(name: str, dtype: torch.dtype, *arguments: Argument) -> int:
    """Call a compiled function.

    Args:
        name: of the function, without the suffix of the type.
        dtype: float32 or float64; all floating-point tensors among the arguments have this type.
        arguments: in the function's order. A tensor or a structure is passed as a pointer, None as a null pointer, a
            sequence of integers as a pointer to int64, an integer as an int64. A tensor that is written to must be
            contiguous.

    Returns:
        0, or an error code of the function other than 1.

    Raises:
        RuntimeError: there is no compiled code here.
        MemoryError: the function could not allocate its workspace (error code 1).
    """
    library = _library()
    if isinstance(library, str):
        raise RuntimeError(f"compiled code cannot be used: {library}")
    # Kept alive during the call: tensors that are not contiguous are copied.
    held = [argument.contiguous() if isinstance(argument, Tensor) else argument for argument in arguments]
    failed: int = getattr(library, f"{name}_{SUFFIXES[dtype]}")(*map(_passed, held))
    if failed == _NO_MEMORY:
        raise MemoryError(f"{name}: no memory for its workspaces")
    return failed


def _passed(argument: Argument) -> object:
    if isinstance(argument, Tensor):
        return ctypes.c_void_p(argument.data_ptr())
    if isinstance(argument, ctypes.Structure):
        return ctypes.byref(argument)
    if isinstance(argument, int):
        return ctypes.c_int64(argument)
    return None if argument is None else (ctypes.c_int64 * len(argument))(*argument)
