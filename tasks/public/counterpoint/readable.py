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
    """The readable objects of a folder, by key; each unreadable one gives a warning.

    Args:
        load: reads one object; returns None if there is none.
        store: where the objects are.
        folder: of the store.
        calls: number of functions of ours between this one and the user's code, to which the warning points.
    """
    found, reasons = readable(lambda key: load(store, key), stored_keys(store, folder))
    for line in passed_over(reasons):
        warnings.warn(line, stacklevel=2 + calls)
    return found
