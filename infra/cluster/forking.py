"""Fork workers from the command's process, so that they need not import torch, Prefect and Dask again.

These imports take each worker seconds of a core. Python's fork server is a process with one thread, and every worker is
a fork of it; but by default it starts as a new interpreter. Here the fork server is a fork of the command, made as soon
as the command has imported its flow, before there are threads, cluster secrets or connections.

For a trial, a forked worker is no different from one in a new interpreter. It gets its certificate through a pipe and
its variables from its nanny, and it ends with the command. A killed worker is forked again within a tenth of a second.
If the fork server itself is killed, Python starts its own in its place.
"""

import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, util

import dask

from infra.cluster.clusters import KEPT_PAGES, WORKER_ENVIRONMENT, start_tracker
from infra.machine.logs import as_in_workers

_METHOD = "distributed.worker.multiprocessing-method"
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h
_log = logging.getLogger(__name__)


def fork_workers_from_here() -> bool:
    """Let the workers of this machine be forks of this process in its present state; return whether they will be.

    Workers start as new interpreters instead in three cases. On systems other than Linux, libraries may not survive a
    fork. If there are other threads, a lock held by one of them would stay locked for ever in the fork. The path of the
    temporary folder may be too long for a socket, whose path can have 107 characters.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        _log.info("workers start as new interpreters")
        return False
    multiprocessing.set_forkserver_preload([])  # everything is imported already
    start_tracker()
    try:
        with _forked_instead_of_started():
            forkserver.ensure_running()
    except OSError as problem:
        _log.info("workers start as new interpreters: %s", problem)
        return False
    dask.config.set({_METHOD: "forkserver"})
    return True


@contextmanager
def _forked_instead_of_started() -> Iterator[None]:
    """While the block runs, code that multiprocessing would start in a new interpreter runs in a fork of this one."""
    start = util.spawnv_passfds
    util.spawnv_passfds = _fork  # type: ignore[assignment]
    try:
        yield
    finally:
        util.spawnv_passfds = start


def _fork(path: str, arguments: Sequence[str], descriptors: Sequence[int]) -> int:
    """Run CODE of `python ... -c CODE`, the last argument, in a fork; return the id of its process."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        _leave_the_command(descriptors)
        exec(arguments[-1], {})  # noqa: S102  # of multiprocessing: `main(...)` of its fork server
    except SystemExit:
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _leave_the_command(descriptors: Sequence[int]) -> None:
    """Make a fork like a new interpreter: files, signals and logs, and the thread counts of a worker."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):  # the one that listed them is closed
            if descriptor not in descriptors and not os.get_inheritable(descriptor):
                os.close(descriptor)
    os.environ.update(WORKER_ENVIRONMENT)
    _keep_pages()
    if (torch := sys.modules.get("torch")) is not None:  # it has read its variable
        torch.set_num_threads(1)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    as_in_workers()


def _keep_pages() -> None:
    """Apply `KEPT_PAGES` to this process by call, since the C library reads the variables only at its start."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc
        libc.mallopt(_MMAP_THRESHOLD, int(KEPT_PAGES["MALLOC_MMAP_THRESHOLD_"]))
        libc.mallopt(_TRIM_THRESHOLD, int(KEPT_PAGES["MALLOC_TRIM_THRESHOLD_"]))
