"""Many things of a store at a time; and what of them cannot be read here is told by name and passed over.

One commit that is damaged, of another version or of somebody's plug-in must not hide all the others. Where the store
itself cannot be used there is nothing to pass over: that error goes on.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from safetensors import SafetensorError

from infra.errors import IntegrityError, NotFoundError, StoreError

AT_A_TIME = 16
"""Requests under way at once, since a bucket is far away."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TOLD = 20
"""Most lines about what is passed over."""

T = TypeVar("T")
U = TypeVar("U")


def is_digest(name: str) -> bool:
    """Whether a name can be the key of a trial, or a digest of a corpus or of what it was made from."""
    return _DIGEST.fullmatch(name) is not None


def many(function: Callable[[T], U], values: Iterable[T]) -> Mapping[T, U]:
    """What a function gives for each of the values, many requests at a time."""
    values = list(values)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return dict(zip(values, pool.map(function, values), strict=True))


def readable(load: Callable[[str], U | None], keys: Iterable[str]) -> tuple[dict[str, U], dict[str, str]]:
    """What is there and can be read, by key, in the order of the keys; and by key why another one cannot.

    Args:
        load: reads one; None where there is none.
        keys: what is asked for.
    """
    found = many(lambda key: _tried(load, key), keys)
    reasons = {key: str(made) for key, made in found.items() if isinstance(made, StoreError)}
    there = {key: made for key, made in found.items() if made is not None and not isinstance(made, StoreError)}
    return there, reasons


def passed_over(reasons: Mapping[str, str]) -> list[str]:
    """A line for each that cannot be read, which names it; of very many the first."""
    lines = [f"passed over: {reason}" for reason in list(reasons.values())[:_TOLD]]
    return lines if len(reasons) <= _TOLD else [*lines, f"passed over: {len(reasons) - _TOLD} more"]


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Name what is read in this block: what its bytes do not mean here is an error of that one thing.

    Raises:
        IntegrityError: a field is missing, unknown or out of range; or a technique or the like is not installed.
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
