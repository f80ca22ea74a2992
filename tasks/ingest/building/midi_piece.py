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
from typing import Literal

import numpy as np

from infra.errors import CorpusError
from tasks.ingest.building.fingerprint import fingerprint
from tasks.ingest.building.midi_roll import highest_steps, midi_roll, unheard
from tasks.ingest.building.recipe import Rejected
from tasks.ingest.building.splits import Steps
from tasks.ingest.readers.key import Key, find_key, pitch_class_histogram, semitones_to_c
from tasks.ingest.readers.midi import DRUMS, MidiNotes, read_midi

# Of a batch: at most some tenths of a second of work, and enough that small files are not a task each.
_BATCH_BYTES, _BATCH_FILES = 2**19, 32
FINEST = 1024
"""Of the steps that are suggested, the denominator of the finest."""


Drums = Literal["notes", "left out", "kept"]


@dataclass(frozen=True)
class Rules:
    """How a file becomes a piece; the defaults are the rules of the official sets.

    Attributes:
        quarters: length of a frame in quarter notes.
        ticks: ticks of a frame, in place of `quarters`.
        keep_first: keep cell 0, which rule 3 drops.
        drums: channel 10 is notes like the others (rule 5), or left out, or kept where it is: neither transposed nor
            heard for the key.
        exact: read the tracks that the header says (rule 6), or all that are there.
    """

    quarters: Fraction = Fraction(1, 2)
    ticks: int | None = None
    keep_first: bool = False
    drums: Drums = "notes"
    exact: bool = True

    @property
    def official(self) -> bool:
        """Whether these are the rules of an official set, in which drums are notes."""
        return self.drums == "notes"

    def step(self, division: int) -> Fraction:
        """Ticks of a frame of a file."""
        return self.quarters * division if self.ticks is None else Fraction(self.ticks)

    @property
    def frame(self) -> str:
        """The length of a frame, in words."""
        return quarters_text(self.quarters) if self.ticks is None else f"{self.ticks} ticks"


def quarters_text(quarters: Fraction) -> str:
    """A length in quarter notes, in words.

    >>> quarters_text(Fraction(1, 16)), quarters_text(Fraction(1)), quarters_text(Fraction(2))
    ('1/16 of a quarter note', '1 quarter note', '2 quarter notes')
    """
    if quarters < 1:
        return f"{quarters} of a quarter note"
    return f"{quarters} quarter note{'' if quarters == 1 else 's'}"


OFFICIAL = Rules()
OWN = Rules(keep_first=True, drums="left out", exact=False)
"""How people's own files are read unless they say otherwise."""


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
        rules: how it becomes a piece.
        known: by a manifest; None where the key is to be found.
    """

    data: bytes
    rules: Rules
    known: Known | None


@dataclass(frozen=True, eq=False)
class MidiPiece:
    """One piece.

    Attributes:
        packed: its roll, eight notes a byte: uint8 (T, 11). A file of a hundred bytes can have `MAX_FRAMES` frames.
        steps: its melody, semitones between successive different highest notes.
        fingerprint: what it is known again by where it is somebody's own; None in the official sets.
        key: the key that was found, whether or not a manifest has another.
        division: ticks of a quarter note of its file.
        notes: how many were read, drums that are left out not among them.
        unheard: how many of these are in no frame, since they begin and end in one.
        tenth: the length that nine of ten notes have at least, in quarter notes.
        drums: notes of channel 10, kept or left out.
        odd: what header and chunks of its file do not agree on, "" where they do.
    """

    packed: np.ndarray
    steps: Steps
    fingerprint: np.ndarray | None
    key: Key
    division: int
    notes: int
    unheard: int
    tenth: Fraction
    drums: int
    odd: str

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
    rules = file.rules
    notes = read_midi(file.data, rules.exact)
    is_drum = notes.channel == DRUMS
    played = notes.chosen(~is_drum) if rules.drums == "left out" else notes
    pitched = notes if rules.drums == "notes" else notes.chosen(~is_drum)
    key = find_key(pitch_class_histogram(pitched.pitch, pitched.end - pitched.start))
    semitones = semitones_to_c(key.tonic) if known is None else known.transpose
    step = rules.step(notes.division)
    roll = midi_roll(played, step, semitones, rules.keep_first, drums_stay=rules.drums == "kept")
    if not roll.any():
        raise CorpusError(_why_silent(notes, played, rules))
    if known is not None and len(roll) != known.frames:
        raise CorpusError(f"it has {len(roll)} frames, but {known.frames} by the manifest")
    return MidiPiece(
        packed=np.packbits(roll, axis=1),
        steps=highest_steps(roll),
        fingerprint=None if rules.official else fingerprint(notes),
        key=key,
        division=notes.division,
        notes=len(played.start),
        unheard=unheard(played, step),
        tenth=length_of(played, 0.1),
        drums=int(is_drum.sum()),
        odd=notes.odd,
    )


def _why_silent(notes: MidiNotes, played: MidiNotes, rules: Rules) -> str:
    """Why no note is in a frame, and the way on, where there is one."""
    if not len(notes.start):
        return "it has no note"
    if not len(played.start):
        return "all its notes are drums (channel 10), which are left out: --drums keeps them"
    if rules.exact:
        return "no note sounds in a frame of it"
    if not (played.end > played.start).any():
        return "none of its notes has a length"
    finer = step_for(length_of(played, 0.5))
    return f"all its notes are shorter than a frame, {rules.frame}: --step {finer} has half of them"


def length_of(notes: MidiNotes, shorter: float) -> Fraction:
    """The length in quarter notes than which this part of the notes is shorter."""
    return Fraction(int(np.quantile(notes.end - notes.start, shorter, method="higher")), notes.division)


def step_for(length: Fraction) -> str:
    """The largest of the steps 1/2, 1/4, 1/8, ... that is no longer than a note, as `--step` has it."""
    parts = 2
    while Fraction(1, parts) > length and parts < FINEST:
        parts *= 2
    return f"1/{parts}"


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
