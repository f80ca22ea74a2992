"""The workers of a flow run, called together only when there is work for them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import distributed
from dask.system import CPU_COUNT

from infra.clusters import connect


@dataclass
class Crew:
    """Where a flow run's work is done. Calling the workers together takes seconds, so it waits until it is needed.

    Attributes:
        address: of a scheduler, None for this machine.
        workers: processes on this machine, None for one a core.
    """

    address: str | None
    workers: int | None
    _client: distributed.Client | None = field(default=None, init=False)

    @property
    def client(self) -> distributed.Client:
        """The client of the cluster."""
        if self._client is None:
            self._client = connect(self.address, self.workers)
        return self._client

    @property
    def size(self) -> int:
        """How many processes work, as far as can be known without calling them together."""
        if self._client is None and self.address is None:
            return self.workers or CPU_COUNT
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    def map(self, function: Callable[[Any], Any], values: Iterable[Any]) -> Iterator[Any]:
        """Like the builtin `map`, on the workers; results come in the order of the values."""
        for future in self.client.map(function, list(values), pure=False):
            yield future.result()
