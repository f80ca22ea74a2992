"""Where the files of an official set are found, and what is made of MIDI with a manifest, MIDI alone, or rolls."""

import hashlib
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from infra.errors import ConfigurationError, CorpusError
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.building.official_set import MANIFEST, Published, official_recipe
from tasks.ingest.building.recipe import Source
from tasks.ingest.readers.manifest import COLUMNS

SONGS = Published("songs", "Songs", "Songs.zip", ("Songs.pickle", "Songs.mat"))
RECIPE = official_recipe(SONGS)


def midi(*pitches: int) -> bytes:
    """Notes of a quarter each, one after the other, at 120 beats a minute: two frames of an eighth each."""
    song = pretty_midi.PrettyMIDI(resolution=480, initial_tempo=120)
    piano = pretty_midi.Instrument(program=0)
    piano.notes = [
        pretty_midi.Note(velocity=90, pitch=pitch, start=0.5 * place, end=0.5 * (place + 1))
        for place, pitch in enumerate(pitches)
    ]
    song.instruments.append(piano)
    data = io.BytesIO()
    song.write(data)
    return data.getvalue()


FILES = {
    "train/a.mid": midi(62, 66, 69, 62),  # D major
    "valid/b.mid": midi(60, 64, 67, 60, 64),
    "test/c.mid": midi(60, 65, 69, 65),
}
TRANSPOSED = {"train/a.mid": 3, "valid/b.mid": 0, "test/c.mid": -1}


def archive(files: dict[str, bytes] = FILES) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for name, content in files.items():
            packed.writestr(f"Songs/{name}", content)
    return data.getvalue()


def manifest(dataset: str = "Songs") -> bytes:
    lines = [",".join(COLUMNS)]
    for name, data in FILES.items():
        split, file = name.split("/")
        frames = 2 * (4 if split != "valid" else 5) - 1  # rule 3 drops the first cell
        sha256 = hashlib.sha256(data).hexdigest()
        lines.append(f"{dataset},{split},0,{file},{TRANSPOSED[name]},{frames},{len(data)},{sha256}")
    return "\n".join(lines).encode()


def build(source: Source) -> Corpus:
    return RECIPE.build(RECIPE.read_inputs(source), lambda *_: None, map)


def notes(corpus: Corpus, split: str) -> list[int]:
    (piece,) = corpus.splits[split]
    return [int(np.flatnonzero(frame)[0]) + 21 for frame in piece]


BY_MANIFEST = {
    "train": [65, 69, 69, 72, 72, 65, 65],
    "valid": [60, 64, 64, 67, 67, 60, 60, 64, 64],
    "test": [59, 64, 64, 68, 68, 64, 64],
}


@pytest.mark.parametrize("place", ["", "music-midi"])
@pytest.mark.parametrize("asked", ["the folder above", "the archive"])
def test_midi_with_the_manifest_beside_it(tmp_path: Path, place: str, asked: str) -> None:
    folder = tmp_path / place
    folder.mkdir(exist_ok=True)
    (folder / "Songs.zip").write_bytes(archive())
    (folder / MANIFEST).write_bytes(manifest())
    corpus = build(Source(str(tmp_path if asked == "the folder above" else folder / "Songs.zip")))
    assert {split: notes(corpus, split) for split in SPLITS} == BY_MANIFEST
    assert {split: corpus.titles[split] for split in SPLITS} == {"train": ("a",), "valid": ("b",), "test": ("c",)}


def test_the_manifest_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "Songs.zip").write_bytes(archive())
    (tmp_path / "other.csv").write_bytes(manifest())
    corpus = build(Source(str(tmp_path / "Songs.zip"), str(tmp_path / "other.csv")))
    assert notes(corpus, "train") == BY_MANIFEST["train"]


def test_without_a_manifest_the_keys_are_found_and_the_folders_are_the_splits(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(data)
    corpus = build(Source(str(tmp_path)))
    assert notes(corpus, "train") == [60, 64, 64, 67, 67, 60, 60], "D major, two semitones down"
    assert notes(corpus, "valid") == BY_MANIFEST["valid"]


def test_piano_rolls_where_there_is_no_midi(tmp_path: Path) -> None:
    rolls = {split: [[(note,) for note in BY_MANIFEST[split]]] for split in SPLITS}
    (tmp_path / "music-rolls").mkdir()
    (tmp_path / "music-rolls" / "Songs.pickle").write_bytes(pickle.dumps(rolls, protocol=2))
    corpus = build(Source(str(tmp_path)))
    assert {split: notes(corpus, split) for split in SPLITS} == BY_MANIFEST
    (tmp_path / "Songs.zip").write_bytes(archive())
    (tmp_path / MANIFEST).write_bytes(manifest())
    with_names = build(Source(str(tmp_path)))
    assert with_names.titles["train"] == ("a",), "MIDI goes before rolls: it has the names"
    assert with_names.digest == corpus.digest


def test_the_folder_of_the_variable_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Songs.zip").write_bytes(archive())
    (tmp_path / MANIFEST).write_bytes(manifest())
    monkeypatch.setenv("COUNTERPOINT_DATA", str(tmp_path))
    assert notes(build(Source()), "test") == BY_MANIFEST["test"]


def test_files_of_another_set_are_never_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """COUNTERPOINT_DATA is a folder of many sets: only what is the set's by its name is its."""
    for name, data in FILES.items():
        for folder in ("", "Songs"):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_bytes(data)
    monkeypatch.setenv("COUNTERPOINT_DATA", str(tmp_path))
    assert len(notes(build(Source()), "test")) == 7, "the unpacked archive, by its name"
    musedata = official_recipe(Published("musedata", "MuseData", "MuseData.zip", ("MuseData.mat",)))
    with pytest.raises(CorpusError, match="musedata-midi: .* licence"):
        musedata.read_inputs(Source())


def test_rolls_have_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "Songs.pickle").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="it has no manifest"):
        RECIPE.read_inputs(Source(str(tmp_path / "Songs.pickle"), str(tmp_path / "m.csv")))


def test_a_manifest_of_other_sets_is_told(tmp_path: Path) -> None:
    (tmp_path / "Songs.zip").write_bytes(archive())
    (tmp_path / MANIFEST).write_bytes(manifest("Tunes"))
    with pytest.raises(CorpusError, match="songs: the manifest has no row of 'Songs'"):
        build(Source(str(tmp_path)))


def test_a_changed_file_is_set_aside_and_named(tmp_path: Path) -> None:
    files = FILES | {"train/d.mid": midi(60, 62, 64)}
    changed = files | {"train/d.mid": midi(60, 62, 65)}
    row = f"Songs,train,1,d.mid,0,5,{len(files['train/d.mid'])},{hashlib.sha256(files['train/d.mid']).hexdigest()}"
    (tmp_path / "Songs.zip").write_bytes(archive(changed))
    (tmp_path / MANIFEST).write_bytes(manifest() + f"\n{row}".encode())
    corpus = build(Source(str(tmp_path)))
    assert list(corpus.source["quarantined"]) == ["train/d.mid"]
    assert "sha256" in corpus.source["quarantined"]["train/d.mid"]
    assert len(corpus.splits["train"]) == 1
