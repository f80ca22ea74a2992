"""README.md and docs/, typed: every block of commands or Python that is marked as tested, see tests/documents.py."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.documents import ROOT, Block, blocks_to_run
from tests.tasks.ingest.test_official_set import midi

pytestmark = pytest.mark.integration

# One process for all of them: one Prefect server, one worker, one import of everything.
TYPE = """
import contextlib, io, json, os, sys, traceback
from pathlib import Path

import distributed

from infra.cli import run_app
from infra.server import api_server
from tests.documents import blocks_to_run, smaller


def values():
    trials = sorted(path.name for path in Path("artifacts/samples").glob("*"))
    named = {"VERSION": "", "DIR": "pulled", "FILE": "sample.mid", "NAME": "temporal-order-20"}
    return named | {"TRIAL": trials[0] if trials else "none"}


def type_(command):
    words = smaller(command, values(), cluster.scheduler_address)
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run_app(words)
        except SystemExit as ended:
            code = ended.code or 0
        except BaseException:
            code = 99
            traceback.print_exc()
    return {"command": command, "words": words, "code": code, "out": out.getvalue(), "err": err.getvalue()}


commands = ["prefect run ingest --midi songs.zip"]
commands += [command for block in blocks_to_run() for command in block.commands]
with (
    distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None
    ) as cluster,
    api_server() as wait_until_ready,
):
    wait_until_ready()
    done = [type_(command) for command in dict.fromkeys(commands)]
Path("done.json").write_text(json.dumps(done))
for number, block in enumerate(blocks_to_run("python")):
    names = {}
    exec(block.text, names)
    shown = {name: repr(value)[:2000] for name, value in names.items() if not name.startswith("__")}
    Path(f"python-{number}.json").write_text(json.dumps({"place": block.place, "names": shown}))
"""


def _song(number: int) -> bytes:
    return midi(*(60 + (number * k * k + 3 * k) % 12 for k in range(12 + number % 7)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything was typed, with the files that the documents name."""
    folder = tmp_path_factory.mktemp("typed")
    with zipfile.ZipFile(folder / "songs.zip", "w") as packed:
        for number in range(20):
            packed.writestr(f"songs/{number:02}.mid", _song(number))
        packed.writestr("songs/broken.mid", b"no MIDI at all")
    with zipfile.ZipFile(folder / "Nottingham.zip", "w") as packed:
        for number, split in enumerate(("train", "train", "train", "valid", "valid", "test", "test")):
            packed.writestr(f"Nottingham/{split}/{number}.mid", _song(number))
    (folder / "texts").mkdir()
    for number in range(40):
        words = " ".join(f"word{(number * k) % 7}" for k in range(30))
        (folder / "texts" / f"{number:02}.txt").write_text(f"chapter {number}\n{words}\n")
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COUNTERPOINT_"))}
    paths = f"{ROOT}{os.pathsep}{mine.get('PYTHONPATH', '')}"
    ended = subprocess.run(
        [sys.executable, "-c", TYPE],
        cwd=folder,
        env=mine | {"PYTHONPATH": paths, "PREFECT_PLUGINS_ENABLED": "false", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def test_every_command_of_the_documents_runs(folder: Path) -> None:
    done: list[dict[str, Any]] = json.loads((folder / "done.json").read_text())
    failed = [f"{each['command']} ({each['words']}): {each['err']}" for each in done if each["code"]]
    assert not failed, "\n".join(failed)
    assert {each["words"][0] for each in done} >= {"plan", "reproduce", "report", "list", "pull", "sample", "ingest"}


def test_commands_leave_what_the_documents_say(folder: Path) -> None:
    said = {each["command"]: each["out"] for each in json.loads((folder / "done.json").read_text())}
    assert "commits are whole" in said["prefect run verify"]
    listed = said["prefect run list"].splitlines()[-1].split()[0]
    assert (folder / "artifacts" / "reports" / listed / "index.html").is_file()
    assert (folder / "pulled" / "index.html").is_file()
    assert (folder / "sample.mid").read_bytes().startswith(b"MThd")


def test_the_report_of_own_files_names_what_was_set_aside(folder: Path) -> None:
    pages = [page.read_text() for page in folder.glob("artifacts/reports/*/corpora.html")]
    assert any("songs" in page and "broken.mid" in page for page in pages)


@pytest.mark.parametrize(("number", "block"), list(enumerate(blocks_to_run("python"))))
def test_every_block_of_python_of_the_documents_runs(folder: Path, number: int, block: Block) -> None:
    ran = json.loads((folder / f"python-{number}.json").read_text())
    assert ran["place"] == block.place
    assert not [name for name, shown in ran["names"].items() if shown in ("None", "{}", "[]")], ran["names"]
