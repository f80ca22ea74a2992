"""Workers that are forks of a command: with what it has loaded, and otherwise like any worker."""

import json
import multiprocessing
import subprocess
import sys
import threading
from multiprocessing import forkserver
from pathlib import Path

import pytest

from infra.cluster.forking import fork_workers_from_here

# In a process of its own, for it must have one thread, and is forked.
COMMAND = """
import ctypes, json, os, signal, sys, time
import distributed, torch
from infra.cluster.clusters import cluster_early, local_cluster
from infra.cluster import clusters
from infra.cluster.forking import fork_workers_from_here

def look():
    class Heap(ctypes.Structure):
        _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks a b c d e f".split()]

    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype, libc.malloc.restype = Heap, ctypes.c_void_p
    before = libc.mallinfo2().hblks  # blocks of memory that have pages of their own
    block = libc.malloc(ctypes.c_size_t(16 << 20))
    pages = libc.mallinfo2().hblks - before
    libc.free(ctypes.c_void_p(block))
    return {
        "pages": pages,
        "loaded": getattr(sys, "loaded_before", None),
        "threads": [torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")],
        "variable": os.environ.get("SET_BEFORE"),
        "files": sum(os.readlink(f"/proc/self/fd/{each}") == held for each in os.listdir("/proc/self/fd")
                     if os.path.lexists(f"/proc/self/fd/{each}")),
        "signals": [signal.getsignal(each).name for each in (signal.SIGTERM, signal.SIGHUP)],
    }

if __name__ == "__main__":
    held = sys.argv[1]
    file = open(held, "w")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: print("heard", flush=True))
    torch.set_num_threads(2)
    sys.loaded_before, os.environ["SET_BEFORE"] = "this", "that"
    assert fork_workers_from_here()
    sys.loaded_before = "not this"
    with cluster_early(1):
        cluster = clusters._early[1].result(timeout=60)
        with distributed.Client(cluster) as client:
            first = client.submit(os.getpid).result()
            seen = client.submit(look, pure=False).result()
            os.kill(first, signal.SIGKILL)
            second = client.submit(os.getpid, pure=False, retries=9).result()
            again = client.submit(look, pure=False).result()
    print(json.dumps([seen, again, first != second]))
"""


@pytest.mark.integration
def test_a_worker_has_what_was_loaded_and_a_killed_one_too_and_nothing_else_of_the_command(tmp_path: Path) -> None:
    script = tmp_path / "command.py"
    script.write_text(COMMAND.replace("== held", f"== {str(tmp_path / 'held')!r}"))
    done = subprocess.run(
        [sys.executable, script, tmp_path / "held"], capture_output=True, text=True, timeout=200, check=True
    )
    seen, again, another = json.loads(done.stdout)
    assert another
    assert again == seen
    assert seen == {
        "pages": 0,  # as the variables of malloc say that every worker has
        "loaded": "this",
        "threads": [1, "1"],
        "variable": "that",
        "files": 0,
        "signals": ["SIG_IGN", "SIG_DFL"],  # the flow closes its workers
    }


def test_where_there_are_threads_nothing_is_forked() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        assert not fork_workers_from_here()
    finally:
        ended.set()
        thread.join()


def test_where_the_temporary_folder_has_no_room_for_a_sockets_name_workers_are_new_interpreters(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(multiprocessing.util, "get_temp_dir", lambda: str(long))
    monkeypatch.setattr(forkserver, "_forkserver", forkserver.ForkServer())
    monkeypatch.setattr(forkserver, "ensure_running", forkserver._forkserver.ensure_running)
    assert not fork_workers_from_here()
