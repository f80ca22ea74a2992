"""Ingesting as a person types it: own MIDI, an official set by its address. A campaign on such: `test_documents.py`."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import counterpoint
import pytest

from tests.tasks.ingest.data import data_folder
from tests.tasks.ingest.test_official_set import midi

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def prefect_run(served: dict[str, str]) -> Run:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "prefect", "run", *arguments, "--workers", "1"]
        return subprocess.run(command, cwd=ROOT, env=served, capture_output=True, text=True, timeout=300)

    return run


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("ingest") / "store")


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of fifty unlike little songs, with one file that is no MIDI and one that is none but its name."""
    path = tmp_path_factory.mktemp("songs") / "My Songs.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(50):
            steps = [(number * k * k + 3 * k) % 12 for k in range(12 + number % 7)]
            packed.writestr(f"songs/{number:02}.mid", midi(*(60 + step for step in steps)))
        packed.writestr("songs/broken.mid", b"no MIDI at all")
        packed.writestr("songs/README", b"notes on the songs")
    return path


def test_own_midi_is_ingested_under_a_name_and_what_is_broken_is_named(
    prefect_run: Run, store: str, songs: Path
) -> None:
    done = prefect_run("ingest", "--midi", str(songs), "--store", store)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "my-songs" in done.stdout
    assert "broken.mid" in done.stdout
    corpus = counterpoint.load_corpus(store, "my-songs")
    assert sum(len(pieces) for pieces in corpus.splits.values()) == 50
    assert list(corpus.source["quarantined"]) == ["broken.mid"]
    again = prefect_run("ingest", "--midi", str(songs), "--store", store, "--plain")
    assert again.returncode == 0
    assert "parsing" not in again.stderr, "it is stored"
    assert counterpoint.load_corpus(store, "my-songs").digest == corpus.digest


def test_an_official_set_by_the_address_of_a_copy(prefect_run: Run, store: str) -> None:
    folder = data_folder()
    done = prefect_run(
        "ingest", "jsb-chorales", "--from", str(folder / "music-midi" / "JSB Chorales.zip"), "--store", store
    )
    assert done.returncode == 0, done.stdout + done.stderr
    corpus = counterpoint.load_corpus(store, "jsb-chorales")
    assert {split: corpus.steps(split) for split in corpus.splits} == {"train": 13807, "valid": 4602, "test": 4725}


def test_a_mistake_is_answered_in_one_line(prefect_run: Run, store: str) -> None:
    """Others are told alike: each mistake's own words are those of the unit tests."""
    done = prefect_run("ingest", "--midi", "/nowhere/at/all.zip", "--store", store, "--quiet")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "/nowhere/at/all.zip: No such file" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
