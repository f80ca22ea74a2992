"""The four official sets from their MIDI files: every frame, every split, and the key finder; where the data are."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from infra.errors import ConfigurationError, CorpusError
from tasks.corpus import SPLITS
from tasks.ingest.corpora.official_midi import OFFICIAL_MIDI, OfficialMidi, build_official, find_official
from tasks.ingest.key import semitones_to_c
from tasks.ingest.manifest import ManifestRow, read_manifest
from tasks.ingest.midi_piece import Grid, MidiFile, MidiPiece, parse_batch
from tests.tasks.ingest.data import data_folder

ROLLS = {
    "jsb-chorales": "JSB_Chorales.mat",
    "musedata": "MuseData.mat",
    "nottingham": "Nottingham.mat",
    "piano-midi.de": "Piano_midi.mat",
}
FRAMES = {
    "jsb-chorales": (13_807, 4_602, 4_725),
    "musedata": (245_202, 82_755, 64_339),
    "nottingham": (176_561, 45_513, 44_463),
    "piano-midi.de": (75_911, 8_540, 19_036),
}
KEYS_RIGHT = {"musedata": 769, "nottingham": 1_035, "piano-midi.de": 121}


def read(official: OfficialMidi) -> tuple[dict[str, bytes], tuple[ManifestRow, ...]]:
    folder: Path = data_folder() / "music-midi"
    with zipfile.ZipFile(folder / official.archive) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    return files, read_manifest((folder / "manifest.csv").read_bytes())


@pytest.mark.parametrize("official", OFFICIAL_MIDI, ids=lambda official: official.name)
def test_every_frame_is_that_of_the_official_rolls(official: OfficialMidi) -> None:
    corpus = build_official(official.name, *read(official), lambda done, total: None, map)
    assert corpus.source["quarantined"] == {}
    assert tuple(corpus.steps(split) for split in SPLITS) == FRAMES[official.name]
    matlab = loadmat(data_folder() / "music-rolls" / ROLLS[official.name])
    for split in SPLITS:
        rolls = matlab[f"{split}data"].ravel()
        assert len(rolls) == len(corpus.splits[split])
        for roll, ours, title in zip(rolls, corpus.splits[split], corpus.titles[split], strict=True):
            np.testing.assert_array_equal(ours, roll, err_msg=title)


@pytest.mark.parametrize("name", KEYS_RIGHT)
def test_the_key_that_is_found_is_the_manifests(name: str) -> None:
    official = find_official(name)
    files, manifest = read(official)
    rows = [row for row in manifest if row.dataset == official.dataset]
    unknown = [MidiFile(files[f"{row.dataset}/{row.split}/{row.file}"], Grid(), None) for row in rows]
    found = [piece.key for piece in parse_batch(unknown) if isinstance(piece, MidiPiece)]
    right = sum(semitones_to_c(key.tonic) == row.transpose for key, row in zip(found, rows, strict=True))
    assert right >= KEYS_RIGHT[name]


def test_sets_that_are_not_official_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown official set 'lakh': choose one of jsb-chorales, musedata"):
        find_official("lakh")
    row = ManifestRow("MuseData", "train", 0, "a.mid", 0, 1, 1, "0" * 64)
    with pytest.raises(CorpusError, match="nottingham: the manifest has no row of the dataset 'Nottingham'"):
        build_official("nottingham", {}, [row], lambda done, total: None, map)
