"""Repeat a compare-and-swap after conflicts: read, decide and swap again, until no other writer comes in between."""

import random
import time
from collections.abc import Callable

from infra.errors import ConflictError

# A swap is refused only if another one succeeded, so each failed try is a success of another writer.
TRIES = 20


def swap_in_turn(act: Callable[[], None], otherwise: str) -> None:
    """Call `act` again as long as it raises a ConflictError.

    Args:
        act: reads a pointer or a page, decides, and swaps it or leaves it unchanged.
        otherwise: message of the final error.

    Raises:
        ConflictError: after `TRIES` conflicts.
    """
    for attempt in range(TRIES):
        try:
            return act()
        except ConflictError:
            time.sleep(random.uniform(0, 0.01 * (attempt + 1)))  # noqa: S311  # only to desynchronise writers
    raise ConflictError(otherwise)
