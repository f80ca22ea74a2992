"""The workers of a flow run, called together only when there is work for them."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import distributed
from dask.system import CPU_COUNT
from distributed.client import FuturesCancelledError
from distributed.comm.core import CommClosedError
from prefect.futures import PrefectFuture

from infra.clusters import connect
from infra.errors import ClusterError
from infra.reach import check_reach
from infra.store import Store

NO_WORKERS_SECONDS = 300.0
LOOK_SECONDS = 10.0


@dataclass
class Crew:
    """Where a flow run's work is done. Calling the workers together takes seconds, so it waits until it is needed.

    Attributes:
        store: that they work into; each of them must see it.
        address: of a scheduler, None for this machine.
        workers: processes on this machine, None for one a core.
    """

    store: Store
    address: str | None
    workers: int | None
    _client: distributed.Client | None = field(default=None, init=False)

    @property
    def client(self) -> distributed.Client:
        """The client of the cluster.

        Raises:
            ClusterError: there is none, or one of its workers cannot work for this flow run.
        """
        if self._client is None:
            client = connect(self.address, self.workers)
            check_reach(client, self.store)
            self._client = client
        return self._client

    @property
    def size(self) -> int:
        """How many processes work, as far as can be known without calling them together."""
        if self._client is None and self.address is None:
            return self.workers or CPU_COUNT
        return self._present()

    def map(self, function: Callable[[Any], Any], values: Iterable[Any]) -> Iterator[Any]:
        """Like the builtin `map`, on the workers; results come in the order of the values.

        Raises:
            ClusterError: the cluster is gone, or its workers are killed by this work.
        """
        futures = self.client.map(function, list(values), pure=False)
        for future in futures:
            self._wait({future})
            try:
                yield future.result()
            except distributed.KilledWorker as error:
                raise ClusterError("a worker was killed again and again: out of memory, perhaps") from error

    def wait(self, futures: Sequence[PrefectFuture[Any]]) -> None:
        """Wait for the end of all of them, well or not.

        Raises:
            ClusterError: the scheduler is gone, or for five minutes there has been no worker, for which the scheduler
                itself would wait for ever.
        """
        self._wait({future.wrapped_future for future in futures})  # type: ignore[attr-defined]  # Dask's, all of them

    def _wait(self, waiting: set[Any]) -> None:
        where = self.address or "this machine"
        seen = time.monotonic()
        while waiting:
            try:
                with self.client.as_current():
                    waiting = distributed.wait(waiting, LOOK_SECONDS, "FIRST_COMPLETED").not_done  # type: ignore[no-untyped-call]
            except TimeoutError:
                if self._present():
                    seen = time.monotonic()
                elif time.monotonic() - seen > NO_WORKERS_SECONDS:
                    raise ClusterError(
                        f"the Dask cluster on {where} lost its workers; start some and run again, it goes on"
                    ) from None
            except (FuturesCancelledError, CommClosedError) as error:
                raise ClusterError(
                    f"the Dask scheduler on {where} is gone; start it and run again, it goes on"
                ) from error
            else:
                seen = time.monotonic()

    def _present(self) -> int:
        return len(self.client.scheduler_info(n_workers=-1)["workers"])
