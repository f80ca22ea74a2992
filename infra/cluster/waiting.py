"""Wait for a worker that can take a flow's work, and for a stated time at most: Dask itself would wait for ever.

A worker can take the work if it announces the resources that are asked for, in Dask's words (`dask worker --resources
"GPU=1"`). A job that asks for one GPU of a worker that announces one is alone there, whatever the worker's threads.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import distributed
from distributed.comm.core import CommClosedError

from infra.cluster.progress import say
from infra.errors import ClusterError

Resources = Mapping[str, float]

GPU: Resources = {"GPU": 1.0}
"""What jobs ask for where a worker announces GPUs and the user asks for nothing."""

_LOOK_SECONDS = 0.2
_QUIET_SECONDS = 3.0


def workers_of(client: distributed.Client, asked: Resources) -> dict[str, Any]:
    """The workers that announce at least these resources, by address."""
    workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    return {
        address: worker
        for address, worker in workers.items()
        if all(worker["resources"].get(name, 0) >= amount for name, amount in asked.items())
    }


def some_work(client: distributed.Client, asked: Resources) -> "distributed.Future[bool]":
    """A small task, for an adaptive cluster to see work: else it stays at its least size, which may be no worker.

    As long as its future is kept, the cluster keeps a worker that has its result, also where nothing else is to do.
    """
    return client.submit(bool, pure=False, resources=dict(asked) or None)


def wait_for_worker(client: distributed.Client, asked: Resources, seconds: float, where: str, mend: str) -> None:
    """Wait until a worker can take the work.

    Args:
        client: of the cluster.
        asked: resources that a job asks for.
        seconds: to wait at most.
        where: name of the cluster in messages.
        mend: what to do if no worker comes.

    Raises:
        ClusterError: none came in this time.
    """
    started, told = time.monotonic(), False
    while not workers_of(client, asked):
        waited = time.monotonic() - started
        if waited >= seconds:
            raise ClusterError(_none_came(client, asked, seconds, where, mend))
        if waited >= _QUIET_SECONDS and not told:
            say(f"waiting for a worker of {where}{with_resources(asked)}, {seconds:g} s at most")
            told = True
        time.sleep(min(_LOOK_SECONDS, seconds - waited))


def ask_workers(
    client: distributed.Client, function: Callable[..., Any], *arguments: Any, workers: Sequence[str] | None = None
) -> dict[str, Any]:
    """What a function returns on each worker, by address; a worker that leaves meanwhile is left out.

    It is not run as a task, since tasks of another campaign may keep a worker busy for hours. What it raises on a
    worker is raised here.

    Args:
        client: of the cluster.
        function: to run.
        arguments: of the function.
        workers: addresses; None for all workers.
    """
    asked = None if workers is None else list(workers)
    found = client.run(function, *arguments, workers=asked, on_error="return")
    there = workers_of(client, {})
    for worker, result in found.items():
        gone = isinstance(result, CommClosedError) or (isinstance(result, OSError) and worker not in there)
        if isinstance(result, Exception) and not gone:
            raise result
    return {worker: result for worker, result in found.items() if not isinstance(result, Exception)}


def _none_came(client: distributed.Client, asked: Resources, seconds: float, where: str, mend: str) -> str:
    others = workers_of(client, {})
    if not others:
        return f"{where} has no worker: none came in {seconds:g} s; {mend}"
    announced = {written(worker["resources"]) or "nothing" for worker in others.values()}
    return (
        f"{where} has no worker{with_resources(asked)}: the {len(others)} that it has announce "
        f"{' or '.join(sorted(announced))}; start one that does, or ask for something else with --resources"
    )


def with_resources(asked: Resources) -> str:
    """Resources at the end of a phrase, or nothing.

    >>> with_resources({"GPU": 1.0}), with_resources({})
    (' with GPU=1', '')
    """
    return f" with {written(asked)}" if asked else ""


def written(asked: Resources) -> str:
    """Resources as Dask's command line has them.

    >>> written({"GPU": 1.0, "MEMORY": 2.5})
    'GPU=1,MEMORY=2.5'
    """
    return ",".join(f"{name}={amount:g}" for name, amount in asked.items())
