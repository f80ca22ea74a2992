"""One MIDI file to one piece of a corpus: its roll, its melody and its key; many at a time, on workers.

With a transposition given the roll is moved by it. Without one the key is found: the pitch classes of all notes
(as rules 4 to 6 leave them), weighted by their lengths in ticks, not in frames. Of the official files the key is then
right for 1,035 of 1,037 (Nottingham), 121 of 124 (Piano-midi.de), 769 of 783 (MuseData); with lengths in frames
for 1,033, 120 and 769, from the rolls for 1,033, 120 and 764.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from infra.errors import CorpusError
from tasks.ingest.key import Key, find_key, pitch_class_histogram, semitones_to_c
from tasks.ingest.midi import read_midi
from tasks.ingest.midi_roll import eighth_note, highest_steps, midi_roll
from tasks.ingest.recipe import Rejected
from tasks.ingest.splits import Steps

# Of a batch: at most some tenths of a second of work, and enough that small files are not a task each.
_BATCH_BYTES, _BATCH_FILES = 2**19, 32


@dataclass(frozen=True)
class Grid:
    """How time becomes frames.

    Attributes:
        step: ticks of a frame; None for an eighth note, half of each file's division.
        keep_first: keep cell 0, which rule 3 drops.
    """

    step: int | None = None
    keep_first: bool = False


@dataclass(frozen=True)
class Known:
    """What a manifest says of a file.

    Attributes:
        transpose: semitones.
        frames: the length of its roll.
        sha256: of its bytes.
    """

    transpose: int
    frames: int
    sha256: str


@dataclass(frozen=True)
class MidiFile:
    """A file to be parsed.

    Attributes:
        data: its bytes.
        grid: how time becomes frames.
        known: by a manifest; None where the key is to be found.
    """

    data: bytes
    grid: Grid
    known: Known | None


@dataclass(frozen=True, eq=False)
class MidiPiece:
    """One piece.

    Attributes:
        packed: its roll, eight notes a byte: uint8 (T, 11). A file of a hundred bytes can have `MAX_FRAMES` frames.
        steps: its melody, semitones between successive different highest notes.
        key: the key that was found, whether or not a manifest has another.
    """

    packed: np.ndarray
    steps: Steps
    key: Key

    @property
    def roll(self) -> np.ndarray:
        """Its piano-roll, uint8 (T, 88), transposed; a note sounds in it."""
        return np.unpackbits(self.packed, axis=1)


def parse_batch(files: Sequence[MidiFile]) -> list[MidiPiece | Rejected]:
    """Parse some files; what is wrong with one is a value. A pure function that pickles, for a map over processes."""
    return [_parse(file) for file in files]


def _parse(file: MidiFile) -> MidiPiece | Rejected:
    try:
        return parse_piece(file)
    except CorpusError as error:
        return Rejected(str(error))


def parse_piece(file: MidiFile) -> MidiPiece:
    """Parse one file.

    Raises:
        CorpusError: it cannot be read, is over a limit, has no note that sounds in a frame, or is not what the
            manifest says.
    """
    known = file.known
    if known is not None and hashlib.sha256(file.data).hexdigest() != known.sha256:
        raise CorpusError("its sha256 is not the manifest's: it is another file, or was changed")
    notes = read_midi(file.data)
    key = find_key(pitch_class_histogram(notes.pitch, notes.end - notes.start))
    semitones = semitones_to_c(key.tonic) if known is None else known.transpose
    step = eighth_note(notes.division) if file.grid.step is None else Fraction(file.grid.step)
    roll = midi_roll(notes, step, semitones, file.grid.keep_first)
    if not roll.any():
        raise CorpusError("no note sounds in a frame of it")
    if known is not None and len(roll) != known.frames:
        raise CorpusError(f"it has {len(roll)} frames, but {known.frames} by the manifest")
    return MidiPiece(np.packbits(roll, axis=1), highest_steps(roll), key)


def batches(files: Iterable[MidiFile]) -> Iterator[tuple[MidiFile, ...]]:
    """The files in their order, some together."""
    batch: list[MidiFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += len(file.data)
        if size >= _BATCH_BYTES or len(batch) == _BATCH_FILES:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)
