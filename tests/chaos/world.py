"""The parts of a deployment on this machine: S3 behind a proxy, Prefect's server, Dask's scheduler and two workers."""

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.chaos.faults import FLOW, INNER, PREFECT, S3, SCHEDULER, WORKERS, Fault
from tests.chaos.often import NOTES
from tests.chaos.parts import ROOT, Part
from tests.infra.s3 import environment, is_up, server_command
from tests.infra.s3_proxy import LossyProxy, lossy_proxy

RESTART_SECONDS = 2.0
"""How long a supervisor waits before it starts again what is gone."""
THROTTLED = (503, "SlowDown", "", {})


class World:
    """All parts but the flow. Made by `world`.

    Attributes:
        environment: variables by which a command finds them.
        s3_endpoint: of the S3 server itself, past the proxy.
        scheduler: its address.
        notes: file in which the workers note what they train.
        proxy: before the S3 server.
        late: the parts that did not end in time when they got a SIGTERM.
    """

    def __init__(self, folder: Path, proxy: LossyProxy, s3: Part, s3_endpoint: str) -> None:
        self.proxy, self.s3_endpoint, self.notes = proxy, s3_endpoint, folder / "notes"
        self.notes.touch()
        api, port = _free_port(), _free_port()
        self.scheduler = f"tcp://127.0.0.1:{port}"
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PREFECT_", "COUNTERPOINT_", "AWS_"))
        }
        plain = kept | {
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "DO_NOT_TRACK": "1",
            "PREFECT_HOME": str(folder),
        }
        self.environment = plain | environment(proxy.endpoint) | {"PREFECT_API_URL": f"http://127.0.0.1:{api}/api"}
        server = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(api)]
        dask = [sys.executable, "-m", "dask"]
        here = ["--host", "127.0.0.1", "--no-dashboard"]
        worker = [*dask, "worker", self.scheduler, "--nthreads", "1", "--nworkers", "1", *here]
        of_worker = self.environment | {NOTES: str(self.notes), "PREFECT_PLUGINS_ENABLED": "false"}
        self.parts = {
            S3: s3,
            PREFECT: Part(PREFECT, server, plain | {"PREFECT_SERVER_ANALYTICS_ENABLED": "false"}, folder),
            SCHEDULER: Part(SCHEDULER, [*dask, "scheduler", "--port", str(port), *here], plain, folder),
            **{
                name: Part(name, [*worker, "--name", name, "--preload", "tests.chaos.often"], of_worker, folder)
                for name in WORKERS
            },
        }
        self.late: list[str] = []
        self._gone: dict[str, float] = {}
        self._throttled_until = 0.0

    def start(self) -> None:
        """Start all that does not run, and wait until the server and both workers answer."""
        for part in self.parts.values():
            part.start()
        _wait_for(self._answers)

    def look_after(self) -> None:
        """What a supervisor does now and then: end pauses that are over, start what is gone for a while."""
        now = time.monotonic()
        if self._throttled_until and now >= self._throttled_until:
            self.proxy.refusal, self._throttled_until = None, 0.0
        self.late += [name for name, part in self.parts.items() if part.is_late()]
        for name, part in self.parts.items():
            part.resume_if_due()
            if part.runs:
                self._gone.pop(name, None)
            elif now - self._gone.setdefault(name, now) >= RESTART_SECONDS:
                part.start()

    def let(self, fault: Fault, flow: Part) -> None:
        """Let a fault happen."""
        for worker in WORKERS:
            if fault.whom == INNER.format(worker):
                self.parts[worker].kill_inner()
                return
        part = flow if fault.whom == FLOW else self.parts[fault.whom]
        if fault.how == "throttled":
            self.proxy.refusal, self._throttled_until = THROTTLED, time.monotonic() + fault.seconds
        elif fault.how == "paused":
            part.pause(fault.seconds)
        elif fault.how == "stopped":
            part.stop()
        else:
            part.signal(signal.SIGKILL)

    def calm(self) -> None:
        """End all pauses."""
        self.proxy.refusal, self._throttled_until = None, 0.0
        for part in self.parts.values():
            part.signal(signal.SIGCONT)

    def _answers(self) -> bool:
        import distributed

        try:
            healthy = httpx.get(f"{self.environment['PREFECT_API_URL']}/health", timeout=2, trust_env=False).is_success
            with distributed.Client(self.scheduler, timeout=5) as client:
                return healthy and len(client.scheduler_info()["workers"]) == len(WORKERS)
        except (httpx.HTTPError, OSError):
            return False


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """All parts, running; ended with the block, whatever happened to them."""
    data = folder / "s3"
    data.mkdir()
    command, endpoint = server_command(data)
    s3 = Part(S3, command, os.environ, folder)
    with lossy_proxy(endpoint) as proxy:
        made = World(folder, proxy, s3, endpoint)
        try:
            s3.start()
            assert s3.process is not None
            assert is_up(s3.process, endpoint), f"weed does not start, see {s3.log}"
            made.start()
            yield made
        finally:
            for part in made.parts.values():
                part.end()
            shutil.rmtree(data, ignore_errors=True)


def _wait_for(true: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("the parts do not start; see their logs")
        time.sleep(0.5)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
