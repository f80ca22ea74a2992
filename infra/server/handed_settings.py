"""Prefect's settings on their way to the tasks of a flow run, written out once and read once a worker.

With each task that is submitted Prefect writes out all its settings, 20 ms, and the worker validates them all, 35 ms of
a core that should train. They are the same for every task of a flow run.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from prefect.context import SettingsContext
from prefect.settings import Settings


class _Handed:
    """Settings as they were written out, which a process that unpickles them makes into `Settings` once."""

    def __init__(self, written: bytes) -> None:
        self._written = written

    def __reduce__(self) -> tuple[Callable[[bytes], Settings], tuple[bytes]]:
        return _read, (self._written,)


@cache
def _read(written: bytes) -> Settings:
    return Settings.model_validate(pickle.loads(written))  # noqa: S301  # in a message of Dask, which is a pickle itself


class _Unchanging(SettingsContext):
    """The context of settings that do not change while it is entered."""

    handed: dict[str, Any]

    def serialize(self, include_secrets: bool = True) -> dict[str, Any]:
        """What goes along with a task; with the secrets, as Prefect asks for them."""
        return self.handed


@contextmanager
def settings_handed_once() -> Iterator[None]:
    """Write the settings out now, for all tasks that are submitted in the block."""
    context = SettingsContext.get()
    if context is None:  # Prefect sends none then
        yield
        return
    told = context.serialize()
    handed = {**told, "settings": _Handed(pickle.dumps(told["settings"]))}
    with _Unchanging.model_construct(profile=context.profile, settings=context.settings, handed=handed):
        yield
