"""The deployments of prefect.yaml on a real server: test_nightly.py has their runs."""

import re
import subprocess
import sys
from typing import Any

import httpx
import pytest

from tests.integration.stays import ROOT, logs
from tests.waiting import wait_until

pytestmark = pytest.mark.integration


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
        "nightly": {"request": {"preset": "nightly", "seed": "day"}},
        "weekly": {"request": {"preset": "thorough", "seed": "week"}},
    }


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
    lasting: httpx.Client, environment: dict[str, str]
) -> None:
    def runs() -> list[dict[str, Any]]:
        asked = {"flows": {"name": {"any_": ["named"]}}, "sort": "START_TIME_ASC"}
        found: list[dict[str, Any]] = lasting.post("/flow_runs/filter", json=asked).raise_for_status().json()
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
    wait_until(lambda: "what it came to" in logs(lasting, runs()[1]["id"]), "the log is there")
