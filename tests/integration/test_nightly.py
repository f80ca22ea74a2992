"""Nights that go wrong, on a real server: what is told by webhook and mail, what piles up, what a cancel leaves."""

import contextlib
import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from tests.integration.stays import ENDED, PREFECT, ROOT, background, events, logs, state
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

PUBLISHED = "counterpoint.report.published"
HOOK, PASSWORD = "planted-hook-secret", "planted-mail-secret"


class Webhook(ThreadingHTTPServer):
    """Keeps the texts that are posted to its one address."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        super().__init__(("127.0.0.1", 0), _Posted)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{HOOK}"


class _Posted(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == f"/{HOOK}" and self.headers["Content-Type"] == "application/json":
            self.server.texts.append(json.loads(body)["text"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Mail(socketserver.ThreadingTCPServer):
    """Takes mail of who knows the password, and keeps it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        super().__init__(("127.0.0.1", 0), _Mailed)

    @property
    def address(self) -> str:
        to = "from=night@example.org&to=me@example.org"
        return f"mailto://night:{PASSWORD}@127.0.0.1:{self.server_address[1]}?{to}&smtp=127.0.0.1&mode=insecure"


class _Mailed(socketserver.StreamRequestHandler):
    server: Mail

    def handle(self) -> None:
        self._say("220 here")
        for line in iter(self.rfile.readline, b""):
            word = line[:4].upper()
            if word == b"EHLO":
                self._say("250-here\r\n250 AUTH PLAIN")
            elif word == b"DATA":
                self._say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.texts.append(b"".join(lines).decode())
                self._say("250 kept")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("235 yes" if word == b"AUTH" else "250 yes")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextlib.contextmanager
def served(server: socketserver.TCPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    with (webhook := Webhook()), served(webhook):
        yield webhook


@pytest.fixture(scope="module")
def mail() -> Iterator[Mail]:
    with (mail := Mail()), served(mail):
        yield mail


@pytest.fixture(scope="module")
def told(lasting: httpx.Client, environment: dict[str, str], webhook: Webhook) -> dict[str, Any]:
    """What `prefect run notify --test` answers, who types the address where no process list has it."""
    command = [*PREFECT, "run", "notify", "--test", "--json"]
    typed = webhook.address + "\n"
    done = subprocess.run(command, cwd=ROOT, env=environment, input=typed, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert HOOK not in done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_one_command_has_the_server_tell(
    told: dict[str, Any], webhook: Webhook, lasting: httpx.Client, environment: dict[str, str]
) -> None:
    assert told["to"] == ["a webhook at 127.0.0.1"]
    assert told["tested"] == "sent"
    assert webhook.texts[0] == "Counterpoint: a score regressed\nA test message of Counterpoint."
    named = [each["name"] for each in lasting.post("/automations/filter", json={}).raise_for_status().json()]
    assert sorted(named) == sorted(told["automations"])
    assert len(named) == 4


NIGHTS = """
import sys
from datetime import UTC, datetime, timedelta
from prefect import flow
from infra.server import notifications
from infra.server.run_page import introduce
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.publishing.finished import report_address
from tasks.publishing.publish import publish
from tasks.publishing.since_last import tell_since_last
from tasks.report.kept import FOLDER, kept_files
from tests.tasks.report.compared.versions import LEVELS, C, version

store, now = Store(sys.argv[1]), datetime.now(UTC)

def files(luck, levels):
    document = b'{"campaign": {"preset": "small", "changes": []}, "answers": {}}'
    return {f"{FOLDER}/{name}": data for name, data in kept_files(version(luck, levels)).items()} | {
        "results.json": document
    }

@flow(persist_result=False)
def night(luck, levels, ago):
    introduce(["small"])
    made = publish(store, files(luck, levels), {}, now=now - timedelta(hours=ago))
    tell_since_last(store, made, "small", report_address(store, made))

for _ in range(2):  # twice gives one
    notifications.notify(sys.argv[2], unstarted=timedelta(seconds=10))
night(1, LEVELS, 48)
night(2, LEVELS, 24)
night(3, LEVELS | {C: -9.6}, 0)
"""


def test_a_regression_is_told_with_its_interval_and_nothing_else_is(
    told: dict[str, Any], webhook: Webhook, mail: Mail, lasting: httpx.Client, environment: dict[str, str],
    tmp_path: Path,
) -> None:  # fmt: skip
    before = len(webhook.texts)
    command = [sys.executable, "-c", NIGHTS, str(tmp_path / "store"), mail.address]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "against the last report of small: Of 4 scores 1 regressed: " in done.stdout
    wait_until(lambda: len(webhook.texts) > before and mail.texts, "both have a message")
    wait_until(lambda: len(events(lasting, PUBLISHED)) == 3, "all three are published")
    (text,) = webhook.texts[before:]
    assert text.startswith("Counterpoint: a score regressed\nsmall: Of 4 scores 1 regressed: ")
    assert "songs: SGD+C (−0." in text
    assert "]) regressed" in text
    assert text.endswith("/index.html")
    (message,) = mail.texts
    assert "Subject: Counterpoint: a score regressed" in message
    assert len(lasting.post("/automations/filter", json={}).raise_for_status().json()) == 4

    published = events(lasting, PUBLISHED)
    verdicts = [event["payload"]["verdict"] for event in published]
    assert verdicts == ["the first of its preset", "cannot be told", "regressed"]
    (event,) = events(lasting, "counterpoint.report.regressed")
    (score,) = event["payload"]["scores"]
    assert (score["variant"], score["verdict"]) == ("rnn/bernoulli/SGD+C", "regressed")
    assert score["low"] < score["change"] < score["high"] < 0
    assert event["resource"]["counterpoint.preset"] == "small"
    (run,) = [each for each in event["related"] if each["prefect.resource.role"] == "flow-run"]
    run_id = run["prefect.resource.id"].rpartition(".")[2]
    assert "regressed" in lasting.get(f"/flow_runs/{run_id}").raise_for_status().json()["tags"]
    wait_until(lambda: any("1 regressed" in line for line in logs(lasting, run_id)), "its log has it")


FEW = {"preset": "smoke", "corpora": ["folk-tunes-words"], "variants": ["SGD"], "trials": 1, "seeds": 1, "workers": 1}


def create(lasting: httpx.Client, deployment: dict[str, Any], request: dict[str, Any], **more: Any) -> str:
    asked = {"parameters": {"request": request}, **more}
    made = lasting.post(f"/deployments/{deployment['id']}/create_flow_run", json=asked).raise_for_status().json()
    return str(made["id"])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nights") / "store"


@pytest.fixture(scope="module")
def missed(lasting: httpx.Client, deployments: dict[str, dict[str, Any]], store: Path) -> list[str]:
    """The runs of three nights on which no worker was there."""
    due = [datetime.now(UTC) - timedelta(days=days) for days in (3, 2, 1)]
    request = FEW | {"store": str(store), "epochs": 1, "seed": "day"}
    return [
        create(
            lasting,
            deployments["nightly"],
            request,
            state={"type": "SCHEDULED", "state_details": {"scheduled_time": when.isoformat()}},
        )
        for when in due
    ]


def test_a_night_on_which_nobody_works_is_told(told: dict[str, Any], webhook: Webhook, missed: list[str]) -> None:
    def late() -> list[str]:
        return [text for text in webhook.texts if text.startswith("Counterpoint: a run did not start\nnightly, ")]

    wait_until(lambda: len(late()) == len(missed), "each is told")
    assert all("not started: is a worker there?" in text for text in late())


@pytest.fixture(scope="module")
def worker(missed: list[str], lasting: httpx.Client, environment: dict[str, str]) -> Iterator[background]:
    with background(environment, "worker", "start", "--pool", "counterpoint") as worker:
        yield worker


def test_missed_nights_do_not_pile_up(
    lasting: httpx.Client, missed: list[str], worker: background, store: Path
) -> None:
    wait_until(lambda: all(state(lasting, run)["type"] in ENDED for run in missed), "all have ended")
    states = [state(lasting, run) for run in missed]
    ended = sorted(each["type"] for each in states)
    assert ended == ["CANCELLED", "CANCELLED", "COMPLETED"], (states, worker.said()[-4000:])
    cancelled = {each["message"] for each in states if each["type"] == "CANCELLED"}
    assert cancelled == {"Deployment concurrency limit reached."}
    (manifest,) = (store / "reports").glob("*/manifest.json")
    wait_until(
        lambda: manifest.parent.name in [each["payload"]["version"] for each in events(lasting, PUBLISHED)],
        "its event is there",
    )


def has_begun(process: psutil.Process) -> bool:
    """Whether a worker trains: the compiled code of training is loaded, or where there is none, it worked for long."""
    return "/counterpoint/native/" in Path(f"/proc/{process.pid}/maps").read_text() or sum(process.cpu_times()[:2]) > 15


def listening(process: psutil.Process) -> list[Any]:
    """The sockets that a process listens on, if it is still there."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [each for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN]
    return []


def test_a_run_that_is_cancelled_leaves_a_checkpoint_and_no_process(
    lasting: httpx.Client, deployments: dict[str, dict[str, Any]], worker: background, store: Path, webhook: Webhook
) -> None:
    long = FEW | {"store": str(store), "epochs": 100_000, "seed": 4}
    run = create(lasting, deployments["weekly"], long)
    begun: dict[int, float] = {}

    def training() -> bool:
        assert state(lasting, run)["type"] not in ENDED, worker.said()[-4000:]
        for child in psutil.Process(worker.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error, FileNotFoundError):
                if "spawn_main" in " ".join(child.cmdline()) and has_begun(child):  # of Dask
                    now = sum(child.cpu_times()[:2])
                    return now - begun.setdefault(child.pid, now) > 1.5
        return False

    wait_until(training, "a worker of its cluster trains")
    children = psutil.Process(worker.process.pid).children(recursive=True)
    assert len(children) >= 3, "the flow, Python's resource tracker, and a worker"
    everybody = psutil.Process().children(recursive=True)
    assert {socket.laddr.ip for each in everybody for socket in listening(each)} == {"127.0.0.1"}
    lasting.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "CANCELLING"}}).raise_for_status()
    assert psutil.wait_procs(children, timeout=60)[1] == []
    wait_until(lambda: state(lasting, run)["type"] in ENDED, "it has ended")
    assert state(lasting, run)["type"] == "CANCELLED"
    assert psutil.Process(worker.process.pid).children(recursive=True) == []
    (pointer,) = (store / "checkpoints").glob("*.json")
    newest = json.loads(pointer.read_text())["value"]["newest"]
    assert (store / newest / "manifest.json").exists()
    assert int(newest.rpartition("/")[2].partition("-")[0]) > 0, "its updates"
    assert "was killed by signal 15" not in worker.said(), "the flow closes its workers"
    assert not [text for text in webhook.texts if "a run failed" in text], "who cancels knows of it"


def test_a_run_without_a_heartbeat_has_crashed_and_is_told(
    told: dict[str, Any], lasting: httpx.Client, deployments: dict[str, dict[str, Any]], webhook: Webhook,
    environment: dict[str, str],
) -> None:  # fmt: skip
    """The heartbeat is as Prefect's flow engine sends it; its process would be on a machine that lost its power."""
    typed = "import sys; from infra.server.notifications import *; notify(sys.argv[1], silent=timedelta(seconds=10))"
    subprocess.run([sys.executable, "-c", typed, webhook.address], cwd=ROOT, env=environment, check=True, timeout=120)
    weekly = deployments["weekly"]
    run = create(lasting, weekly, {"preset": "thorough"}, name="lost", state={"type": "PENDING"})
    lasting.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "RUNNING"}}).raise_for_status()
    related = [
        {"prefect.resource.id": f"prefect.flow.{weekly['flow_id']}", "prefect.resource.role": "flow",
         "prefect.resource.name": "reproduce"},
        {"prefect.resource.id": f"prefect.deployment.{weekly['id']}", "prefect.resource.role": "deployment"},
    ]  # fmt: skip
    heartbeat = {
        "id": str(uuid4()), "occurred": datetime.now(UTC).isoformat(), "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run}"}, "related": related,
    }  # fmt: skip
    lasting.post("/events", json=[heartbeat]).raise_for_status()
    wait_until(lambda: any("weekly, lost: " in text for text in webhook.texts), "it is told")
    (text,) = [text for text in webhook.texts if "weekly, lost: " in text]
    assert text == "Counterpoint: a run failed\nweekly, lost: Crashed: It sends no heartbeat any more."
    assert state(lasting, run)["type"] == "CRASHED"


def test_a_run_that_failed_is_told_and_nothing_is_left_of_what_is_removed(
    told: dict[str, Any], lasting: httpx.Client, deployments: dict[str, dict[str, Any]], webhook: Webhook,
    environment: dict[str, str],
) -> None:  # fmt: skip
    pending = {"type": "PENDING"}  # no worker takes it
    run = create(lasting, deployments["weekly"], {"preset": "thorough"}, name="broken", state=pending)
    failed = {"state": {"type": "FAILED", "message": "2 of 9 trials did not come to an end"}, "force": True}
    lasting.post(f"/flow_runs/{run}/set_state", json=failed).raise_for_status()
    wait_until(lambda: any("weekly, broken: " in text for text in webhook.texts), "it is told")
    (text,) = [text for text in webhook.texts if "weekly, broken: " in text]
    assert text == "Counterpoint: a run failed\nweekly, broken: Failed: 2 of 9 trials did not come to an end"

    done = subprocess.run(
        [*PREFECT, "run", "notify", "--remove"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert lasting.post("/automations/filter", json={}).raise_for_status().json() == []
    left = lasting.post("/block_documents/filter", json={}).raise_for_status().json()
    assert [each["name"] for each in left if each["name"] == "counterpoint-notify"] == []
    home = Path(environment["PREFECT_HOME"])
    found = [path for path in home.rglob("*") if path.is_file() and _has(path, HOOK, PASSWORD)]
    assert found == [], "neither the database nor a log has them in clear"


def _has(path: Path, *secrets: str) -> bool:
    data = path.read_bytes()
    return any(secret.encode() in data for secret in secrets)
