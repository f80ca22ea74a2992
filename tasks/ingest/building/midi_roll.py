"""MIDI notes to piano-rolls, made as the official ones were; specification, section 4, rules 1, 2, 3 and 7.

    1. A frame is a number of ticks, the step: half the division (an eighth note), or another given step.
    2. q(t) = floor(t / step + 1/2); a note sounds in the cells  q(start) <= k < q(end).
    3. The cells run to the largest q(end). Cell 0 is dropped, unless the caller keeps it.
    7. Pitches are transposed; those outside 21..108 are then folded back by octaves.

All arithmetic is in integers; rule 2 is the only rounding. Drums can be exempted from the transposition, since the
number of a drum is no pitch. In the official sets drums are notes like all others. Rolls of scores with exact times are
made by `piano_roll.py`.
"""

from fractions import Fraction

import numpy as np

from infra.errors import CorpusError
from tasks.corpus.corpus import LOWEST_NOTE, NOTES
from tasks.corpus.piano_roll import fold
from tasks.ingest.building.splits import Steps
from tasks.ingest.readers.midi import DRUMS, MidiNotes

MAX_FRAMES = 200_000


def midi_roll(
    notes: MidiNotes, step: Fraction, semitones: int, keep_first: bool = False, drums_stay: bool = False
) -> np.ndarray:
    """The piano-roll of the notes of a file.

    Args:
        notes: of the file.
        step: ticks of a frame, over 0.
        semitones: transposition, added to every pitch.
        keep_first: keep cell 0.
        drums_stay: do not transpose channel 10, the drums.

    Returns:
        uint8 (T, 88) of zeros and ones; T may be 0.

    Raises:
        CorpusError: more than `MAX_FRAMES` frames.

    >>> c_and_e = MidiNotes(480, np.array([240, 480]), np.array([720, 720]), np.array([60, 64]), np.array([0, 0]))
    >>> roll = midi_roll(c_and_e, Fraction(240), 12)
    >>> [np.flatnonzero(frame).tolist() for frame in roll]
    [[51], [51, 55]]
    """
    first, last = cells(notes.start, step), cells(notes.end, step)
    count = int(last.max(initial=0))
    if count > MAX_FRAMES:
        raise CorpusError(f"{count:,} frames, over the limit of {MAX_FRAMES:,}")
    column = _columns(semitones)[notes.pitch]
    if drums_stay:
        column = np.where(notes.channel == DRUMS, _columns(0)[notes.pitch], column)
    # +1 where a note begins and -1 where it ends: the running sum is the number of notes that sound in a cell.
    changes = np.zeros((count + 1, NOTES), np.int32)
    np.add.at(changes.reshape(-1), first * NOTES + column, 1)
    np.subtract.at(changes.reshape(-1), last * NOTES + column, 1)
    sounding = np.cumsum(changes, axis=0, dtype=np.int32, out=changes)[:-1]
    return (sounding[0 if keep_first else 1 :] > 0).astype(np.uint8)


def _columns(semitones: int) -> np.ndarray:
    """The column of each pitch 0..127."""
    return np.array([fold(pitch + semitones) - LOWEST_NOTE for pitch in range(128)])


def unheard(notes: MidiNotes, step: Fraction) -> int:
    """The number of notes that begin and end within the same cell, and so are in no frame.

    >>> hits = MidiNotes(480, np.array([0, 240]), np.array([10, 480]), np.array([36, 38]), np.array([9, 9]))
    >>> unheard(hits, Fraction(240))
    1
    """
    return int((cells(notes.start, step) == cells(notes.end, step)).sum())


def cells(ticks: np.ndarray, step: Fraction) -> np.ndarray:
    """Rule 2, floor(t / step + 1/2): int64 of the shape of the ticks.

    >>> cells(np.array([0, 59, 60, 179, 180]), Fraction(120))
    array([0, 0, 1, 1, 2])
    """
    return (2 * ticks * step.denominator + step.numerator) // (2 * step.numerator)


def highest_steps(roll: np.ndarray) -> Steps:
    """The melody of a roll: semitones between successive different highest notes of its frames, rests left out.

    >>> roll = np.zeros((5, 88), np.uint8)
    >>> roll[[0, 0, 1, 3, 4], [40, 20, 40, 45, 43]] = 1
    >>> highest_steps(roll)
    (5, -2)
    """
    highest = (NOTES - 1 - roll[:, ::-1].argmax(axis=1))[roll.any(axis=1)]
    steps = np.diff(highest)
    return tuple(steps[steps != 0].tolist())
