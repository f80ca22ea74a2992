"""The main job elsewhere: a store in S3, and a Dask scheduler given by its address."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import distributed
import pytest

from tests.infra.s3 import BUCKET, WRITER, environment, running_server

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TINY = ("--preset", "smoke", "--corpora", "folk-tunes-words", "--trials", "1", "--seeds", "1", "--epochs", "1")


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory, served: dict[str, str]) -> Iterator[dict[str, str]]:
    """The variables by which a command, and a worker, finds an S3 server and a Prefect server."""
    with running_server(tmp_path_factory.mktemp("s3")) as endpoint:
        yield served | environment(endpoint)


@pytest.fixture(scope="module")
def started() -> list[subprocess.Popen[bytes]]:
    """The scheduler and the worker of `cluster`."""
    return []


@pytest.fixture(scope="module")
def cluster(variables: dict[str, str], started: list[subprocess.Popen[bytes]]) -> Iterator[str]:
    """A scheduler and one worker as somebody else would start them, who knows nothing of the Prefect server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
    port = address.rsplit(":", 1)[1]
    commands = [
        ["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"],
        ["worker", address, "--nthreads", "1", "--nworkers", "1", "--no-dashboard", "--host", "127.0.0.1"],
    ]
    plain = {name: value for name, value in variables.items() if not name.startswith("PREFECT_")}
    try:
        for command in commands:
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", *command],
                    cwd=ROOT,
                    env=plain,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        with distributed.Client(address, timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=30)


def test_a_campaign_on_a_dask_scheduler_into_s3_and_its_report_out_of_it(
    tmp_path: Path, variables: dict[str, str], cluster: str
) -> None:
    def counterpoint(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from flows.cli import main; main()", *arguments]
        return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300)

    store = f"s3://{BUCKET}/campaigns"
    done = counterpoint("reproduce", "--store", store, "--cluster", cluster, *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"report: {store}/reports/" in done.stdout

    pulled = counterpoint("pull", "--store", store, "--to", str(tmp_path / "pulled"))
    assert pulled.returncode == 0, pulled.stderr
    document = json.loads((tmp_path / "pulled" / "results.json").read_text())
    assert document["failures"] == []
    page = (tmp_path / "pulled" / "index.html").read_text()
    for secret in WRITER:
        assert secret not in page + json.dumps(document) + done.stdout + done.stderr


def start_long(store: Path, variables: dict[str, str], cluster: str) -> subprocess.Popen[bytes]:
    """A command with one trial of minutes: seed 4 draws the lowest learning rate."""
    long = ("--corpora", "folk-tunes-words", "--variants", "SGD", "--trials", "1", "--epochs", "100000", "--seed", "4")
    command = [sys.executable, "-m", "prefect", "run", "reproduce", "--store", str(store), "--cluster", cluster]
    return subprocess.Popen(
        [*command, *long], cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def test_a_worker_stops_the_trial_of_a_command_that_was_killed_and_one_that_gets_a_sigterm_its_own(
    tmp_path: Path, variables: dict[str, str], cluster: str, started: list[subprocess.Popen[bytes]]
) -> None:
    """Else it would go on for hours, for nobody, and the next campaign would wait behind it."""
    store = tmp_path / "store"
    with distributed.Client(cluster) as client:
        process = start_long(store, variables, cluster)
        # Only its own thread says what a worker does: the scheduler forgets the tasks of a client that is gone.
        wait_until(lambda: any(client.run(is_training).values()))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not any(client.run(is_training).values()))
        time.sleep(2)  # what was trained to its end would be committed now
        assert not list(store.glob("trials/*/manifest.json")), "it was stopped, and not trained to its end"
        before = updates(store)

        process = start_long(store, variables, cluster)
        try:
            wait_until(lambda: any(client.run(is_training).values()))
            time.sleep(2)
            started[-1].terminate()
            started[-1].wait(timeout=10)
            assert updates(store) > before, "it went on from the checkpoint, and left one of its own"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def updates(store: Path) -> int:
    """Of the one checkpoint that is there."""
    (pointer,) = store.glob("checkpoints/*.json")
    newest = json.loads(pointer.read_text())["value"]["newest"]
    assert (store / newest / "manifest.json").exists()
    return int(newest.rpartition("/")[2].partition("-")[0])


def is_training() -> bool:
    """Run on a worker: whether one of its threads is in `models.training.train_stack`, looked at for two seconds.

    One look is not enough: a thread runs on while its stack is walked, and may return from the frames it began with.
    """
    import sys
    import time

    for _ in range(20):
        for top in sys._current_frames().values():
            frame = top
            while frame is not None:
                if frame.f_code.co_name == "train_stack" and frame.f_code.co_filename.endswith(
                    "models/training/run.py"
                ):
                    return True
                frame = frame.f_back
        time.sleep(0.1)
    return False


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)
