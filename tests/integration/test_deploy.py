"""The deployments of prefect.yaml on a real server: `prefect deploy --all`, and a process worker runs one."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.server import database_template

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PREFECT = [sys.executable, "-m", "prefect", "--no-prompt"]
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    database_template.put(home / "prefect.db")  # else the server runs its migrations, for seconds
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return mine | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def prefect(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [*PREFECT, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def server(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """A server of its own, and a client for it."""
    port = environment["PREFECT_API_URL"].split(":")[2].split("/")[0]
    with (
        background(environment, "server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui"),
        httpx.Client(base_url=environment["PREFECT_API_URL"], trust_env=False, timeout=30) as client,
    ):
        wait_until(lambda: answers(client), "the server answers")
        yield client


class background:  # noqa: N801
    """A prefect command that runs until the block is left."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._log = Path(environment["PREFECT_HOME"]) / f"{arguments[0]}.log"
        self._arguments, self._environment = arguments, environment

    def __enter__(self) -> "background":
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*PREFECT, *self._arguments], cwd=ROOT, env=self._environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def said(self) -> str:
        return self._log.read_text(errors="replace")


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def wait_until(true: Any, what: str, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def deployments(server: httpx.Client, environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    prefect(environment, "work-pool", "create", "counterpoint", "--type", "process")
    prefect(environment, "deploy", "--all")
    found = server.post("/deployments/filter", json={}).raise_for_status().json()
    return {deployment["name"]: deployment for deployment in found}


def test_both_campaigns_are_deployed_on_their_schedules(deployments: dict[str, dict[str, Any]]) -> None:
    schedules = {
        name: [(each["active"], each["schedule"]["cron"], each["schedule"]["timezone"]) for each in found["schedules"]]
        for name, found in deployments.items()
    }
    assert schedules == {"nightly": [(True, "0 2 * * *", "UTC")], "weekly": [(True, "0 4 * * 6", "UTC")]}


def test_a_run_that_is_due_while_one_is_going_is_cancelled(deployments: dict[str, dict[str, Any]]) -> None:
    for found in deployments.values():
        assert found["global_concurrency_limit"]["limit"] == 1
        assert found["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


def test_parameters_are_presets_and_hold_no_secret(deployments: dict[str, dict[str, Any]]) -> None:
    assert {name: found["parameters"] for name, found in deployments.items()} == {
        "nightly": {"request": {"preset": "smoke", "seed": "day"}},
        "weekly": {"request": {"preset": "thorough", "seed": "week"}},
    }


def test_a_worker_runs_the_nightly_campaign_to_its_end(
    server: httpx.Client, environment: dict[str, str], deployments: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    few = {"corpora": ["folk-tunes-words"], "trials": 1, "seeds": 1, "epochs": 1}
    request = {"preset": "smoke", "store": str(tmp_path / "store"), "workers": 1, **few}
    create = f"/deployments/{deployments['nightly']['id']}/create_flow_run"
    run = server.post(create, json={"parameters": {"request": request}}).raise_for_status().json()

    def state() -> dict[str, Any]:
        found: dict[str, Any] = server.get(f"/flow_runs/{run['id']}").raise_for_status().json()["state"]
        return found

    with background(environment, "worker", "start", "--pool", "counterpoint") as worker:
        wait_until(lambda: state()["type"] in ENDED, "the run has ended")
        assert state()["type"] == "COMPLETED", (state()["message"], worker.said()[-4000:])
    assert list((tmp_path / "store" / "reports").glob("*/manifest.json"))


RUN = """
import sys, time
from prefect import flow
from infra.server.run_names import run_name
from infra.server.run_page import introduce, tell_all
from infra.settings import CampaignRequest

@flow(flow_run_name=run_name, persist_result=False)
def named(request: CampaignRequest) -> None:
    introduce(["smoke", "bach-chorales"])
    tell_all("what it came to")
    time.sleep(float(sys.argv[1]))

named(CampaignRequest(preset="smoke", seed=5, store="s"))
"""


def test_a_run_tells_what_it_is_and_one_whose_process_was_killed_is_marked_by_the_next(
    server: httpx.Client, environment: dict[str, str]
) -> None:
    def runs() -> list[dict[str, Any]]:
        asked = {"flows": {"name": {"any_": ["named"]}}, "sort": "START_TIME_ASC"}
        found: list[dict[str, Any]] = server.post("/flow_runs/filter", json=asked).raise_for_status().json()
        return found

    command = [sys.executable, "-c", RUN]
    with subprocess.Popen([*command, "300"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "what it came to\n"
        killed.kill()
    (run,) = runs()
    assert run["state"]["type"] == "RUNNING"
    assert run["tags"] == ["bach-chorales", "smoke"]
    assert re.fullmatch(r"smoke, seed 5, 20\d\d-\d\d-\d\d", run["name"])
    done = subprocess.run([*command, "0"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert [(each["state"]["type"], each["state"]["message"]) for each in runs()] == [
        ("CRASHED", "Its process was killed."),
        ("COMPLETED", None),
    ]
    wait_until(lambda: "what it came to" in logs(server, runs()[1]["id"]), "the log is there")


def logs(server: httpx.Client, run: str) -> list[str]:
    asked = {"logs": {"flow_run_id": {"any_": [run]}}}
    return [each["message"] for each in server.post("/logs/filter", json=asked).raise_for_status().json()]
