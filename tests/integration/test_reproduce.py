"""The main job as a person starts it: a first run, a second one, and one that is killed in the middle."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pytest

from infra.provenance import provenance
from infra.store import Store
from tasks.upkeep.verify import verify_store
from tests.integration.conftest import plain_environment

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SMOKE = ("--preset", "smoke", "--corpora", "bach-chorales")
FOUR = ("--epochs", "4", "--workers", "1")


def command(store: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "prefect", "run", "reproduce", "--store", str(store), *SMOKE, *options]


def run(environment: dict[str, str], store: Path, *options: str, umask: int = -1) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(store, *options), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400, umask=umask
    )


def commits(store: Path, kind: str) -> dict[str, str]:
    """The nonce of every commit of that kind: a commit that was made anew has another one."""
    return {path.parent.name: json.loads(path.read_text())["nonce"] for path in store.glob(f"{kind}/*/manifest.json")}


def _basic(password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(password.encode()).decode()}"}


def latest(store: Path) -> Path:
    version = json.loads((store / "latest.json").read_text())["value"]["version"]
    return store / "reports" / version


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    store = tmp_path_factory.mktemp("first") / "store"
    return store, run(plain_environment(), store, umask=0o027)


def test_a_first_run_ends_well_and_says_where_its_report_is(
    first: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    store, done = first
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 trials, 0 stored; about" in done.stdout
    assert "one study tells no difference from the luck of its search" in done.stdout
    assert f"report: {latest(store).as_uri()}/index.html" in done.stdout
    assert "baseline/note-probability" in done.stdout
    assert "Traceback" not in done.stderr, done.stderr


def test_every_file_and_folder_is_for_those_whom_the_umask_lets_in(
    first: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    store, _ = first
    paths = (store, *store.rglob("*"))
    assert {path.name for path in store.iterdir()} > {"reports", "trials", "corpora", "latest.json"}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o750}
    assert {path.stat().st_mode & 0o777 for path in paths if not path.is_dir()} == {0o640}


def test_it_trains_search_and_seeds_and_scores_the_seeds_alone(
    first: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    store, _ = first
    assert len(commits(store, "trials")) == 8
    assert len(commits(store, "scores")) == 4
    document = json.loads((latest(store) / "results.json").read_text())
    searched = {row["key"] for row in document["chosen"]}
    assert not searched & set(commits(store, "scores"))
    assert set(commits(store, "samples")) == set(commits(store, "scores"))
    files = sorted(path.name for path in (latest(store) / "samples").rglob("*.mid"))
    assert files == ["rnn-bernoulli-SGD-C.mid", "rnn-bernoulli-SGD.mid"]


def test_the_report_beats_counting(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """A network that learned nothing would not: the real chorales went through the whole way."""
    store, _ = first
    table = pd.read_parquet(latest(store) / "results.parquet")
    means = table[table["metric"] == "log_likelihood"].set_index("variant")["mean"]
    assert means["baseline/uniform"] == pytest.approx(-60.997, abs=1e-3)
    assert means["baseline/uniform"] < means["baseline/one-probability"] < means["baseline/note-probability"]
    assert means["baseline/note-probability"] < means["rnn/bernoulli/SGD"] < 0


def test_a_second_run_trains_nothing(
    first: tuple[Path, subprocess.CompletedProcess[str]], served: dict[str, str]
) -> None:
    store, _ = first
    before = commits(store, "trials") | commits(store, "scores")
    done = run(served, store)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all 8 trials are stored: nothing to train" in done.stdout
    assert commits(store, "trials") | commits(store, "scores") == before
    # The report is not made again either, unless the code is one that no commit names.
    assert len(commits(store, "reports")) == (2 if provenance()["dirty"] else 1)
    assert "report: " in done.stdout
    url, password = served["PREFECT_API_URL"], served["PREFECT_API_AUTH_STRING"]
    runs = httpx.post(f"{url}/flow_runs/filter", json={}, headers=_basic(password), timeout=60).json()
    (left,) = [each for each in runs if each["parameters"].get("request", {}).get("store") == str(store)]
    assert left["state_type"] == "COMPLETED"
    assert left["name"].startswith("smoke, bach-chorales, ")
    assert set(left["tags"]) >= {"smoke", "bach-chorales"}


def _once_trained(store: Path, environment: dict[str, str], trials: int) -> subprocess.Popen[str]:
    """A run, the group of whose processes is its own, as soon as so many trials are stored."""
    process = subprocess.Popen(
        command(store, *FOUR),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # tests that a shell runs in the background hand on a Ctrl-C that is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 300
    while len(commits(store, "trials")) < trials:
        assert process.poll() is None, f"it ended before it could be stopped: {process.communicate()[1]}"
        assert time.monotonic() < deadline, "no trial was stored"
        time.sleep(0.05)
    return process


def test_a_stopped_and_a_killed_run_go_on_where_they_were(
    tmp_path: Path, first: tuple[Path, subprocess.CompletedProcess[str]], served: dict[str, str]
) -> None:
    store = tmp_path / "store"
    _corpora_of(first[0], store)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = _once_trained(store, plain_environment() | {"TMPDIR": str(temporary)}, 1)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "stopped; the same command goes on from what is stored"
    assert "Traceback" not in err
    assert psutil.wait_procs(children, timeout=20)[1] == []
    assert list(temporary.iterdir()) == []
    assert verify_store(Store(str(store))).damaged == ()
    stopped = commits(store, "trials")

    process = _once_trained(store, served, len(stopped) + 1)
    # The command, its scheduler and its workers at once, without a chance to tidy up.
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    survived = commits(store, "trials")
    assert stopped.items() <= survived.items()
    assert len(survived) < 8
    assert not (store / "latest.json").exists()

    done = run(served, store, *FOUR)
    assert done.returncode == 0, done.stdout + done.stderr
    after = commits(store, "trials")
    assert len(after) == 8
    assert survived.items() <= after.items()
    assert json.loads((latest(store) / "results.json").read_text())["failures"] == []


def _corpora_of(first: Path, store: Path) -> None:
    """A store with the corpora of another one, and nothing else."""
    done_there = shutil.ignore_patterns("trials", "scores", "samples", "checkpoints", "reports", "finished", "latest*")
    shutil.copytree(first, store, ignore=done_there)


def _once_training(process: subprocess.Popen[str]) -> None:
    """Wait until a worker has worked for two seconds since the plan was told."""
    assert process.stdout is not None
    while "about" not in (line := process.stdout.readline()):
        assert line, "it ended before it had told its plan"
    spent: dict[int, float] = {}
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                now = sum(child.cpu_times()[:2])
                if now - spent.setdefault(child.pid, now) > 2:
                    return
        time.sleep(0.1)
    raise AssertionError("no worker works")


def test_sigterm_leaves_a_checkpoint_and_the_run_ends_within_ten_seconds(
    tmp_path: Path, first: tuple[Path, subprocess.CompletedProcess[str]], served: dict[str, str]
) -> None:
    """The first checkpoint that is due by itself comes after half a minute."""
    store = tmp_path / "store"
    _corpora_of(first[0], store)
    long = ("--trials", "1", "--seeds", "1", "--epochs", "100000", "--workers", "1", "--variants", "SGD")
    process = subprocess.Popen(
        command(store, *long), cwd=ROOT, env=served | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _once_training(process)
    children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    _, err = process.communicate(timeout=10)
    assert process.returncode == 143, err
    assert err.splitlines()[-1] == "terminated; the same command goes on from what is stored"
    assert "Traceback" not in err
    assert psutil.wait_procs(children, timeout=10)[1] == []
    (pointer,) = (store / "checkpoints").glob("*.json")
    newest = json.loads(pointer.read_text())["value"]["newest"]
    assert (store / newest / "manifest.json").exists()
    assert int(newest.rpartition("/")[2].partition("-")[0]) > 0, "its updates"


def test_a_mistake_is_answered_in_one_line(tmp_path: Path, served: dict[str, str]) -> None:
    """Others, each in no process of its own: `test_typed.py`."""
    nothing_listens = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    nowhere = ["reproduce", "--quiet", "--preset", "smoke", "--store", "s3://no-such-bucket-of-ours/x"]
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "run", *nowhere],
        cwd=ROOT,
        env=served | nothing_listens,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "127.0.0.1:9" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
