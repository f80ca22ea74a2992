"""The workers of a flow run, started or connected to only when there is work for them."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import distributed
from distributed.client import ClosedClientError
from distributed.comm.core import CommClosedError
from prefect.futures import PrefectFuture

from infra.cluster.clusters import connect
from infra.cluster.gpus import default_workers, gpu_count
from infra.cluster.preflight import check_reach
from infra.errors import ClusterError
from infra.store import Store

NO_WORKERS_SECONDS = 300.0
LOOK_SECONDS = 10.0
REVIVE_SECONDS = 30.0  # doubled after each attempt, since a process can take long to start on a busy machine


@dataclass
class Crew:
    """The workers of a flow run. Starting them takes seconds, so the cluster is made at its first use.

    Attributes:
        store: that the workers write to; each worker must be able to see it.
        address: of a scheduler; None for this machine.
        workers: number of processes on this machine; None for one for each GPU, or without a GPU one for each core.
    """

    store: Store
    address: str | None
    workers: int | None
    _client: distributed.Client | None = field(default=None, init=False)

    @property
    def client(self) -> distributed.Client:
        """The client of the cluster.

        Raises:
            ClusterError: there is no cluster, or one of its workers cannot work for this flow run.
        """
        if self._client is None:
            client = connect(self.address, self.workers)
            with self.scheduler_watched():
                check_reach(client, self.store)
            self._client = client
        return self._client

    @contextmanager
    def scheduler_watched(self) -> Iterator[None]:
        """Turn Dask's various errors for a lost scheduler into one line.

        Raises:
            ClusterError: the scheduler is gone.
        """
        try:
            yield
        except (CancelledError, CommClosedError, ClosedClientError) as error:
            where = self.address or "this machine"
            raise ClusterError(f"the Dask scheduler on {where} is gone; start it and run again, it goes on") from error

    @property
    def size(self) -> int:
        """Number of worker processes; on this machine the planned number, even while some of them restart."""
        if self.address is None:
            return self.workers or default_workers()
        return max(1, self._present())

    @property
    def on_gpus(self) -> bool:
        """Whether every worker has a GPU."""
        with self.scheduler_watched():
            return all(self.client.run(gpu_count).values())

    def map(self, function: Callable[[Any], Any], values: Iterable[Any]) -> Iterator[Any]:
        """Like the builtin `map`, on the workers; results are in the order of the values.

        Raises:
            ClusterError: the cluster is gone, or this work keeps killing its workers.
        """
        with self.scheduler_watched():
            futures = self.client.map(function, list(values), pure=False)
        for future in futures:
            self._wait({future})
            try:
                with self.scheduler_watched():
                    result = future.result()
            except distributed.KilledWorker as error:
                raise ClusterError("a worker was killed again and again: out of memory, perhaps") from error
            yield result

    def gather(self, futures: Sequence[PrefectFuture[Any]]) -> list[Any]:
        """The result of each future, or the exception it ended with, in order.

        A result is stored on the worker that made it, and is lost with that worker. Results are therefore fetched as
        soon as they are ready. A lost result is computed again by Dask, and waited for again.

        Raises:
            ClusterError: the scheduler is gone, or there has been no worker for five minutes. The scheduler itself
                would wait for ever.
        """
        results: dict[int, Any] = {}
        while len(results) < len(futures):
            wrapped = {n: future.wrapped_future for n, future in enumerate(futures) if n not in results}  # type: ignore[attr-defined]
            done = self._wait(set(wrapped.values()))
            for number in [number for number, each in wrapped.items() if each in done]:
                started = time.monotonic()
                try:
                    results[number] = futures[number].result(timeout=LOOK_SECONDS)
                except Exception as error:  # the boundary: any exception of a task is its result
                    in_time = time.monotonic() - started < LOOK_SECONDS
                    if wrapped[number].done() and in_time:  # otherwise the result was lost, and is waited for again
                        results[number] = error
        return [results[number] for number in range(len(futures))]

    def _wait(self, waiting: set[Any]) -> set[Any]:
        """Wait until at least one of Dask's futures has ended; return those that have."""
        seen = revived = time.monotonic()
        patience = REVIVE_SECONDS
        while True:
            try:
                with self.scheduler_watched(), self.client.as_current():
                    return set(distributed.wait(waiting, LOOK_SECONDS, "FIRST_COMPLETED").done)  # type: ignore[no-untyped-call]
            except TimeoutError:
                if self._present():
                    seen = revived = time.monotonic()
                    patience = REVIVE_SECONDS
                    continue
            if time.monotonic() - seen > NO_WORKERS_SECONDS:
                where = self.address or "this machine"
                raise ClusterError(
                    f"the Dask cluster on {where} lost its workers; start some and run again, it goes on"
                )
            if time.monotonic() - revived > patience:
                self._revive()
                revived, patience = time.monotonic(), 2 * patience

    def _revive(self) -> None:
        """Restart the processes of this machine, since a nanny does not restart a process that dies while it starts."""
        cluster = self.client.cluster
        if isinstance(cluster, distributed.LocalCluster):
            cluster.scale(0)  # type: ignore[no-untyped-call]
            cluster.scale(self.workers or default_workers())  # type: ignore[no-untyped-call]

    def _present(self) -> int:
        return len(self.client.scheduler_info(n_workers=-1)["workers"])
