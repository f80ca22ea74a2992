"""Clusters: what a local one is made of, and that one that cannot be had is said in one line."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster

from infra.cluster.clusters import check_certificates, connect, given_up, local_cluster
from infra.errors import ClusterError

# flows run in a process of their own: one server and no settings of this process
FLOW = """
import os, sys
from prefect import flow, task
from prefect.settings import PREFECT_API_URL
from infra.cluster.clusters import connect, task_runner
from infra.errors import ClusterError
from infra.machine.logs import quiet_logs
from infra.server.server import api_server

@task
def look():
    import torch
    return {"threads": torch.get_num_threads(), "omp": os.environ.get("OMP_NUM_THREADS"),
            "url": PREFECT_API_URL.value()}

@flow(task_runner=task_runner())
def ask(address):
    client = connect(address, 1)
    workers = client.scheduler_info(n_workers=-1)["workers"]
    print(len(workers), {worker["nthreads"] for worker in workers.values()}, look.submit().result())

if __name__ == "__main__":
    quiet_logs()
    with api_server() as wait_until_ready:
        wait_until_ready()
        for address in sys.argv[1:]:
            try:
                ask(address if "://" in address else None)
            except ClusterError as error:
                print("error:", error)
"""


def test_a_local_cluster_is_single_threaded_processes_on_the_loopback() -> None:
    arguments = local_cluster(3)
    assert (arguments["n_workers"], arguments["threads_per_worker"], arguments["processes"]) == (3, 1, True)
    assert arguments["host"] == "127.0.0.1"
    assert arguments["dashboard_address"] == "127.0.0.1:0"  # any free port: 8787 may be taken
    assert local_cluster(6)["memory_limit"] == pytest.approx(int(arguments["memory_limit"]) / 2, abs=1)  # type: ignore[call-overload]


def test_a_local_cluster_is_encrypted_and_serves_no_page() -> None:
    first, second = local_cluster(1)["security"], local_cluster(1)["security"]
    assert first.require_encryption  # type: ignore[attr-defined]
    assert first.tls_scheduler_key != second.tls_scheduler_key, "made for the cluster"  # type: ignore[attr-defined]
    assert local_cluster(1)["scheduler_kwargs"] == {"dashboard": False}


def test_tls_without_certificates_is_told_with_the_variables() -> None:
    with pytest.raises(
        ClusterError, match=r"no certificates for tls://host:1: set DASK_DISTRIBUTED__COMM__TLS__CA_FILE"
    ):
        check_certificates("tls://host:1")
    with dask.config.set({"distributed.comm.tls": {"ca-file": "ca.pem", "client": {"cert": "me.pem", "key": None}}}):
        check_certificates("tls://host:1")


def test_an_address_without_encryption_where_dask_requires_it_is_told() -> None:
    check_certificates("tcp://host:1")
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        pytest.raises(ClusterError, match="tcp://host:1 is not encrypted, which Dask's configuration requires"),
    ):
        check_certificates("tcp://host:1")


def test_outside_of_a_dask_task_nothing_is_given_up() -> None:
    assert not given_up()


def wait_to_be_given_up(started: str, stopped: str) -> None:
    """A long task that asks now and then."""
    Path(started).touch()
    deadline = time.monotonic() + 120
    while not given_up():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    Path(stopped).touch()


@pytest.mark.integration
@pytest.mark.parametrize("how", ["the future is cancelled", "the client is gone"])
def test_a_task_that_nobody_waits_for_learns_it(tmp_path: Path, how: str) -> None:
    started, stopped = tmp_path / "started", tmp_path / "stopped"
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        client = Client(cluster)
        future = client.submit(wait_to_be_given_up, str(started), str(stopped))
        _until(started.exists)
        time.sleep(0.5)
        assert not stopped.exists(), "somebody waits for it still"
        if how == "the future is cancelled":
            future.cancel()
            _until(stopped.exists)
        client.close()
        _until(stopped.exists)


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_connecting_outside_a_flow_is_refused() -> None:
    with pytest.raises(RuntimeError, match="inside a flow"):
        connect()


@pytest.mark.integration
def test_clusters_that_are_there_run_tasks_and_others_are_one_line(tmp_path: Path) -> None:
    script = tmp_path / "ask.py"
    script.write_text(FLOW)
    anywhere = {"dashboard_address": "127.0.0.1:0", "threads_per_worker": 1, "processes": False, "protocol": "tcp"}
    with LocalCluster(n_workers=1, **anywhere) as elsewhere, LocalCluster(n_workers=0, **anywhere) as empty:
        addresses = ["this machine", elsewhere.scheduler_address, empty.scheduler_address, "tcp://127.0.0.1:9"]
        done = subprocess.run([sys.executable, script, *addresses], capture_output=True, text=True, timeout=200)
    assert done.stderr == ""
    here, there, no_worker, nothing = done.stdout.splitlines()
    assert here.startswith("1 {1} {'threads': 1, 'omp': '1', 'url': 'http://127.0.0.1:")
    assert there.startswith("1 {1} ")
    assert no_worker.startswith(f"error: the Dask scheduler on {addresses[2]} has no worker: ")
    assert nothing.startswith("error: no Dask cluster on tcp://127.0.0.1:9: ")


def test_the_variables_that_the_document_names_are_dasks() -> None:
    text = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    names = re.findall(r"(DASK_[A-Z_]+)=", text)
    assert len(names) == 7
    for name in names:
        dask.config.get(name.removeprefix("DASK_").lower().replace("__", "."))
