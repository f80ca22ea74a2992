"""Compare-and-swap until it is one's turn: what reads, decides and swaps is done again where another came between."""

import random
import time
from collections.abc import Callable

from infra.errors import ConflictError

# A swap is refused only when somebody else's has been done, so the tries are turns of others.
TRIES = 20


def swap_in_turn(act: Callable[[], None], otherwise: str) -> None:
    """Do it, again as long as it raises a ConflictError.

    Args:
        act: reads a pointer or a page, decides, and swaps it, or leaves it as it is.
        otherwise: what is told where that never came to an end.

    Raises:
        ConflictError: after `TRIES` of them.
    """
    for attempt in range(TRIES):
        try:
            return act()
        except ConflictError:
            time.sleep(random.uniform(0, 0.01 * (attempt + 1)))  # noqa: S311  # only to get out of step
    raise ConflictError(otherwise)
