"""Ranks as threads of this process: they send by gloo as processes do, and cost nothing to start."""

import threading
from collections.abc import Callable
from typing import TypeVar

from torch import distributed

from models.training.updates.ranks import Ranks

Result = TypeVar("Result")
SECONDS = 30.0


def together(count: int, work: Callable[[Ranks], Result], seconds: float = SECONDS) -> list[Result]:
    """What the work returns on each rank; raises what it raised on the first one that failed."""
    store, done, failed = distributed.HashStore(), dict[int, Result](), dict[int, BaseException]()

    def rank(number: int) -> None:
        try:
            done[number] = work(Ranks.join(store, number, count, "cpu", seconds))
        except BaseException as error:  # it is raised in the thread of the test
            failed[number] = error

    threads = [threading.Thread(target=rank, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[min(failed)]
    return [done[number] for number in range(count)]
