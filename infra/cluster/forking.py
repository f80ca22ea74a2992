"""Workers that are forked from what a command has loaded, in place of new interpreters that load it all again.

Torch, Prefect and Dask take a worker seconds of a core to import. Python's fork server is the way out: a process with
one thread, of which every worker is a fork. Its own is a new interpreter too. So here it is a fork of the command,
made as soon as that has imported its flow, before there are threads, secrets of a cluster or connections.

A worker differs from one in a new interpreter by nothing that a trial sees: it gets its certificate through a pipe, its
variables from its nanny, and ends with the command. One that is killed is forked again, within a tenth of a second.
Where the fork server itself is killed, Python starts its own in its place.
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
    """Let the workers of this machine be forks of this process as it is now; whether they will be.

    Not on other systems than Linux, whose libraries do not stand a fork, and not where there are threads: what one of
    them holds at that moment would stay locked in the fork for ever; nor where the temporary folder's name is too long
    for a socket in it, which may have 107 characters. Workers are then new interpreters, as ever.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        _log.info("workers start as new interpreters")
        return False
    multiprocessing.set_forkserver_preload([])  # it is all there
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
    """While the block runs, what multiprocessing would start in a new interpreter runs in a fork of this one."""
    start = util.spawnv_passfds
    util.spawnv_passfds = _fork  # type: ignore[assignment]
    try:
        yield
    finally:
        util.spawnv_passfds = start


def _fork(path: str, arguments: Sequence[str], descriptors: Sequence[int]) -> int:
    """Run `python ... -c CODE`, the last of the arguments, in a fork; its process number."""
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
    """Be what a new interpreter would be: its files, signals and logs, and threads by a worker's variables."""
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
    """Tell the C library of this process what `KEPT_PAGES` tells it of a new one, which alone reads variables."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc
        libc.mallopt(_MMAP_THRESHOLD, int(KEPT_PAGES["MALLOC_MMAP_THRESHOLD_"]))
        libc.mallopt(_TRIM_THRESHOLD, int(KEPT_PAGES["MALLOC_TRIM_THRESHOLD_"]))
