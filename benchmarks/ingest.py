"""The official sets from their MIDI files: frames equal to the official rolls, keys found, seconds on one core.

Run it as `python benchmarks/ingest.py`. The files are looked for in the folder COUNTERPOINT_DATA, or else in
../shared/data beside the checkout: `music-midi` with the four archives and manifest.csv, `music-rolls` with the rolls
as .mat. Seconds are those of the processor, for everything between the bytes of the files and the corpus; reading the
archives and the rolls is not in them.
"""

import os
import time
import zipfile
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from tasks.corpus import SPLITS, Corpus
from tasks.ingest.corpora.official_midi import OFFICIAL_MIDI, OfficialMidi, build_official
from tasks.ingest.key import semitones_to_c
from tasks.ingest.manifest import ManifestRow, read_manifest
from tasks.ingest.midi_piece import Grid, MidiFile, MidiPiece, parse_batch

DATA = Path(os.environ.get("COUNTERPOINT_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
ROLLS = {
    "jsb-chorales": "JSB_Chorales.mat",
    "musedata": "MuseData.mat",
    "nottingham": "Nottingham.mat",
    "piano-midi.de": "Piano_midi.mat",
}


def read(official: OfficialMidi) -> dict[str, bytes]:
    with zipfile.ZipFile(DATA / "music-midi" / official.archive) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def equal_frames(corpus: Corpus, rolls: Path) -> int:
    """Frames that are those of the official rolls, place by place."""
    matlab = loadmat(rolls)
    equal = 0
    for split in SPLITS:
        for ours, theirs in zip(corpus.splits[split], matlab[f"{split}data"].ravel(), strict=True):
            shorter = min(len(ours), len(theirs))
            equal += int(np.all(ours[:shorter] == theirs[:shorter], axis=1).sum())
    return equal


def keys_right(official: OfficialMidi, files: dict[str, bytes], manifest: tuple[ManifestRow, ...]) -> str:
    """How many keys are found as the manifest has them; it leaves the chorales where they are."""
    rows = [row for row in manifest if row.dataset == official.dataset]
    if not any(row.transpose for row in rows):
        return "not transposed"
    pieces = parse_batch([MidiFile(files[f"{row.dataset}/{row.split}/{row.file}"], Grid(), None) for row in rows])
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
    manifest = read_manifest(manifest_file.read_bytes())
    print("| set | files | frames equal | key found as in the manifest | seconds |\n|---|---|---|---|---|")
    total = 0.0
    for official in OFFICIAL_MIDI:
        rolls = DATA / "music-rolls" / ROLLS[official.name]
        missing = [str(path) for path in (DATA / "music-midi" / official.archive, rolls) if not path.is_file()]
        if missing:
            print(f"| {official.name} | not measured: {' and '.join(missing)} not there | | | |")
            continue
        files = read(official)
        started = time.process_time()
        corpus = build_official(official.name, files, manifest, lambda done, total: None, map)
        seconds = time.process_time() - started
        total += seconds
        frames = sum(corpus.steps(split) for split in SPLITS)
        keys = keys_right(official, files, manifest)
        equal = equal_frames(corpus, rolls)
        print(f"| {official.name} | {len(files):,} | {equal:,} of {frames:,} | {keys} | {seconds:.1f} |")
    print(f"\n{total:.1f} s in all")


if __name__ == "__main__":
    main()
