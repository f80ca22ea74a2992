"""The workers of a flow run, started or connected to only when there is work for them."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import distributed
from dask.base import annotate
from distributed.client import ClosedClientError
from distributed.comm.core import CommClosedError
from prefect.futures import PrefectFuture

from infra.cluster.cluster_class import asked_class
from infra.cluster.clusters import check_cluster, connect, is_address
from infra.cluster.gpus import default_workers, gpu_count
from infra.cluster.preflight import check_reach
from infra.cluster.waiting import GPU, Resources, ask_workers, wait_for_worker, with_resources, workers_of
from infra.errors import ClusterError
from infra.settings import WORKER_TIMEOUT, CampaignRequest, IngestRequest
from infra.store import Store

LOOK_SECONDS = 10.0
REVIVE_SECONDS = 30.0  # doubled after each attempt, since a process can take long to start on a busy machine


@dataclass
class Workers:
    """The workers of a flow run. Starting them takes seconds, so the cluster is made at its first use.

    Attributes:
        store: that the workers write to; each worker must be able to see it.
        cluster: address of a scheduler, or a class of clusters, by name or in a file; None for this machine.
        count: of processes on this machine, or of workers of a class; None for the default.
        resources: that a worker must announce, and that each job has for itself; where nothing is asked for, one GPU if
            a worker announces GPUs as the cluster is first used.
        seconds: to wait for such a worker, at the start and whenever there is none.
        processes: that train each trial together; a job then has so many processes of its worker's machine.
    """

    store: Store
    cluster: str | None
    count: int | None
    resources: Resources = field(default_factory=dict)
    seconds: float = WORKER_TIMEOUT
    processes: int = 1
    _client: distributed.Client | None = field(default=None, init=False)
    _on_gpus: bool = field(default=False, init=False)

    @classmethod
    def for_request(cls, store: Store, request: CampaignRequest | IngestRequest) -> Self:
        """The workers of a request.

        Raises:
            ConfigurationError: there is no such class of clusters.
        """
        pairs = [text.rpartition("=") for text in request.resources]
        resources = {name: float(amount) for name, _, amount in pairs}
        check_cluster(request.cluster, resources)
        processes = request.processes_per_trial if isinstance(request, CampaignRequest) else 1
        count = request.workers
        if request.cluster is None and count is None and processes > 1:
            count = max(1, default_workers() // processes)
        return cls(store, request.cluster, count, resources, request.worker_timeout, processes)

    @property
    def client(self) -> distributed.Client:
        """The client of the cluster.

        Raises:
            ClusterError: there is no cluster, or no worker, or one of its workers cannot work for this flow run.
        """
        if self._client is None:
            client = connect(self.cluster, self.count, self.resources, self.seconds)
            with self.scheduler_watched():
                check_reach(client, self.store)
            if not self.resources and workers_of(client, GPU):
                self.resources = {name: amount * self.processes for name, amount in GPU.items()}
                wait_for_worker(client, self.resources, self.seconds, self._where, "start one with as many")
            self._client = client
        return self._client

    @contextmanager
    def resources_asked(self) -> Iterator[None]:
        """Tasks that are submitted in the block ask Dask for the resources of a job."""
        with annotate(resources=dict(self.resources)) if self.resources else nullcontext():
            yield

    @contextmanager
    def scheduler_watched(self) -> Iterator[None]:
        """Turn Dask's various errors for a lost scheduler into one line.

        Raises:
            ClusterError: the scheduler is gone.
        """
        try:
            yield
        except (CancelledError, CommClosedError, ClosedClientError) as error:
            raise ClusterError(
                f"the Dask scheduler on {self._where} is gone; start it and run again, it goes on"
            ) from error

    @property
    def size(self) -> int:
        """Number of worker processes: the planned one if it is known, even while some of them restart or are queued."""
        if self.cluster is None:
            return self.count or default_workers()
        return self._planned or max(1, len(workers_of(self.client, self.resources)))

    @cached_property
    def _planned(self) -> int | None:
        """The number of workers that a class of clusters is asked for, if that is known."""
        asked = None if self.cluster is None or is_address(self.cluster) else asked_class(self.cluster)
        return None if asked is None else asked.planned(self.count)

    @property
    def on_gpus(self) -> bool:
        """Whether every worker for trials has a GPU; while there is none, what was true before."""
        with self.scheduler_watched():
            workers = list(workers_of(self.client, self.resources))
            if workers and (counts := ask_workers(self.client, gpu_count, workers=workers)):
                self._on_gpus = all(counts.values())
        return self._on_gpus

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
            ClusterError: the scheduler is gone, or there has been no worker for `seconds`. The scheduler itself
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
                if workers_of(self.client, self.resources):
                    seen = revived = time.monotonic()
                    patience = REVIVE_SECONDS
                    continue
            if time.monotonic() - seen > self.seconds:
                raise ClusterError(
                    f"the Dask cluster on {self._where} lost its workers{with_resources(self.resources)}, and none "
                    f"came in {self.seconds:g} s; start some and run again, it goes on"
                )
            if time.monotonic() - revived > patience:
                self._revive()
                revived, patience = time.monotonic(), 2 * patience

    @property
    def _where(self) -> str:
        return self.cluster or "this machine"

    def _revive(self) -> None:
        """Restart the processes of this machine, since a nanny does not restart a process that dies while it starts.

        A cluster of a class is left alone: its workers may be in a queue, and would lose their places.
        """
        cluster = self.client.cluster
        if self.cluster is None and isinstance(cluster, distributed.LocalCluster):
            cluster.scale(0)  # type: ignore[no-untyped-call]
            cluster.scale(self.count or default_workers())  # type: ignore[no-untyped-call]
