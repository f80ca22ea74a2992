"""The main job elsewhere: a store in S3, and a Dask scheduler given by its address."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import distributed
import pandas as pd
import pytest

from infra.machine.home import cache_folder
from tests.infra.s3 import BUCKET, WRITER, environment, running_server
from tests.integration.planted import PLANTED, files_with, holding, process_lists
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TINY = ("--preset", "smoke", "--corpora", "folk-tunes-words", "--trials", "1", "--seeds", "1", "--epochs", "1")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders that a campaign leaves something in: of the S3 server, a home, temporary files, logs, a report."""
    return {name: tmp_path_factory.mktemp(name) for name in ("s3", "home", "tmp", "logs", "pulled")}


@pytest.fixture(scope="module")
def variables(places: dict[str, Path], served: dict[str, str]) -> Iterator[dict[str, str]]:
    """The variables by which a command, and a worker, finds an S3 server and a Prefect server; with planted secrets."""
    own = {"HOME": str(places["home"]), "TMPDIR": str(places["tmp"]), "XDG_CACHE_HOME": str(cache_folder())}
    with running_server(places["s3"]) as endpoint:
        yield served | environment(endpoint) | PLANTED | own | {"PREFECT_LOGGING_TO_API_ENABLED": "true"}


@pytest.fixture(scope="module")
def started() -> list[subprocess.Popen[bytes]]:
    """The scheduler and the worker of `cluster`."""
    return []


@pytest.fixture(scope="module")
def cluster(
    variables: dict[str, str], started: list[subprocess.Popen[bytes]], places: dict[str, Path]
) -> Iterator[str]:
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
            with (places["logs"] / command[0]).open("wb") as log:
                words = [sys.executable, "-m", "dask", *command]
                started.append(subprocess.Popen(words, cwd=ROOT, env=plain, stdout=log, stderr=log))
        with distributed.Client(address, timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=30)


STORE = f"s3://{BUCKET}/campaigns"


@pytest.fixture(scope="module")
def command_lines(variables: dict[str, str], cluster: str, places: dict[str, Path]) -> set[str]:
    """Those of all processes while a campaign ran, and its report was pulled; what both said is in the logs."""

    def counterpoint(*arguments: str) -> None:
        command = [sys.executable, "-c", "from flows.cli import main; main()", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=500)
        (places["logs"] / arguments[0]).write_text(done.stdout + done.stderr)
        assert done.returncode == 0, done.stdout + done.stderr

    with process_lists() as seen:
        counterpoint("reproduce", "--store", STORE, "--cluster", cluster, *TINY)
        counterpoint("pull", "--store", STORE, "--to", str(places["pulled"]))
    return seen


def test_a_campaign_on_a_dask_scheduler_into_s3_and_its_report_out_of_it(
    command_lines: set[str], places: dict[str, Path]
) -> None:
    assert f"report: {STORE}/reports/" in (places["logs"] / "reproduce").read_text()
    document = json.loads((places["pulled"] / "results.json").read_text())
    assert document["failures"] == []


def test_no_planted_secret_is_anywhere(
    command_lines: set[str], variables: dict[str, str], places: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    """Of the S3 server, the Prefect server, its database, a webhook; and what is no secret is found by the search."""
    wanted = [variables["AWS_SECRET_ACCESS_KEY"], variables["PREFECT_API_AUTH_STRING"], *PLANTED.values()]
    (server,) = tmp_path_factory.getbasetemp().glob("api[0-9]*")
    found = files_with([*places.values(), server, cache_folder() / "counterpoint"], wanted)
    assert {path.name for path in found} == {"s3.json"}, "the S3 server's own list of keys, written by the test"
    assert files_with([server], ["folk-tunes-words"]), "the parameters of the flow run are in the database"

    assert any(f"reproduce --store {STORE}" in line for line in command_lines)
    assert not [line for line in command_lines if any(secret in line for secret in wanted)]

    client = boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_DEFAULT_REGION"],
        aws_access_key_id=WRITER[0],
        aws_secret_access_key=WRITER[1],
    )
    names = [each["Key"] for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
             for each in page.get("Contents", ())]  # fmt: skip
    assert any("record-" in name for name in names), "of trials"
    for name in names:
        held = holding(client.get_object(Bucket=BUCKET, Key=name)["Body"].read(), name, [*wanted, *WRITER])
        assert held == [], name


def test_the_search_finds_a_secret_in_a_file_in_a_table_and_in_a_command_line(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "log").write_text("the key is planted-1\n")
    pd.DataFrame({"reason": ["planted-2 " * 99] * 99}).to_parquet(tmp_path / "trials.parquet", compression="zstd")
    found = files_with([tmp_path], ["planted-1", "planted-2", "planted-3"])
    assert found == {tmp_path / "below" / "log": ["planted-1"], tmp_path / "trials.parquet": ["planted-2"]}
    with process_lists() as seen:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", "planted-4"], check=True)
    assert any("planted-4" in line for line in seen)


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
        wait_until(lambda: any(client.run(is_training).values()), "a worker trains", 120)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not any(client.run(is_training).values()), "no worker trains", 120)
        time.sleep(2)  # what was trained to its end would be committed now
        assert not list(store.glob("trials/*/manifest.json")), "it was stopped, and not trained to its end"
        before = updates(store)

        process = start_long(store, variables, cluster)
        try:
            wait_until(lambda: any(client.run(is_training).values()), "a worker trains", 120)
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
