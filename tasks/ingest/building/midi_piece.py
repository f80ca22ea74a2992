"""One MIDI file to one piece of a corpus: its roll, its melody and its key; parsed in batches, on workers.

The roll is transposed by the number of semitones that a manifest gives. Without a manifest the key is estimated from
the pitch classes of all notes (as rules 4 to 6 leave them), weighted by their lengths in ticks. On the official files
this is right for 1,035 of 1,037 (Nottingham), 121 of 124 (Piano-midi.de) and 769 of 783 (MuseData). Weights in frames
would be right for 1,033, 120 and 769, an estimate from the rolls for 1,033, 120 and 764.
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

# A batch is at most some tenths of a second of work; small files share one, so that each is not a task of its own.
_BATCH_BYTES, _BATCH_FILES = 2**19, 32
FINEST = 1024
"""Denominator of the finest step that is ever suggested."""


Drums = Literal["notes", "left out", "kept"]


@dataclass(frozen=True)
class Rules:
    """How a file becomes a piece; the defaults are the rules of the official sets.

    Attributes:
        quarters: length of a frame in quarter notes.
        ticks: ticks of a frame, in place of `quarters`.
        keep_first: keep cell 0, which rule 3 drops.
        drums: how channel 10 is read: as `notes` like any other (rule 5), `left out`, or `kept`: neither transposed nor
            counted for the key.
        exact: read the number of tracks that the header gives (rule 6); otherwise all tracks in the file.
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
"""The default rules for a user's own files."""


@dataclass(frozen=True)
class Known:
    """A manifest's data of one file.

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
        known: the manifest's data; None if the key is to be estimated.
    """

    data: bytes
    rules: Rules
    known: Known | None


@dataclass(frozen=True, eq=False)
class MidiPiece:
    """One piece.

    Attributes:
        packed: its roll, packed to eight notes a byte, uint8 (T, 11): a file of a hundred bytes can have `MAX_FRAMES`
            frames.
        steps: its melody, semitones between successive different highest notes.
        fingerprint: of a user's own piece, to find near-duplicates; None in the official sets.
        key: the estimated key, also if a manifest gives another transposition.
        division: ticks in a quarter note of its file.
        notes: number of notes read, without drums that are left out.
        unheard: number of these notes that are in no frame, since they begin and end within the same cell.
        tenth: tenth percentile of the note lengths, in quarter notes: nine of ten notes are at least so long.
        drums: number of notes of channel 10, kept or left out.
        odd: contradictions between the header and the chunks of its file; "" if there are none.
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
        """Its transposed piano-roll, uint8 (T, 88); at least one note sounds in it."""
        return np.unpackbits(self.packed, axis=1)


def parse_batch(files: Sequence[MidiFile]) -> list[MidiPiece | Rejected]:
    """Parse some files. A bad file gives a `Rejected`, not an error. A pure, picklable function for parallel maps."""
    return [_parse(file) for file in files]


def _parse(file: MidiFile) -> MidiPiece | Rejected:
    try:
        return parse_piece(file)
    except CorpusError as error:
        return Rejected(str(error))


def parse_piece(file: MidiFile) -> MidiPiece:
    """Parse one file.

    Raises:
        CorpusError: it cannot be read, is over a limit, has no note in any frame, or contradicts the manifest.
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
    """The reason why no note is in a frame, and the mend if there is one."""
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
    """A quantile of the note lengths, in quarter notes: a share `shorter` of the notes is shorter than it."""
    return Fraction(int(np.quantile(notes.end - notes.start, shorter, method="higher")), notes.division)


def step_for(length: Fraction) -> str:
    """The largest of the steps 1/2, 1/4, 1/8, ... that is not longer than a note, written for `--step`."""
    parts = 2
    while Fraction(1, parts) > length and parts < FINEST:
        parts *= 2
    return f"1/{parts}"


def batches(files: Iterable[MidiFile]) -> Iterator[tuple[MidiFile, ...]]:
    """The files in order, grouped into batches."""
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
