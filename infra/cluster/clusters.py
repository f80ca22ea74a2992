"""The Dask cluster of a flow run: processes of this machine, a scheduler at an address, or one made of a class.

A flow is decorated with `task_runner()`, and first calls `connect` with the requested cluster and number of workers. So
the same flow serves the command line and every deployment, and a missing cluster is a one-line error instead of an
endless wait. On this machine the cluster has one single-threaded process for each core, since two processes are faster
than two torch threads in one process. Its sockets listen on the loopback and require a certificate made for this
cluster: whoever reaches a scheduler can run code as its user, and other users of the machine can reach the loopback.

A scheduler at an address is somebody else's. A cluster of a class (`cluster_class.py`) is made for the flow run, and
closed with it.
"""

import logging
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import resource_tracker
from typing import Any

import dask
import distributed
from distributed.core import Status
from distributed.system import MEMORY_LIMIT
from prefect.context import FlowRunContext
from prefect.task_runners import TaskRunner
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

from infra.cluster.cluster_class import asked_class, closing
from infra.cluster.gpus import default_workers
from infra.cluster.waiting import Resources, some_work, wait_for_worker
from infra.errors import ClusterError, ConfigurationError
from infra.machine.logs import silence_given_up, silence_lost_connections
from infra.machine.scratch import scratch_folder
from infra.settings import WORKER_TIMEOUT

CONNECT_SECONDS = 10.0
MEMORY_SHARE = 0.8  # share of this machine's memory for all workers together

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# malloc thresholds in bytes. By default the C library returns large blocks to the system at once, and each update gets
# fresh, zeroed pages again. Some versions refuse more than 32 MiB for the first threshold.
KEPT_PAGES = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}
# Prefect's plugins start an event loop at import, and a worker imports Prefect inside of one.
WORKER_ENVIRONMENT = dict.fromkeys(THREADS, "1") | KEPT_PAGES | {"PREFECT_PLUGINS_ENABLED": "false"}

HERE = {"threads_per_worker": 1, "security": True, "dashboard_address": "127.0.0.1:0"}
"""What a class of clusters on this machine is told where the user says nothing else; Dask itself would listen without
encryption, and have several threads a process."""

_early: dict[int | None, "Future[distributed.LocalCluster]"] = {}


class _Runner(DaskTaskRunner):
    """Prefect's Dask runner, with a new random key for each task instead of a hash of all its arguments.

    Attributes:
        kept: the future of a task that keeps a worker for the flow run, if the cluster may shrink.
    """

    kept: "distributed.Future[bool] | None" = None

    def submit(  # type: ignore[override]  # Prefect has it in overloads for kinds of tasks
        self, task: Any, parameters: dict[str, Any], wait_for: Any = None, dependencies: Any = None
    ) -> PrefectDaskFuture[Any]:
        rest = {"wait_for": wait_for, "dependencies": dependencies, "return_type": "state", "pure": False}
        future = self.client.submit(task, parameters=parameters, **rest)  # type: ignore[no-untyped-call]
        return PrefectDaskFuture(wrapped_future=future, task_run_id=future.task_run_id)


def task_runner() -> TaskRunner[Any]:
    """The task runner to decorate a flow with; inside the flow run, `connect` tells it where to run.

    Its tasks are independent: none may take the future of another task as an argument.
    """
    return _Runner(client_kwargs={"timeout": CONNECT_SECONDS})


def connect(
    cluster: str | None = None,
    workers: int | None = None,
    resources: Resources | None = None,
    seconds: float = WORKER_TIMEOUT,
) -> distributed.Client:
    """Give the running flow its cluster, and return the client that its tasks are submitted with.

    Args:
        cluster: `tcp://host:port` or `tls://host:port` of a scheduler; or a class of clusters, by name or in a file;
            None for processes on this machine.
        workers: number of processes on this machine, >= 1, or of workers of a class; None for one for each GPU, or
            without a GPU one for each core, and for what the class's arguments say. Ignored with an address.
        resources: that a worker must announce; None for none.
        seconds: to wait for such a worker at most.

    Returns:
        The client; it lives as long as the flow run.

    Raises:
        ClusterError: nothing answers at the address within 10 s, no worker came in time, or no cluster could be
            started.
        ConfigurationError: the class is not there, or does not take these arguments.
        RuntimeError: not called inside a flow run that has `task_runner()`.
    """
    context = FlowRunContext.get()
    if context is None or not isinstance(context.task_runner, DaskTaskRunner):
        raise RuntimeError("connect() is called inside a flow that is decorated with infra.clusters.task_runner()")
    runner = context.task_runner
    where, mend = "this machine", "run again"
    if cluster is None:
        _configure(private=True)
        _start_here(runner, workers)
    elif is_address(cluster):
        _configure(private=False)
        check_certificates(cluster)
        runner.address = cluster
        where, mend = f"the Dask scheduler on {cluster}", f"start one with `dask worker {cluster}`"
    else:
        where = _start_class(runner, cluster, workers)
        mend = "look into its queue and logs, or wait longer with --worker-timeout"
    try:
        client = runner.client
    except (OSError, ValueError, RuntimeError, TypeError) as problem:
        reason = str(problem).split("\n")[0]
        there = cluster or "this machine"
        raise ClusterError(f"no Dask cluster on {there}: {reason}; check the address and that it runs") from problem
    if cluster is not None and isinstance(runner, _Runner):
        runner.kept = some_work(client, resources or {})
    wait_for_worker(client, resources or {}, seconds, where, mend)
    return client


def _start_here(runner: DaskTaskRunner, workers: int | None) -> None:
    if (early := _early.pop(workers, None)) is not None:
        runner.cluster_class = early.result
    else:
        start_tracker()
        runner.cluster_kwargs = local_cluster(workers)


def _start_class(runner: DaskTaskRunner, cluster: str, workers: int | None) -> str:
    """Make the cluster of a class, which the runner closes with the flow run; return the name of the class."""
    asked = asked_class(cluster)
    here = issubclass(asked.resolve(), distributed.LocalCluster)
    _configure(private=here)
    start_tracker()
    with dask.config.set({"distributed.worker.preload": [__name__]} if here else {}):  # dask_setup
        made = asked.start(workers, unless_told(asked.arguments) if here else {})

    def running() -> AbstractContextManager[Any]:
        return closing(made, asked.name)

    runner.cluster_class = running  # type: ignore[assignment]  # of what it calls it enters the context
    return asked.name


def unless_told(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a class of clusters on this machine gets beside the user's arguments; TLS only where no protocol is given.

    >>> sorted(unless_told({})), sorted(unless_told({"protocol": "ucx"}))
    (['dashboard_address', 'security', 'threads_per_worker'], ['dashboard_address', 'threads_per_worker'])
    """
    return {name: value for name, value in HERE.items() if name != "security" or "protocol" not in arguments}


def is_address(cluster: str) -> bool:
    """Whether it is the address of a scheduler, and not the name of a class or of a file."""
    return "://" in cluster


def check_cluster(cluster: str | None, resources: Resources) -> None:
    """Refuse what is wrong with a request for a cluster before anything is started for it.

    Raises:
        ConfigurationError: a class or its file is not there or not valid, or resources of this machine are asked for.
    """
    if cluster is None and resources:
        raise ConfigurationError("--resources: goes with --cluster; the processes of this machine announce none")
    if cluster is not None and not is_address(cluster):
        asked_class(cluster).resolve()


@contextmanager
def cluster_early(workers: int | None) -> Iterator[None]:
    """Start the worker processes of this machine in the background, for the first flow run in the block that asks.

    They start while the server boots. The flow run closes them at its end. If none asks for them, the block closes
    them.

    Args:
        workers: as for `connect`.
    """
    _configure(private=True)
    start_tracker()
    with ThreadPoolExecutor(1, thread_name_prefix="cluster") as pool:
        started = pool.submit(lambda: distributed.LocalCluster(**local_cluster(workers)))  # type: ignore[no-untyped-call]
        _early[workers] = started
        try:
            yield
        finally:
            _early.pop(workers, None)
            if started.exception() is None:  # an error was reported by `connect`, or does not matter
                started.result().close()


def start_tracker() -> None:
    """Start Python's resource tracker process so that it ignores SIGHUP, as it ignores Ctrl-C and SIGTERM.

    Otherwise a closing terminal would end it before the workers, and each worker would print a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # a child inherits the blocked signals
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def check_certificates(address: str) -> None:
    """Refuse an address that Dask's own settings do not allow; Dask itself would print a traceback.

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

    The certificate exists only in memory; a worker gets it from the flow's process through a pipe. Nothing is served
    over HTTP. Data that a worker spills to disk, mostly pickles, is in a folder that only its user can enter.
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
    """Called by Dask in every worker process of a local cluster at its start.

    Workers ignore Ctrl-C, which reaches every process of a terminal, and SIGTERM, which a Prefect worker that cancels a
    flow run sends to all its processes: the command or the flow run acts on it, and closes its workers, which leave a
    checkpoint. A worker that is a thread of the flow's process changes nothing there.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    silence_lost_connections()
    silence_given_up()


def given_up() -> bool:
    """Whether the running Dask task should stop: it was cancelled, its flow's process is gone, or its worker closes.

    Dask never stops a running task, and a worker with a SIGTERM waits some seconds for it. Long work therefore calls
    this now and then, and stops by itself. Outside of a Dask task this is False.
    """
    try:
        worker = distributed.get_worker()
    except ValueError:
        return False
    if worker.status in (Status.closing, Status.closed):
        return True
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state in ("cancelled", "resumed")


def _configure(*, private: bool) -> None:
    """Set Dask's options that have no argument, such as a worker's threads.

    Args:
        private: whether workers are processes of this machine: their files are then in a folder that is its user's
            alone.
    """
    dask.config.set(
        ({"temporary-directory": str(scratch_folder())} if private else {})
        | {
            "distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT,
            "distributed.admin.system-monitor.gil.enabled": False,
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
        }
    )
