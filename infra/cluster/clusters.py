"""The Dask cluster of a flow run: processes of this machine, or a scheduler by its address.

A flow is decorated with `task_runner()` and calls `connect` first, with what it was asked for: so one flow serves
the command line and every deployment, and a cluster that cannot be had is one line instead of a wait without end.
On this machine it is one single-threaded process a core, since two threads of torch in a process lose to two
processes. Everything there listens on the loopback and wants the certificate that was made for this cluster, for
whoever reaches a scheduler runs code as its user, and other users of the machine reach the loopback too.

What this does not do: start or pay for machines. A cluster elsewhere is somebody's, given as an address.
"""

import logging
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

import dask
import distributed
from distributed.core import Status
from distributed.system import MEMORY_LIMIT
from prefect.context import FlowRunContext
from prefect.task_runners import TaskRunner
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

from infra.cluster.gpus import default_workers
from infra.errors import ClusterError
from infra.machine.logs import silence_given_up, silence_lost_connections
from infra.machine.scratch import scratch_folder

CONNECT_SECONDS = 10.0
MEMORY_SHARE = 0.8  # of this machine's memory, for all workers together

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# The C library gives large memory back to the system at once, and asks for it again at the next update: pages that are
# fresh, and zeroed, each time. Bytes; more than 32 MiB of the first some versions refuse.
KEPT_PAGES = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}
# Prefect's plugins start an event loop at import, and a worker imports Prefect inside of one.
WORKER_ENVIRONMENT = dict.fromkeys(THREADS, "1") | KEPT_PAGES | {"PREFECT_PLUGINS_ENABLED": "false"}

_early: dict[int | None, "Future[distributed.LocalCluster]"] = {}


class _Runner(DaskTaskRunner):
    """Prefect's runner on Dask, which names a task anew each time instead of hashing all that goes along with it."""

    def submit(  # type: ignore[override]  # Prefect has it in overloads for kinds of tasks
        self, task: Any, parameters: dict[str, Any], wait_for: Any = None, dependencies: Any = None
    ) -> PrefectDaskFuture[Any]:
        rest = {"wait_for": wait_for, "dependencies": dependencies, "return_type": "state", "pure": False}
        future = self.client.submit(task, parameters=parameters, **rest)  # type: ignore[no-untyped-call]
        return PrefectDaskFuture(wrapped_future=future, task_run_id=future.task_run_id)


def task_runner() -> TaskRunner[Any]:
    """The task runner to decorate a flow with; `connect` tells it where to run, inside the flow run.

    Its tasks stand alone: none is given the future of another one.
    """
    return _Runner(client_kwargs={"timeout": CONNECT_SECONDS})


def connect(address: str | None = None, workers: int | None = None) -> distributed.Client:
    """Give the running flow its cluster, and return the client that its tasks are submitted with.

    Args:
        address: `tcp://host:port` or `tls://host:port` of a scheduler; None for processes on this machine.
        workers: number of processes on this machine, >= 1; None for one a GPU, or else one
            a core. Of no meaning with an address.

    Returns:
        The client; it lives as long as the flow run.

    Raises:
        ClusterError: nothing answers at the address within 10 s, it has no worker, or no process could be started.
        RuntimeError: not called inside a flow run that has `task_runner()`.
    """
    context = FlowRunContext.get()
    if context is None or not isinstance(context.task_runner, DaskTaskRunner):
        raise RuntimeError("connect() is called inside a flow that is decorated with infra.clusters.task_runner()")
    runner = context.task_runner
    _configure(here=address is None)
    if address is None and (early := _early.pop(workers, None)) is not None:
        runner.cluster_class = early.result
    elif address is None:
        start_tracker()
        runner.cluster_kwargs = local_cluster(workers)
    else:
        check_certificates(address)
        runner.address = address
    where = address or "this machine"
    try:
        client = runner.client
    except (OSError, ValueError, RuntimeError, TypeError) as problem:
        reason = str(problem).split("\n")[0]
        raise ClusterError(f"no Dask cluster on {where}: {reason}; check the address and that it runs") from problem
    if not client.scheduler_info(n_workers=-1)["workers"]:
        raise ClusterError(f"the Dask scheduler on {where} has no worker: start one with `dask worker {address}`")
    return client


@contextmanager
def cluster_early(workers: int | None) -> Iterator[None]:
    """Start the processes of this machine in the background, for the first flow run of the block that asks for them.

    So they start while the server does. The flow run closes them as its own; where none asked, the block does.

    Args:
        workers: as for `connect`.
    """
    _configure(here=True)
    start_tracker()
    with ThreadPoolExecutor(1, thread_name_prefix="cluster") as pool:
        started = pool.submit(lambda: distributed.LocalCluster(**local_cluster(workers)))  # type: ignore[no-untyped-call]
        _early[workers] = started
        try:
            yield
        finally:
            _early.pop(workers, None)
            if started.exception() is None:  # else `connect` has told it, or nobody wanted it
                started.result().close()


def start_tracker() -> None:
    """Start Python's process that keeps account of shared memory, deaf to SIGHUP as it is to Ctrl-C and SIGTERM.

    A terminal that closes would end it before the workers, and each of them would be told with a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # a child keeps what is blocked as it starts
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def check_certificates(address: str) -> None:
    """Refuse what Dask's own settings do not allow, which Dask itself tells with a traceback.

    Raises:
        ClusterError: there are no certificates for `tls://`, or encryption is required and the address is `tcp://`.
    """
    needed = {"CA_FILE": "ca-file", "CLIENT__CERT": "client.cert"}
    lacking = [
        f"DASK_DISTRIBUTED__COMM__TLS__{variable}"
        for variable, setting in needed.items()
        if not dask.config.get(f"distributed.comm.tls.{setting}")
    ]
    if address.startswith("tls://"):
        if lacking:
            raise ClusterError(f"no certificates for {address}: set {' and '.join(lacking)}, see docs/operations.md")
    elif dask.config.get("distributed.comm.require-encryption"):
        raise ClusterError(f"{address} is not encrypted, which Dask's configuration requires: take tls://")


def local_cluster(workers: int | None) -> dict[str, object]:
    """Keyword arguments of `distributed.LocalCluster`: single-threaded processes under a nanny, on the loopback.

    The certificate is in memory alone; a worker gets it from the flow's process through a pipe. Nothing is served over
    HTTP, and what a worker spills to the disk, pickles for the most part, lies in a folder that nobody else can enter.
    """
    count = workers or default_workers()
    return {
        "n_workers": count,
        "threads_per_worker": 1,
        "processes": True,
        "memory_limit": int(MEMORY_LIMIT * MEMORY_SHARE / count),
        "host": "127.0.0.1",
        "security": distributed.Security.temporary(),  # type: ignore[no-untyped-call]
        "local_directory": str(scratch_folder()),
        "dashboard_address": "127.0.0.1:0",
        "scheduler_kwargs": {"dashboard": False},
        "silence_logs": logging.CRITICAL,
        "preload": [__name__],  # dask_setup
    }


def dask_setup(worker: distributed.Worker) -> None:
    """Called by Dask in every worker process of a local cluster as it starts.

    Ctrl-C reaches every process of a terminal; the command is the one to act on it, and closes its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    silence_lost_connections()
    silence_given_up()


def given_up() -> bool:
    """Whether the running Dask task is to stop: it was cancelled, its flow's process is gone, or its worker ends.

    Dask lets a running task go on to its end all the same, and a worker that got a SIGTERM waits for it some seconds.
    Work that is long asks now and then, and stops by itself. Outside a Dask task the answer is no.
    """
    try:
        worker = distributed.get_worker()
    except ValueError:
        return False
    if worker.status in (Status.closing, Status.closed):
        return True
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state in ("cancelled", "resumed")


def _configure(*, here: bool) -> None:
    """Settings of Dask that have no argument, threads of a worker for one; of a scheduler here its folder, too."""
    dask.config.set(
        ({"temporary-directory": str(scratch_folder())} if here else {})
        | {
            "distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT,
            "distributed.admin.system-monitor.gil.enabled": False,
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
        }
    )
