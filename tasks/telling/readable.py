"""Read many objects of a store in parallel; unreadable ones are reported by name and skipped.

A commit that is damaged, of another version, or of a missing plug-in must not hide all the others. An error of the
store itself is not skipped, but raised.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

from safetensors import SafetensorError

from infra.errors import IntegrityError, NotFoundError, StoreError

AT_A_TIME = 16
"""Number of parallel requests, since a bucket may be far away."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TOLD = 20
"""Most lines about skipped objects."""

T = TypeVar("T")
U = TypeVar("U")


def is_digest(name: str) -> bool:
    """Whether a name has the form of a sha256: a trial's key, or the digest of a corpus or of its source."""
    return _DIGEST.fullmatch(name) is not None


def many(function: Callable[[T], U], values: Iterable[T]) -> dict[T, U]:
    """The results of a function for each value, computed in parallel threads.

    Each thread takes the next value when it is done with one: a future for each would cost as much as a file.
    """
    values = list(values)
    todo, results, failed = iter(values), dict[T, U](), Event()

    def take() -> None:
        for value in todo:  # a list's iterator, which threads may share
            if failed.is_set():
                return
            try:
                results[value] = function(value)
            except BaseException:
                failed.set()
                raise

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for thread in [pool.submit(take) for _ in values[:AT_A_TIME]]:
            thread.result()
    return {value: results[value] for value in values}


def readable(load: Callable[[str], U | None], keys: Iterable[str]) -> tuple[dict[str, U], dict[str, str]]:
    """The readable objects by key, in the order of the keys; and the reasons for unreadable ones, by key.

    Args:
        load: reads the object of a key; None if it does not exist.
        keys: of the objects.
    """
    found = many(lambda key: _tried(load, key), keys)
    reasons = {key: str(made) for key, made in found.items() if isinstance(made, StoreError)}
    there = {key: made for key, made in found.items() if made is not None and not isinstance(made, StoreError)}
    return there, reasons


def passed_over(reasons: Mapping[str, str]) -> list[str]:
    """A line for each unreadable object, at most `_TOLD` and one with the number of the others."""
    lines = [f"passed over: {reason}" for reason in list(reasons.values())[:_TOLD]]
    return lines if len(reasons) <= _TOLD else [*lines, f"passed over: {len(reasons) - _TOLD} more"]


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Turn errors of interpreting an object's bytes in this block into an IntegrityError that names the object.

    Raises:
        IntegrityError: a field is missing, unknown or out of range; or a technique or another plug-in is not installed.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        line = f"{where} cannot be read here: {reason[:200]}; install what made it, or delete it and run again"
        raise IntegrityError(line) from error


def _tried(load: Callable[[str], U | None], key: str) -> U | StoreError | None:
    try:
        return load(key)
    except (IntegrityError, NotFoundError) as error:
        return error
