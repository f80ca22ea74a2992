"""bach-chorales: Bach's four-part chorales, as shipped with the music21 package, as piano-rolls.

The corpus takes every MusicXML score of exactly four parts, with one frame for each quarter note. Chorales are
transposed so that the tonic is C, and split so that no melody is in two splits. Specification, section 4 (embedded
default); docs/data.md has the counts.

Rules (raise `_RULES` when one of them changes):
    files: `bwv*.mxl`, `bwv*.xml`, `bwv*.krn` of music21's folder `bach`. Humdrum files (.krn) are set aside, since
        their chorales are also there as MusicXML. Scores without four parts of equal measures are set aside too.
    frames: `piano_roll.py`, all parts together, from the first note on; repeats are not played out.
    key: `key.py` over all notes of all parts; transposed by -5..+6 semitones.
    melody: the first part's note at every frame's onset, without rests and repetitions, as semitone steps.
    order within a split: by file name.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.corpus.piano_roll import piano_roll, roll_statistics
from tasks.ingest.building.recipe import (
    HERE,
    BuildProgress,
    MapFunction,
    Recipe,
    Rejected,
    Source,
    music21_folder,
    only_embedded,
    read_files,
)
from tasks.ingest.building.splits import Likeness, Steps, assign_splits
from tasks.ingest.readers.key import Key, find_key, pitch_class_histogram, semitones_to_c
from tasks.ingest.readers.musicxml import Part, read_parts

_RULES = 1
_PARTS = 4
_SUFFIXES = (".mxl", ".xml", ".krn")
# Measured in docs/data.md: with 10 in a row, or a share of a quarter, a giant group swallows the corpus.
LIKENESS = Likeness(long=11, short=6, share=0.28)


@dataclass(frozen=True)
class Piece:
    """One chorale.

    Attributes:
        roll: uint8 (T, 88), transposed to C.
        steps: the melody, semitones between successive different notes.
        key: the key before transposition.
    """

    roll: np.ndarray
    steps: Steps
    key: Key


def parse_piece(file: tuple[str, bytes]) -> Piece | Rejected:
    """Read one score, given as (name, contents). A bad score gives a `Rejected`, so that one bad file stops nothing.

    A pure, picklable function, so that a parallel map can call it.
    """
    name, data = file
    if name.endswith(".krn"):
        return Rejected("Humdrum kern, not MusicXML; the same chorale is among the MusicXML files")
    try:
        parts = read_parts(name, data)
    except CorpusError as error:
        return Rejected(str(error))
    if len(parts) != _PARTS:
        return Rejected(f"{len(parts)} parts, not {_PARTS}")
    if any(part.measures != parts[0].measures for part in parts):
        return Rejected("its parts have measures of different length")
    if not parts[0].notes:
        return Rejected("no note in its first part")
    notes = [note for part in parts for note in part.notes]
    durations = [float(note.end - note.start) for note in notes]
    key = find_key(pitch_class_histogram([note.pitch for note in notes], durations))
    return Piece(piano_roll(notes, semitones_to_c(key.tonic)), melody_steps(parts[0]), key)


def melody_steps(part: Part) -> Steps:
    """Semitones between successive different notes of a part, as heard at the quarter notes' onsets."""
    heard: dict[int, int] = {}
    for note in part.notes:
        for frame in range(ceil(note.start), ceil(note.end)):
            heard[frame] = max(note.pitch, heard.get(frame, 0))
    pitches = [heard[frame] for frame in sorted(heard)]
    return tuple(after - before for before, after in zip(pitches, pitches[1:], strict=False) if after != before)


def read_inputs(source: Source = HERE) -> dict[str, bytes]:
    """The score files by name, sorted."""
    only_embedded(BACH_CHORALES.name, source)
    return read_files(path for path in music21_folder("bach").glob("bwv*") if path.suffix in _SUFFIXES)


def build(inputs: Mapping[str, bytes], progress: BuildProgress, map_pieces: MapFunction) -> Corpus:
    """Parse, transpose and split the chorales.

    Raises:
        CorpusError: so few chorales are usable that a split is empty.
    """
    pieces: dict[str, Piece] = {}
    quarantined: dict[str, str] = {}
    for done, (name, parsed) in enumerate(zip(inputs, map_pieces(parse_piece, inputs.items()), strict=True), 1):
        if isinstance(parsed, Rejected):
            quarantined[name] = parsed.reason
        else:
            pieces[name] = parsed
        progress(done, len(inputs))
    splits: dict[str, list[np.ndarray]] = {split: [] for split in SPLITS}
    titles: defaultdict[str, list[str]] = defaultdict(list)
    melodies, sizes = [piece.steps for piece in pieces.values()], [len(piece.roll) for piece in pieces.values()]
    chosen = assign_splits(melodies, sizes, LIKENESS)
    for (name, piece), split in zip(pieces.items(), chosen, strict=True):
        splits[split].append(piece.roll)
        titles[split].append(Path(name).stem)
    return Corpus(
        name=BACH_CHORALES.name,
        kind=BACH_CHORALES.kind,
        splits={split: tuple(rolls) for split, rolls in splits.items()},
        titles={split: tuple(titles[split]) for split in SPLITS},
        source={
            "origin": "chorales of J. S. Bach shipped with music21, folder corpus/bach",
            "frame": "a quarter note",
            "quarantined": quarantined,
            "minor": sum(piece.key.mode == "minor" for piece in pieces.values()),
            "statistics": {
                split: {"pieces": len(rolls), **roll_statistics(rolls)} for split, rolls in splits.items() if rolls
            },
        },
    )


BACH_CHORALES = Recipe("bach-chorales", "music", _RULES, read_inputs, build, embedded=True)
