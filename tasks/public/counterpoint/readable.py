"""Read many objects of a store in Python: an object that cannot be read is skipped with a warning.

A damaged object, or one of a plug-in that is not installed, hides no other; each is named with the reason.
"""

import warnings
from collections.abc import Callable
from typing import TypeVar

from infra.store import Store
from tasks.telling.readable import passed_over, readable
from tasks.trials.records import stored_keys

T = TypeVar("T")


def load_all(load: Callable[[Store, str], T | None], store: Store, folder: str, calls: int = 1) -> dict[str, T]:
    """What of a folder can be read, by key; a warning about each that cannot.

    Args:
        load: reads one; None where there is none.
        store: where they are.
        folder: of the store.
        calls: how many functions of ours are between this one and who called us, whom the warning points to.
    """
    found, reasons = readable(lambda key: load(store, key), stored_keys(store, folder))
    for line in passed_over(reasons):
        warnings.warn(line, stacklevel=2 + calls)
    return found
