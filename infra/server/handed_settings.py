"""Send Prefect's settings to the tasks of a flow run: serialised once, and parsed once in each worker.

Prefect itself serialises all its settings for every submitted task (20 ms), and the worker validates them for every
task (35 ms of a core that should train). They are the same for every task of a flow run.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from prefect.context import SettingsContext
from prefect.settings import Settings


class _Handed:
    """Serialised settings; a process that unpickles them gets `Settings`, parsed at most once in each process."""

    def __init__(self, written: bytes) -> None:
        self._written = written

    def __reduce__(self) -> tuple[Callable[[bytes], Settings], tuple[bytes]]:
        return _read, (self._written,)


@cache
def _read(written: bytes) -> Settings:
    return Settings.model_validate(pickle.loads(written))  # noqa: S301  # in a message of Dask, itself a pickle


class _Unchanging(SettingsContext):
    """A context of settings that do not change while it is entered."""

    handed: dict[str, Any]

    def serialize(self, include_secrets: bool = True) -> dict[str, Any]:
        """The settings that are sent with a task, secrets included, as Prefect asks for them."""
        return self.handed


@contextmanager
def settings_handed_once() -> Iterator[None]:
    """Serialise the settings now, for all tasks that are submitted in the block."""
    context = SettingsContext.get()
    if context is None:  # Prefect then sends no settings
        yield
        return
    serialised = context.serialize()
    handed = {**serialised, "settings": _Handed(pickle.dumps(serialised["settings"]))}
    with _Unchanging.model_construct(profile=context.profile, settings=context.settings, handed=handed):
        yield
