"""The throw-away API server: serves one command, leaves nothing behind, also after Ctrl-C and kill -9."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from prefect.settings import PREFECT_API_SSL_CERT_FILE, PREFECT_API_URL, temporary_settings

from infra.errors import CounterpointError
from infra.machine.scratch import remove_leftovers, scratch_folder
from infra.server.server import _not_started, api_server

pytestmark = pytest.mark.integration


def test_a_server_that_found_no_space_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its log has nothing of it: there was no space for that either."""
    (tmp_path / "server.log").write_text("Fatal Python error: could not acquire lock")
    usage = shutil.disk_usage(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(6)"]) as ended:
        ended.wait()
        assert "ended with 6: Fatal Python error: could not acquire lock" in str(_not_started(ended, tmp_path))
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=4096))
        told = str(_not_started(ended, tmp_path))
    assert f"{tmp_path} has no space left; free some, or set TMPDIR to another folder" in told
    assert "Fatal" not in told


FLOW = """
import sys, time
from prefect import flow, task
from flows.cli.console import told_in_one_line
from infra.cluster.clusters import cluster_early, connect, task_runner
from infra.cluster.forking import fork_workers_from_here
from infra.machine.logs import quiet_logs
from infra.server.server import api_server

@task
def wait(seconds):
    time.sleep(seconds)

@flow(task_runner=task_runner())
def work(seconds):
    workers = int(sys.argv[2])
    connect(None, workers)
    futures = [wait.submit(seconds) for _ in range(workers)]
    print("working", flush=True)
    for future in futures:
        future.wait()

if __name__ == "__main__":
    with told_in_one_line():
        quiet_logs()
        with api_server() as wait_until_ready:
            if "forked" in sys.argv:  # as a command does
                assert fork_workers_from_here()
                with cluster_early(int(sys.argv[2])):
                    wait_until_ready()
                    work(float(sys.argv[1]))
            else:
                wait_until_ready()
                work(float(sys.argv[1]))
"""


def start(tmp_path: Path, seconds: float, workers: int = 1, *how: str, **variables: str) -> subprocess.Popen[str]:
    script = tmp_path / "work.py"
    script.write_text(FLOW)
    return subprocess.Popen(
        [sys.executable, script, str(seconds), str(workers), *how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "PREFECT_HOME": str(tmp_path / "home"), **variables},
        start_new_session=True,  # so that Ctrl-C, which goes to a whole group, does not reach the tests
        # tests that a shell or nohup runs in the background hand on a Ctrl-C or a SIGHUP that is ignored
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)],
    )


def working(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Wait until the flow's tasks run; the processes it has started by then."""
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n", process.communicate()
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    return children


def gone(children: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(children, timeout=20)
    return not alive


def servers_left(folder: Path) -> list[Path]:
    return list(folder.glob("counterpoint-*/api-*"))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder for the temporary files of this process."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch_folder.cache_clear()
    yield tmp_path
    scratch_folder.cache_clear()


# What another user of the machine can do: everything is imported before the user is changed, who may not read it.
STRANGER = """
import asyncio, json, os, sys
import httpx
from distributed import Security
from distributed.comm import connect

folder, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)

own = Security.temporary()

async def reached(address):
    try:
        comm = await connect(address, timeout=5, **own.get_connection_args("client"))
    except (OSError, RuntimeError):
        return None
    await comm.close()
    return address

async def status(client, method, port, path, **rest):
    try:
        return (await client.request(method, f"http://127.0.0.1:{port}{path}", **rest)).status_code
    except httpx.HTTPError:
        return None

async def every(calls):
    return sorted({found for found in await asyncio.gather(*calls) if found is not None})

async def main():
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client:
        return {
            "schedulers": await every(reached(f"{how}://127.0.0.1:{port}") for how in ("tcp", "tls") for port in ports),
            "flows": await every(status(client, "POST", port, "/api/flows/", json={"name": "a"}) for port in ports),
            "pages": await every(status(client, "GET", port, "/info/main/workers.html") for port in ports),
            "enters": os.access(folder, os.R_OK | os.X_OK),
        }

print(json.dumps(asyncio.run(main())))
"""


def listened_on(processes: list[psutil.Process]) -> list[str]:
    found = [each for process in processes for each in process.net_connections("inet") if each.status == "LISTEN"]
    assert {each.laddr.ip for each in found} == {"127.0.0.1"}
    return [str(each.laddr.port) for each in found]


def test_another_user_of_the_machine_reaches_nothing_and_sigterm_ends_a_command_in_one_line(tmp_path: Path) -> None:
    """Whoever reaches a scheduler, or Prefect's server, has code run as the one who runs the campaign."""
    process = start(tmp_path, 300)
    children = working(process)
    (folder,) = tmp_path.glob("counterpoint-*")
    try:
        ports = listened_on([psutil.Process(process.pid), *children])
        command = [sys.executable, "-c", STRANGER, folder, *ports]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
        passwords = {each.environ().get("PREFECT_API_AUTH_STRING") for each in children} - {None}
        commands = [" ".join(each.cmdline()) for each in children]
    finally:
        ends_in_one_line(process, children, signal.SIGTERM, 143, "terminated")
    assert not servers_left(tmp_path)
    assert done.returncode == 0, done.stderr
    enters = os.geteuid() != 0  # where it could not become another user
    assert json.loads(done.stdout) == {"schedulers": [], "flows": [401, 404], "pages": [404], "enters": enters}
    (password,) = passwords  # the workers have it from their environment
    assert not [command for command in commands if password in command]


def test_of_two_commands_at_once_one_is_stopped_the_other_ends_and_nothing_is_left(tmp_path: Path) -> None:
    proxies = {"http_proxy": "http://127.0.0.1:9", "all_proxy": "socks5://127.0.0.1:9"}  # nobody is there
    stopped, ended = start(tmp_path, 300, 1, "forked"), start(tmp_path, 0.1, 1, "forked", **proxies)
    out, err = ended.communicate(timeout=120)
    assert (ended.returncode, out, err) == (0, "working\n", "")
    ends_in_one_line(stopped, working(stopped), signal.SIGINT, 130, "stopped")
    assert not servers_left(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "work.py"], "nothing temporary"
    assert not any((tmp_path / "home").rglob("*"))


def ends_in_one_line(
    process: subprocess.Popen[str], children: list[psutil.Process], number: signal.Signals, code: int, word: str
) -> None:
    """Whether a command that is stopped says so, and leaves none of the processes that it started."""
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, f"{word}; the same command goes on from what is stored\n")
    assert gone(children)


def test_after_kill_9_the_server_and_the_workers_end_too(tmp_path: Path) -> None:
    process = start(tmp_path, 300, 2, "forked")
    children = working(process)
    (server,) = [child for child in children if "api_server.py" in " ".join(child.cmdline())]
    assert not [each.path for each in server.memory_maps() if "tornado" in each.path]  # Dask, which it does not need
    process.kill()
    process.communicate(timeout=60)
    assert gone(children)
    assert servers_left(tmp_path)
    remove_leftovers(tmp_path)
    assert not list(tmp_path.glob("counterpoint-*"))


def test_one_server_serves_a_block_and_whatever_is_inside(scratch: Path) -> None:
    """Commands too, which end without ending it."""
    before = os.environ.get("PREFECT_API_URL")
    with api_server() as wait_until_ready:
        wait_until_ready()
        url = os.environ["PREFECT_API_URL"]
        assert url.startswith("http://127.0.0.1:")
        assert PREFECT_API_URL.value() == url
        assert httpx.get(f"{url}/health").json() is True
        assert len(ssl.create_default_context(cafile=PREFECT_API_SSL_CERT_FILE.value()).get_ca_certs()) == 1
        with api_server() as ready_at_once:
            ready_at_once()
            assert PREFECT_API_URL.value() == url
            assert len(servers_left(scratch)) == 1
        command = start(scratch, 300, 1, "forked")
        ends_in_one_line(command, working(command), signal.SIGHUP, 129, "hung up")
        assert httpx.get(f"{url}/health").json() is True
        assert len(servers_left(scratch)) == 1
    assert os.environ.get("PREFECT_API_URL") == before
    assert not servers_left(scratch)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")


def test_a_configured_server_that_does_not_answer_is_one_line() -> None:
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(CounterpointError, match=r"no Prefect server answers at 127\.0\.0\.1:9 "),
        api_server(),
    ):
        raise AssertionError("the block must not run")
