"""Where a result comes from, on this checkout and on made-up ones."""

import getpass
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra import provenance as module
from infra.provenance import provenance

ROOT = Path(__file__).resolve().parents[2]


def git(directory: Path, *arguments: str) -> str:
    # Neither the user's settings nor a hook's variables: these tests may run within a commit.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    clean |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = ["git", "-C", str(directory), "-c", "user.name=n", "-c", "user.email=e", *arguments]
    return subprocess.check_output(command, env=clean, text=True, stderr=subprocess.DEVNULL).strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one commit."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return tmp_path


def test_what_git_archive_made_knows_its_commit(tmp_path: Path) -> None:
    git(ROOT, "archive", "--output", str(tmp_path / "a.tar"), "HEAD", "infra/commit.txt")
    subprocess.run(["tar", "-xf", "a.tar"], cwd=tmp_path, check=True)
    assert module._checkout(tmp_path) == (git(ROOT, "rev-parse", "HEAD"), False)


def test_a_copy_of_the_working_tree_has_no_commit(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "commit.txt").write_text((ROOT / "infra" / "commit.txt").read_text())
    assert module._checkout(tmp_path) == (None, None)


def test_all_is_said_and_is_json() -> None:
    known = provenance()
    assert json.loads(json.dumps(known)) == known
    assert set(known["versions"]) == {"python", "counterpoint", "torch", "numpy", "prefect", "dask"}
    assert known["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    import numpy as np

    assert known["versions"]["numpy"] == np.__version__
    assert known["processor"]
    assert known["cores"] >= 1
    assert known["flow_run"] is None


def test_a_caller_cannot_change_what_the_next_one_gets() -> None:
    provenance()["versions"]["torch"] = "mine"
    provenance()["mine"] = True
    assert provenance()["versions"]["torch"] != "mine"
    assert "mine" not in provenance()


def test_nothing_private_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    text = json.dumps(provenance())
    for private in ("hush-hush", socket.gethostname(), str(ROOT), str(Path.home()) + os.sep):
        assert private not in text
    assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", text)


def test_the_commit_and_whether_the_checkout_differs(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert module._checkout(checkout) == (commit, False)
    (checkout / "new").write_text("a file that git does not know changes results too")
    assert module._checkout(checkout) == (commit, True)
    (checkout / "new").unlink()
    (checkout / "file").write_text("2")
    assert module._checkout(checkout) == (commit, True)


def test_what_no_run_reads_does_not_make_it_differ(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    (checkout / "benchmarks" / "results").mkdir(parents=True)
    (checkout / "benchmarks" / "results" / "scan.json").write_text("{}")
    (checkout / "README.md").write_text("a word")
    assert module._checkout(checkout) == (commit, False)
    (checkout / "models" / "docs").mkdir(parents=True)
    (checkout / "models" / "docs" / "read.py").write_text("")
    assert module._checkout(checkout) == (commit, True)


def test_a_checkout_around_the_package_is_not_ours(checkout: Path) -> None:
    inner = checkout / "site-packages"
    inner.mkdir()
    assert module._checkout(inner) == (None, None)


def test_a_hook_s_variables_do_not_mislead(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert module._checkout(checkout)[0] == git(checkout, "rev-parse", "HEAD")


def test_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert module._checkout(checkout) == (None, None)


def test_the_lock(tmp_path: Path) -> None:
    assert module._lock(tmp_path) is None
    (tmp_path / "constraints.txt").write_bytes(b"torch==2\n")
    assert module._lock(tmp_path) == hashlib.sha256(b"torch==2\n").hexdigest()


def test_the_processor(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Fast: 3 GHz\nmodel name\t: other\n")
    assert module._processor(tmp_path / "cpuinfo") == "Fast: 3 GHz"
    assert module._processor(tmp_path / "missing")


def test_the_flow_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import prefect.runtime  # noqa: F401

    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "1a2b")
    assert provenance()["flow_run"] == "1a2b"


def test_it_loads_nothing_heavy() -> None:
    program = (
        "import sys; from infra.provenance import provenance; provenance();"
        "print(sorted({'torch', 'numpy', 'prefect', 'dask'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True) == "[]\n"
