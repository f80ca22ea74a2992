"""The official sets from their MIDI files: frames equal to the official rolls, keys found, seconds on one core.

Run it as `python -m benchmarks.ingest`. The files are looked for in the folder COUNTERPOINT_DATA, or else in
../shared/data beside the checkout: `music-midi` with the four archives and manifest.csv, `music-rolls` with the rolls
as .mat. Seconds are those of the processor, for everything between the bytes of the files and the corpus; reading the
archives and the rolls is not in them.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest import find_recipe
from tasks.ingest.building.midi_piece import OFFICIAL, MidiFile, MidiPiece, parse_batch
from tasks.ingest.building.official_set import MANIFEST
from tasks.ingest.building.recipe import Source
from tasks.ingest.readers.key import semitones_to_c
from tasks.ingest.readers.manifest import read_manifest

DATA = Path(os.environ.get("COUNTERPOINT_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SETS = {  # as the manifest spells them, and their official rolls
    "jsb-chorales": ("JSB Chorales", "JSB_Chorales.mat"),
    "musedata": ("MuseData", "MuseData.mat"),
    "nottingham": ("Nottingham", "Nottingham.mat"),
    "piano-midi.de": ("Piano-midi.de", "Piano_midi.mat"),
}


def equal_frames(corpus: Corpus, rolls: Path) -> int:
    """Frames that are those of the official rolls, place by place."""
    matlab = loadmat(rolls)
    equal = 0
    for split in SPLITS:
        for ours, theirs in zip(corpus.splits[split], matlab[f"{split}data"].ravel(), strict=True):
            shorter = min(len(ours), len(theirs))
            equal += int(np.all(ours[:shorter] == theirs[:shorter], axis=1).sum())
    return equal


def keys_right(dataset: str, files: Mapping[str, bytes]) -> str:
    """How many keys are found as the manifest has them; it leaves the chorales where they are."""
    rows = [row for row in read_manifest(files[MANIFEST]) if row.dataset == dataset]
    if not any(row.transpose for row in rows):
        return "not transposed"
    pieces = parse_batch([MidiFile(files[f"{row.split}/{row.file}"], OFFICIAL, None) for row in rows])
    right = sum(
        isinstance(piece, MidiPiece) and semitones_to_c(piece.key.tonic) == row.transpose
        for piece, row in zip(pieces, rows, strict=True)
    )
    return f"{right:,} of {len(rows):,}"


def main() -> None:
    manifest_file = DATA / "music-midi" / "manifest.csv"
    if not manifest_file.is_file():
        print(f"nothing measured: {manifest_file} is not there; set COUNTERPOINT_DATA to the folder of the data")
        return
    print("| set | files | frames equal | key found as in the manifest | seconds |\n|---|---|---|---|---|")
    total = 0.0
    for name, (dataset, file) in SETS.items():
        archive, rolls = DATA / "music-midi" / f"{dataset}.zip", DATA / "music-rolls" / file
        missing = [str(path) for path in (archive, rolls) if not path.is_file()]
        if missing:
            print(f"| {name} | not measured: {' and '.join(missing)} not there | | | |")
            continue
        recipe = find_recipe(name)
        assert recipe is not None  # noqa: S101
        files = recipe.read_inputs(Source(str(archive)))
        started = time.process_time()
        corpus = recipe.build(files, lambda done, total: None, map)
        seconds = time.process_time() - started
        total += seconds
        frames = sum(corpus.steps(split) for split in SPLITS)
        keys = keys_right(dataset, files)
        equal = equal_frames(corpus, rolls)
        print(f"| {name} | {len(files) - 1:,} | {equal:,} of {frames:,} | {keys} | {seconds:.1f} |")
    print(f"\n{total:.1f} s in all")


if __name__ == "__main__":
    main()
