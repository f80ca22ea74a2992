"""The crew: workers that are lost for good end the wait in one line, instead of waiting for ever."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed import Client, LocalCluster

from infra import crew as module
from infra.crew import Crew
from infra.errors import ClusterError
from infra.store import Store

pytestmark = pytest.mark.integration


@pytest.fixture
def cluster():
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as made:
        yield made


def crew_of(cluster: LocalCluster, client: Client, folder: Path) -> Crew:
    made = Crew(Store(str(folder)), cluster.scheduler_address, None)
    made._client = client
    return made


def test_it_waits_for_the_end_of_every_task_well_or_not(cluster: LocalCluster, tmp_path: Path) -> None:
    with Client(cluster) as client:
        futures = [client.submit(time.sleep, 0.3), client.submit(int, "no number"), client.submit(time.sleep, 0)]
        crew_of(cluster, client, tmp_path).wait([SimpleNamespace(wrapped_future=future) for future in futures])
        assert [future.status for future in futures] == ["finished", "error", "finished"]


def test_workers_that_do_not_come_back_are_told(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(module, "NO_WORKERS_SECONDS", 1.0)
    with Client(cluster) as client:
        future = client.submit(time.sleep, 60)
        cluster.scale(0)
        with pytest.raises(ClusterError, match="lost its workers; start some and run again"):
            crew_of(cluster, client, tmp_path).wait([SimpleNamespace(wrapped_future=future)])


def test_a_scheduler_that_is_gone_is_told(tmp_path: Path) -> None:
    made = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0")
    with Client(made) as client:
        future = client.submit(time.sleep, 60)
        crew = crew_of(made, client, tmp_path)
        threading.Timer(1.0, made.close).start()
        with pytest.raises(ClusterError, match="is gone; start it and run again"):
            crew.wait([SimpleNamespace(wrapped_future=future)])
