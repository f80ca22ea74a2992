"""Workers that are lost for good end the wait in one line, instead of waiting for ever."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, Future, LocalCluster, wait

from infra.cluster import workers as module
from infra.cluster.workers import Workers
from infra.errors import ClusterError
from infra.store import Store

pytestmark = pytest.mark.integration


@pytest.fixture
def cluster():
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as made:
        yield made


def workers_of(cluster: LocalCluster, client: Client, folder: Path) -> Workers:
    made = Workers(Store(str(folder)), cluster.scheduler_address, None)
    made._client = client
    return made


class Task:
    """What Prefect makes of a task of Dask."""

    def __init__(self, future: Future) -> None:
        self.wrapped_future = future

    def result(self, timeout: float) -> Any:
        return self.wrapped_future.result(timeout)


_running = [0]
_change = threading.Lock()


def at_once() -> int:
    """How many of these run at the same time, in this process."""
    with _change:
        _running[0] += 1
    time.sleep(0.2)
    with _change:
        seen = _running[0]
    time.sleep(0.2)
    with _change:
        _running[0] -= 1
    return seen


def test_a_worker_with_one_gpu_has_one_job_at_a_time_whatever_its_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=3,
            processes=False,
            dashboard_address="127.0.0.1:0",
            resources={"GPU": 1},
        ) as made,
        Client(made) as client,
    ):
        monkeypatch.setattr(module, "connect", lambda *_: client)
        monkeypatch.setattr(module, "check_reach", lambda *_: None)
        workers = Workers(Store(str(tmp_path)), made.scheduler_address, None)
        assert workers.client is client
        assert workers.resources == {"GPU": 1.0}, "it was announced"
        with workers.resources_asked():
            alone = [Task(client.submit(at_once, pure=False)) for _ in range(3)]
        assert workers.gather(alone) == [1, 1, 1]
        together = [Task(client.submit(at_once, pure=False)) for _ in range(3)]
        assert max(workers.gather(together)) > 1, "without them all threads work"

        split = Workers(Store(str(tmp_path)), made.scheduler_address, None, seconds=0.3, processes=2)
        with pytest.raises(ClusterError, match="no worker with GPU=2: the 1 that it has announce GPU=1"):
            split.client  # noqa: B018


def test_every_task_ends_with_its_result_or_its_exception(cluster: LocalCluster, tmp_path: Path) -> None:
    with Client(cluster) as client:
        futures = [client.submit(time.sleep, 0.3), client.submit(int, "no number"), client.submit(abs, -3)]
        first, second, third = workers_of(cluster, client, tmp_path).gather([Task(future) for future in futures])
    assert (first, third) == (None, 3)
    assert isinstance(second, ValueError)


def test_a_result_that_was_lost_with_its_worker_is_waited_for_again(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.5)
    with Client(cluster) as client:
        future = client.submit(abs, -3)
        wait(future)
        (worker,) = client.run(os.getpid).values()
        os.kill(worker, signal.SIGKILL)
        assert workers_of(cluster, client, tmp_path).gather([Task(future)]) == [3]


class Slow(Task):
    """One whose result is lost, and is there again just as the wait for it is given up."""

    asked = 0

    def result(self, timeout: float) -> Any:
        self.asked += 1
        if self.asked == 1:
            time.sleep(timeout)
            raise TimeoutError(f"timed out after {timeout} s.")
        return super().result(timeout)


def test_a_wait_that_was_given_up_is_no_result(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.2)
    with Client(cluster) as client:
        assert workers_of(cluster, client, tmp_path).gather([Slow(client.submit(abs, -3))]) == [3]


def test_workers_of_this_machine_that_do_not_come_back_are_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REVIVE_SECONDS", 2.0)
    monkeypatch.setattr(module, "LOOK_SECONDS", 5.0)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as made,
        Client(made) as client,
    ):
        made.scale(0)
        while client.scheduler_info()["workers"]:
            time.sleep(0.1)
        workers = workers_of(made, client, tmp_path)
        workers.cluster, workers.count = None, 1
        assert workers.gather([Task(client.submit(abs, -3))]) == [3]


def test_workers_that_do_not_come_back_are_told(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.2)
    with Client(cluster.scheduler_address) as client:  # of somebody else's cluster
        future = client.submit(time.sleep, 60)
        cluster.scale(0)
        workers = workers_of(cluster, client, tmp_path)
        workers.seconds = 1.0
        with pytest.raises(ClusterError, match="lost its workers, and none came in 1 s; start some and run again"):
            workers.gather([Task(future)])


@pytest.mark.parametrize("how", ["gather", "map"])
def test_a_scheduler_that_is_gone_is_told(tmp_path: Path, how: str) -> None:
    made = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0")
    with Client(made.scheduler_address) as client:
        future = client.submit(time.sleep, 60)
        workers = workers_of(made, client, tmp_path)
        threading.Timer(1.0, made.close).start()
        waits = {"gather": lambda: workers.gather([Task(future)]), "map": lambda: next(workers.map(time.sleep, [60]))}
        with pytest.raises(ClusterError, match="is gone; start it and run again"):
            waits[how]()
