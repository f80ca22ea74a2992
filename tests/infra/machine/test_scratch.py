"""The folder of a process: its own alone, and gone after it, at the next start at the latest."""

import fcntl
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from infra.errors import CounterpointError
from infra.machine.scratch import remove_leftovers, scratch_folder

MAKE = "from infra.machine.scratch import scratch_folder; print(scratch_folder(), flush=True); input()"


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch_folder.cache_clear()
    yield tmp_path
    scratch_folder.cache_clear()


def folder(parent: Path, name: str, *files: str) -> Path:
    made = parent / name
    made.mkdir()
    for file in files:
        (made / file).write_text("x")
    return made


def test_nobody_else_may_enter_it_and_a_process_has_one(parent: Path) -> None:
    made = scratch_folder()
    assert made.parent == parent
    assert made.stat().st_mode & 0o077 == 0
    assert scratch_folder() == made


def test_what_a_dead_process_left_is_removed_and_nothing_else(parent: Path) -> None:
    dead = folder(parent, "counterpoint-dead", "in-use", "big")
    alive = folder(parent, "counterpoint-alive", "in-use")
    foreign = folder(parent, "counterpoint-of-somebody", "notes")
    other = folder(parent, "other", "in-use")
    with (alive / "in-use").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = scratch_folder()
    assert sorted(parent.iterdir()) == sorted([alive, foreign, other, made])
    assert not dead.exists()


def test_a_link_is_not_followed(parent: Path) -> None:
    victim = folder(parent, "victim", "in-use", "precious")
    (parent / "counterpoint-link").symlink_to(victim)
    remove_leftovers(parent)
    assert (victim / "precious").exists()


@pytest.mark.integration
def test_it_is_gone_after_its_process_and_after_a_killed_one_at_the_next_start(parent: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MAKE], env={"TMPDIR": str(parent), "PYTHONPATH": str(Path(__file__).parents[3])},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as killed:  # fmt: skip
        assert killed.stdout is not None
        left = Path(killed.stdout.readline().strip())
        remove_leftovers(parent)
        assert left.is_dir(), "its process lives"
        killed.kill()
    assert left.is_dir()
    done = subprocess.run(
        [sys.executable, "-c", MAKE], env={"TMPDIR": str(parent), "PYTHONPATH": str(Path(__file__).parents[3])},
        input="\n", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(parent.iterdir()) == []


def test_where_none_can_be_made_the_mend_is_told(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(parent / "nowhere"))
    with pytest.raises(CounterpointError, match="no temporary folder: .*set TMPDIR"):
        scratch_folder()
