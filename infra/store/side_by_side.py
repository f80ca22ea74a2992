"""Calls side by side, in threads that stay: to start some for each commit takes longer than a commit's files do."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import TypeVar

AT_A_TIME = 8

T = TypeVar("T")
U = TypeVar("U")


def side_by_side(function: Callable[[T], U], values: Sequence[T]) -> list[U]:
    """The results of a function for each value, in order; one value alone needs no thread.

    All calls have ended when it returns, or raises the first error. The function must not call this one.
    """
    if not values:
        return []
    begun = [_threads(os.getpid()).submit(function, value) for value in values[1:]]
    try:
        first = function(values[0])
    finally:
        wait(begun)
    return [first, *(each.result() for each in begun)]


@lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:
    """The threads of this process; a fork has none of its parent's."""
    return ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="store")
