"""The four official sets from their MIDI files: every frame, every split, and the key finder; where the data are."""

import numpy as np
import pytest
from scipy.io import loadmat

from tasks.corpus.corpus import SPLITS
from tasks.ingest.building.midi_piece import OFFICIAL, MidiFile, MidiPiece, parse_batch
from tasks.ingest.building.official_set import MANIFEST
from tasks.ingest.building.recipe import Source
from tasks.ingest.readers.key import semitones_to_c
from tasks.ingest.readers.manifest import read_manifest
from tests.tasks.ingest.corpora.whole import built, inputs_of, recipe_of
from tests.tasks.ingest.data import data_folder

pytestmark = pytest.mark.integration  # the real files, 20 MB of them

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


@pytest.mark.parametrize("name", ROLLS)
def test_every_frame_is_that_of_the_official_rolls(name: str) -> None:
    corpus, _ = built(name)
    assert corpus.source["quarantined"] == {}
    assert tuple(corpus.steps(split) for split in SPLITS) == FRAMES[name]
    matlab = loadmat(data_folder() / "music-rolls" / ROLLS[name])
    for split in SPLITS:
        rolls = matlab[f"{split}data"].ravel()
        assert len(rolls) == len(corpus.splits[split])
        for roll, ours, title in zip(rolls, corpus.splits[split], corpus.titles[split], strict=True):
            np.testing.assert_array_equal(ours, roll, err_msg=title)


@pytest.mark.parametrize("name", ROLLS)
def test_the_piano_rolls_alone_give_the_same_corpus(name: str) -> None:
    recipe = recipe_of(name)
    by_rolls = recipe.read_inputs(Source(str(data_folder() / "music-rolls" / ROLLS[name])))
    assert list(by_rolls) == [ROLLS[name]]
    assert recipe.build(by_rolls, lambda *_: None, map).digest == built(name)[0].digest


DATASETS = {"musedata": "MuseData", "nottingham": "Nottingham", "piano-midi.de": "Piano-midi.de"}


@pytest.mark.parametrize(("name", "dataset"), DATASETS.items())
def test_the_key_that_is_found_is_the_manifests(name: str, dataset: str) -> None:
    files = inputs_of(name)
    rows = [row for row in read_manifest(files[MANIFEST]) if row.dataset == dataset]
    unknown = [MidiFile(files[f"{row.split}/{row.file}"], OFFICIAL, None) for row in rows]
    found = [piece.key for piece in parse_batch(unknown) if isinstance(piece, MidiPiece)]
    right = sum(semitones_to_c(key.tonic) == row.transpose for key, row in zip(found, rows, strict=True))
    assert right >= KEYS_RIGHT[name]
