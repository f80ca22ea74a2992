"""Campaigns on clusters that are made for them, and across hosts: the results are the same bytes."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from infra.credentials import make_credentials
from infra.store import Store
from tests.chaos.contents import changed, contents
from tests.integration.hosts import Host, hosts, reached_from
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TINY = ("--preset", "smoke", "--corpora", "folk-tunes-words", "--variants", "SGD", "--trials", "1", "--seeds", "1",
        "--epochs", "1", "--share", "1/1")  # fmt: skip
"""All of a small campaign, without the report."""
LONG = ("--corpora", "folk-tunes-words", "--variants", "SGD", "--trials", "1", "--epochs", "100000", "--seed", "4")
"""A trial of minutes: seed 4 draws the lowest learning rate."""
LOCAL = """
cluster_class = "dask.distributed.LocalCluster"

[cluster_kwargs]
n_workers = 1
resources = {GPU = 2}
name = "hush-hush"
"""


def command(store: Path, cluster: str | Path, *options: str) -> list[str]:
    words = ("-m", "prefect", "run", "reproduce", "--store", str(store), "--cluster", str(cluster))
    return [sys.executable, *words, *options]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cluster") / "local.toml"
    path.write_text(LOCAL)
    return path


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory, served: dict[str, str], local: Path
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A campaign on a cluster of a class."""
    store = tmp_path_factory.mktemp("class") / "store"
    words = command(store, local, *TINY)
    return store, subprocess.run(words, cwd=ROOT, env=served, capture_output=True, text=True, timeout=400)


def test_a_campaign_runs_on_a_cluster_of_a_class_that_announces_resources(
    ran: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    store, done = ran
    assert done.returncode == 0, done.stdout + done.stderr
    assert "share 1/1: 2 of 2 trials are stored" in done.stdout
    assert "Traceback" not in done.stderr
    pages = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert b"hush-hush" not in pages + done.stdout.encode() + done.stderr.encode(), "an argument of the class"


def test_a_sigterm_closes_the_cluster_of_a_class_and_ends_the_processes_of_a_trial(
    tmp_path: Path, served: dict[str, str], local: Path
) -> None:
    words = command(tmp_path / "store", local, *LONG, "--processes-per-trial", "2")
    process = subprocess.Popen(
        words, cwd=ROOT, env=served, stderr=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    try:
        of_command = psutil.Process(process.pid)
        # the resource tracker, the fork server, the worker, and the other rank of its trial
        wait_until(lambda: len(of_command.children(recursive=True)) > 3, "all its processes are there", 120)
        time.sleep(2)
        started = of_command.children(recursive=True)
        process.terminate()
        _, told = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 143
    assert told.splitlines()[-1] == "terminated; the same command goes on from what is stored"
    _, alive = psutil.wait_procs(started, timeout=10)
    assert started
    assert not alive


VARIABLE = "DASK_DISTRIBUTED__COMM__TLS__"


def certified(folder: Path, *roles: str) -> dict[str, str]:
    """The variables that docs/operations.md names, for these roles of Dask."""
    pairs = {"CERT": "pem", "KEY": "key"}
    named = {
        f"{VARIABLE}{role.upper()}__{name}": f"{folder / role}.{end}" for role in roles for name, end in pairs.items()
    }
    return {f"{VARIABLE}CA_FILE": str(folder / "ca.pem"), "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True"} | named


@pytest.fixture
def scheduler(tmp_path: Path, served: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The address of a scheduler on one host with a worker on another; and that of the Prefect server for all hosts."""
    make_credentials(tmp_path / "secrets")
    url = urlsplit(served["PREFECT_API_URL"])
    plain = {name: value for name, value in served.items() if name != "PREFECT_API_URL"}
    with ExitStack() as stack:
        own, (one, other) = stack.enter_context(hosts(2))
        port = stack.enter_context(reached_from(own, url.port or 0))
        address = f"tls://{one.address}:8786"

        def start(host: Host, role: str, *words: str) -> None:
            process = subprocess.Popen(
                host.command(sys.executable, "-m", "dask", *words, "--host", host.address, "--no-dashboard"),
                cwd=ROOT, env=plain | certified(tmp_path / "secrets", role),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)

        start(one, "scheduler", "scheduler", "--port", "8786")
        start(other, "worker", "worker", address, "--nthreads", "1", "--no-nanny")
        yield address, f"http://{own}:{port}/api"


def test_a_campaign_across_hosts_with_certificates_has_the_bits_of_one_on_this_machine(
    tmp_path: Path,
    served: dict[str, str],
    ran: tuple[Path, subprocess.CompletedProcess[str]],
    scheduler: tuple[str, str],
) -> None:
    address, api = scheduler
    store = tmp_path / "store"
    environment = served | certified(tmp_path / "secrets", "client") | {"PREFECT_API_URL": api}
    wait_until(lambda: listens(address), "the scheduler listens", 120)
    with pytest.raises(ssl.SSLError, match="certificate required"):
        shake_hands(address)
    words = command(store, address, *TINY)
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    there, here = contents(Store(str(store))), contents(Store(str(ran[0])))
    assert any(name.startswith("trials/") for name in there)
    assert changed(there, here) == []


def listens(address: str) -> bool:
    """Whether a scheduler is there."""
    with socket.socket() as plain:
        return plain.connect_ex((urlsplit(address).hostname, urlsplit(address).port)) == 0


def shake_hands(address: str) -> None:
    """Connect by TLS as anybody could, without a certificate."""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    there = urlsplit(address)
    with (
        socket.create_connection((there.hostname or "", there.port or 0)) as plain,
        anybody.wrap_socket(plain) as secret,
    ):
        secret.recv(1)
