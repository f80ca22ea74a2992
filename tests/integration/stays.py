"""A Prefect server that stays, as scheduled runs have one: its parts as processes, and what asks it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PREFECT = [sys.executable, "-m", "prefect", "--no-prompt"]
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
QUICK = {
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "2",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT2S",
}
"""A server that looks oftener, so that tests wait less."""


class Patient(httpx.HTTPTransport):
    """Asks again where the server's SQLite is locked, as Prefect's own clients do."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(60):
            response = super().handle_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            response.close()
            time.sleep(0.5)
        return response


def prefect(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [*PREFECT, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class background:  # noqa: N801
    """A prefect command that runs until the block is left."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._log = Path(environment["PREFECT_HOME"]) / f"{arguments[0]}.log"
        self._arguments, self._environment = arguments, environment

    def __enter__(self) -> "background":
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*PREFECT, *self._arguments], cwd=ROOT, env=self._environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def said(self) -> str:
        return self._log.read_text(errors="replace")


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def logs(server: httpx.Client, run: str) -> list[str]:
    asked = {"logs": {"flow_run_id": {"any_": [run]}}}
    return [each["message"] for each in server.post("/logs/filter", json=asked).raise_for_status().json()]


def state(server: httpx.Client, run: str) -> dict[str, Any]:
    """The state of a flow run."""
    found: dict[str, Any] = server.get(f"/flow_runs/{run}").raise_for_status().json()["state"]
    return found


def events(server: httpx.Client, name: str) -> list[dict[str, Any]]:
    """The events of that name, the oldest first."""
    asked = {"filter": {"event": {"name": [name]}, "order": "ASC"}, "limit": 50}
    found: list[dict[str, Any]] = server.post("/events/filter", json=asked).raise_for_status().json()["events"]
    return found
