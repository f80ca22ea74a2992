"""Commands as a person types them: every block of README.md and docs/ that is marked as tested, see
tests/documents.py; own files and an official set by its address; mistakes, each told in one line.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import counterpoint
import pytest

from tests.documents import ROOT, Block, blocks_to_run
from tests.tasks.ingest.building.test_official_set import midi
from tests.tasks.ingest.data import data_folder

pytestmark = pytest.mark.integration

# One process for all of them: one worker, one import of everything.
TYPE = """
import contextlib, json, os, sys, tempfile, traceback
from datetime import UTC, datetime
from pathlib import Path

import distributed

from flows.cli import run_app
from infra.server.server import api_server
from infra.store import Store
from tasks.publishing.publish import publish
from tests.documents import blocks_to_run, smaller


def values():
    trials = sorted(path.name for path in Path("artifacts/samples").glob("*"))
    named = {"STORE": "artifacts", "OTHER": "another-store", "VERSION": "", "DIR": "pulled"}
    named |= {"FILE": "sample.mid", "NAME": "temporal-order-20"}
    return named | {"TRIAL": trials[0] if trials else "none"}


def old_report():
    # which no pointer names
    return publish(Store("artifacts"), {"index.html": b"<p>"}, {}, now=datetime(2026, 1, 1, tzinfo=UTC))


def type_(command):
    named = values() | ({"OLD": old_report()} if "OLD" in command.split() else {})
    return run(command, smaller(command, named, cluster.scheduler_address))


@contextlib.contextmanager
def captured(stream):
    # the descriptor, and not the object: loggers have their own
    stream.flush()
    kept, told = os.dup(stream.fileno()), []
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), stream.fileno())
        try:
            yield told
        finally:
            stream.flush()
            os.dup2(kept, stream.fileno())
            os.close(kept)
            file.seek(0)
            told.append(file.read().decode())


def run(command, words):
    code = 0
    with captured(sys.stdout) as out, captured(sys.stderr) as err:
        try:
            run_app(words)
        except SystemExit as ended:
            code = ended.code or 0
        except BaseException:
            code = 99
            traceback.print_exc()
    return {"command": command, "words": words, "code": code, "out": out[0], "err": err[0]}


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
    others = json.loads(Path("others.json").read_text())
    own = [run(name, [*words, "--cluster", cluster.scheduler_address]) for name, words in others.items()]
Path("done.json").write_text(json.dumps(done))
Path("own.json").write_text(json.dumps({each["command"]: each for each in own}))
for number, block in enumerate(blocks_to_run("python")):
    names = {}
    exec(block.text, names)
    shown = {name: repr(value)[:2000] for name, value in names.items() if not name.startswith("__")}
    Path(f"python-{number}.json").write_text(json.dumps({"place": block.place, "names": shown}))
"""


# What is typed beside the documents, by the name that the tests below know it by.
OTHERS = {
    "own files": ["ingest", "--midi", "My Songs.zip", "--store", "own", "--plain"],
    "own files again": ["ingest", "--midi", "My Songs.zip", "--store", "own", "--plain"],
    "no such file": ["ingest", "--midi", "/nowhere/at/all.zip", "--store", "own", "--quiet"],
    "no such technique": ["reproduce", "--variants", "SGD+X", "--preset", "smoke", "--store", "own", "--quiet"],
}
OFFICIAL = "official set by the address of a copy"


def _song(number: int) -> bytes:
    return midi(*(60 + (number * k * k + 3 * k) % 12 for k in range(12 + number % 7)))


def _official() -> Path | None:
    """The MIDI files of JSB Chorales, None where the real data are not here."""
    try:
        return data_folder() / "music-midi" / "JSB Chorales.zip"
    except pytest.skip.Exception:
        return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, served: dict[str, str]) -> Path:
    """Where everything was typed, with the files that the documents name."""
    folder = tmp_path_factory.mktemp("typed")
    with zipfile.ZipFile(folder / "songs.zip", "w") as packed:
        for number in range(20):
            packed.writestr(f"songs/{number:02}.mid", _song(number))
        packed.writestr("songs/broken.mid", b"no MIDI at all")
    with zipfile.ZipFile(folder / "Nottingham.zip", "w") as packed:
        for number, split in enumerate(("train", "train", "train", "valid", "valid", "test", "test")):
            packed.writestr(f"Nottingham/{split}/{number}.mid", _song(number))
    with zipfile.ZipFile(folder / "My Songs.zip", "w") as packed:
        for number in range(50):
            packed.writestr(f"songs/{number:02}.mid", _song(number))
        packed.writestr("songs/broken.mid", b"no MIDI at all")
        packed.writestr("songs/README", b"notes on the songs")
    others = dict(OTHERS)
    if (chorales := _official()) is not None:
        others[OFFICIAL] = ["ingest", "jsb-chorales", "--from", str(chorales), "--store", "own"]
    (folder / "others.json").write_text(json.dumps(others))
    (folder / "texts").mkdir()
    for number in range(40):
        words = " ".join(f"word{(number * k) % 7}" for k in range(30))
        (folder / "texts" / f"{number:02}.txt").write_text(f"chapter {number}\n{words}\n")
    paths = f"{ROOT}{os.pathsep}{served.get('PYTHONPATH', '')}"
    ended = subprocess.run(
        [sys.executable, "-c", TYPE],
        cwd=folder,
        env=served | {"PYTHONPATH": paths, "PREFECT_PLUGINS_ENABLED": "false", "OMP_NUM_THREADS": "1"},
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


def test_with_json_standard_output_has_one_object_and_nothing_else(folder: Path) -> None:
    done: list[dict[str, Any]] = json.loads((folder / "done.json").read_text())
    told = {each["words"][0]: each["out"] for each in done if "--json" in each["words"]}
    schemas = {command: json.loads(out)["schema"] for command, out in told.items() if out.count("\n") == 1}
    assert schemas == {name: f"counterpoint.{name}" for name in ("plan", "list")} | {
        "reproduce": "counterpoint.outcome"
    }


def test_the_report_of_own_files_names_what_was_set_aside(folder: Path) -> None:
    pages = [page.read_text() for page in folder.glob("artifacts/reports/*/index.html")]
    assert any("songs" in page and "broken.mid" in page for page in pages)


@pytest.mark.parametrize(("number", "block"), list(enumerate(blocks_to_run("python"))))
def test_every_block_of_python_of_the_documents_runs(folder: Path, number: int, block: Block) -> None:
    ran = json.loads((folder / f"python-{number}.json").read_text())
    assert ran["place"] == block.place
    assert not [name for name, shown in ran["names"].items() if shown in ("None", "{}", "[]")], ran["names"]


@pytest.fixture
def own(folder: Path) -> dict[str, dict[str, Any]]:
    """What came of each of `OTHERS`."""
    told: dict[str, dict[str, Any]] = json.loads((folder / "own.json").read_text())
    return told


def test_own_midi_is_ingested_under_a_name_and_what_is_broken_is_named(
    folder: Path, own: dict[str, dict[str, Any]]
) -> None:
    first, again = own["own files"], own["own files again"]
    assert first["code"] == 0, first
    assert "my-songs" in first["out"]
    assert "broken.mid" in first["out"]
    assert "parsing my-songs" in first["err"]
    corpus = counterpoint.load_corpus(str(folder / "own"), "my-songs")
    assert sum(len(pieces) for pieces in corpus.splits.values()) == 50
    assert list(corpus.source["quarantined"]) == ["broken.mid"]
    assert again["code"] == 0, again
    assert corpus.digest[:12] in first["out"]
    assert again["out"] == first["out"]
    assert "parsing" not in again["err"], "it is stored"


def test_an_official_set_by_the_address_of_a_copy(folder: Path, own: dict[str, dict[str, Any]]) -> None:
    data_folder()
    assert own[OFFICIAL]["code"] == 0, own[OFFICIAL]
    corpus = counterpoint.load_corpus(str(folder / "own"), "jsb-chorales")
    assert {split: corpus.steps(split) for split in corpus.splits} == {"train": 13807, "valid": 4602, "test": 4725}


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [("no such file", 1, "/nowhere/at/all.zip: No such file"), ("no such technique", 2, "technique 'X'")],
)
def test_a_mistake_is_answered_in_one_line(own: dict[str, dict[str, Any]], name: str, code: int, words: str) -> None:
    """In a process of its own: `test_reproduce.py`. Each mistake's own words are those of the unit tests."""
    assert own[name]["code"] == code, own[name]
    assert words in own[name]["err"]
    assert len(own[name]["err"].strip().splitlines()) == 1, own[name]["err"]
