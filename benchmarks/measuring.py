"""What benchmarks of compiled code share: a worker's environment, and the limit of the core at hand."""

import ctypes
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from infra.cluster.clusters import WORKER_ENVIRONMENT
from models.native.build import BuildError, load

FMA_ROUNDS = 400_000


def as_a_worker() -> None:
    """Begin this program again in a worker's environment, which libraries read as they are loaded."""
    if any(os.environ.get(name) != value for name, value in WORKER_ENVIRONMENT.items()):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | WORKER_ENVIRONMENT)  # noqa: S606


def bare_loop() -> Callable[[], float] | None:
    """Runs multiply-adds in registers for some milliseconds and gives their number; None, said, without a compiler."""
    try:
        library = load(Path(__file__).with_name("fma.cpp"))
    except BuildError as error:
        print(f"no bare loop: {error}")
        return None
    library.fma_f32.argtypes, library.fma_f32.restype = [ctypes.c_int64], ctypes.c_int64
    return lambda: float(library.fma_f32(FMA_ROUNDS))


def speed(operations: Callable[[], float]) -> float:
    """Operations a second of the processor, the best of three tries."""
    found = []
    for _ in range(3):
        began = time.process_time()
        done = operations()
        found.append(done / (time.process_time() - began))
    return max(found)
