"""The library of all compiled code, and the one way to call it: tensors in, a number back.

All sources are parts of `chunk.cpp` and compiled together, at first use. A function is called on raw pointers, so every
tensor is made dense first. How many threads it may use changes no bit of what it computes; one thread a process is the
best case, and threads start and end with each call.
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
"""Of a function's name, for each type that it is compiled for."""
Argument = Tensor | Sequence[int] | int | ctypes.Structure | None
_NO_MEMORY = 1
_WORK_OF_A_THREAD = 1 << 22
"""Operations below which starting a thread takes longer than the work."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | str:
    """The compiled library, or why there is none. Asked once a process."""
    try:
        return load(SOURCE)
    except BuildError as error:
        return str(error)


def reason() -> str | None:
    """Why compiled code cannot be used here, in one line; None where it can. Compiles it at the first call."""
    library = _library()
    return library if isinstance(library, str) else None


def threads_for(work: int) -> int:
    """How many threads are worth that many operations, of those that torch may use."""
    return min(torch.get_num_threads(), 1 + work // _WORK_OF_A_THREAD)


def call(name: str, dtype: torch.dtype, *arguments: Argument) -> int:
    """Call a function.

    Args:
        name: of it, without the type.
        dtype: float32 or float64, of all tensors of floating-point numbers among the arguments.
        arguments: in its order. A tensor or a structure goes as a pointer, None as one to nothing, several integers as
            one to int64, an integer as an int64. A tensor that is written to has to be dense.

    Returns:
        0, or another number than 1 by which the function says what it was given.

    Raises:
        RuntimeError: there is no compiled code here.
        MemoryError: it found no memory for its workspaces.
    """
    library = _library()
    if isinstance(library, str):
        raise RuntimeError(f"compiled code cannot be used: {library}")
    # held while it runs: what is not dense is copied
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
