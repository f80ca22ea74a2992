"""Clusters: what a local one is made of, and that one that cannot be had is said in one line."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster

from infra.cluster.clusters import check_certificates, connect, given_up, local_cluster
from infra.errors import ClusterError
from tests.waiting import wait_until

# flows run in a process of their own: one server and no settings of this process
FLOW = """
import json, os, sys, time
from prefect import flow, task
from prefect.settings import PREFECT_API_URL
from infra.cluster.clusters import connect, task_runner
from infra.errors import CounterpointError
from infra.machine.logs import quiet_logs
from infra.server.server import api_server

@task
def look():
    import torch
    return {"threads": torch.get_num_threads(), "omp": os.environ.get("OMP_NUM_THREADS"),
            "url": PREFECT_API_URL.value()}

@flow(task_runner=task_runner())
def ask(cluster, workers, resources, seconds):
    client = connect(cluster, workers, resources, seconds)
    if cluster and cluster.endswith(".toml"):
        time.sleep(2)  # an adaptive cluster closes whom it sees without work three times
    workers = client.scheduler_info(n_workers=-1)["workers"]
    print(len(workers), {worker["nthreads"] for worker in workers.values()}, look.submit().result())

if __name__ == "__main__":
    quiet_logs()
    with api_server() as wait_until_ready:
        wait_until_ready()
        for asked in json.loads(sys.argv[1]):
            try:
                ask(*asked)
            except CounterpointError as error:
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
        wait_until(started.exists, "it has started", 60)
        time.sleep(0.5)
        assert not stopped.exists(), "somebody waits for it still"
        if how == "the future is cancelled":
            future.cancel()
            wait_until(stopped.exists, "it has stopped", 60)
        client.close()
        wait_until(stopped.exists, "it has stopped", 60)


def test_connecting_outside_a_flow_is_refused() -> None:
    with pytest.raises(RuntimeError, match="inside a flow"):
        connect()


GROWING = """
cluster_class = "dask.distributed.LocalCluster"
[cluster_kwargs]
n_workers = 0
resources = {GPU = 1}
[adapt_kwargs]
minimum = 0
maximum = 1
interval = "100 ms"
"""


@pytest.mark.integration
def test_clusters_that_are_there_run_tasks_and_others_are_one_line(tmp_path: Path) -> None:
    """One on this machine, one at an address, one of a class that starts with no worker; and what is none."""
    script, growing = tmp_path / "ask.py", tmp_path / "growing.toml"
    script.write_text(FLOW)
    growing.write_text(GROWING)
    gpu = {"GPU": 1}
    anywhere = {"dashboard_address": "127.0.0.1:0", "threads_per_worker": 1, "processes": False, "protocol": "tcp"}
    with LocalCluster(n_workers=1, **anywhere) as elsewhere, LocalCluster(n_workers=0, **anywhere) as empty:
        there, nobody = elsewhere.scheduler_address, empty.scheduler_address
        asked = [
            (None, 1, {}, 60),
            (there, None, {}, 60),
            (str(growing), None, gpu, 60),
            (nobody, None, {}, 0.5),
            (there, None, gpu, 0.5),
            ("tcp://127.0.0.1:9", None, {}, 60),
            ("dask.distributed.LocalClutter", None, {}, 60),
        ]
        command = [sys.executable, script, json.dumps(asked)]
        quiet = os.environ | {"COUNTERPOINT_PROGRESS": "quiet"}  # it says that it waits where the machine is slow
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, timeout=200)
    assert done.stderr == ""
    here, address, grown, no_worker, no_gpu, nothing, no_class = done.stdout.splitlines()
    assert here.startswith("1 {1} {'threads': 1, 'omp': '1', 'url': 'http://127.0.0.1:")
    assert address.startswith("1 {1} ")
    assert grown.startswith("1 {1} {'threads': 1, 'omp': '1', ")
    assert no_worker.startswith(f"error: the Dask scheduler on {nobody} has no worker: none came in 0.5 s; start one ")
    assert no_gpu.startswith(f"error: the Dask scheduler on {there} has no worker with GPU=1: the 1 that it has ")
    assert nothing.startswith("error: no Dask cluster on tcp://127.0.0.1:9: ")
    assert no_class == "error: --cluster dask.distributed.LocalClutter: dask.distributed has no class LocalClutter"


def test_the_variables_that_the_document_names_are_dasks() -> None:
    text = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    names = re.findall(r"(DASK_[A-Z_]+)=", text)
    assert len(names) == 7
    for name in names:
        dask.config.get(name.removeprefix("DASK_").lower().replace("__", "."))
