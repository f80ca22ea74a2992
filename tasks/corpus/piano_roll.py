"""Notes to piano-rolls, and rolls back to notes.

A roll has a row for each frame and a column for each note, with 1 if the note sounds at the frame's onset:

    roll[k, p - 21] = 1  if a note of pitch p has  start <= k < end,  in frames

Frame k begins k frames after the start of the score. With times in quarter notes, a frame is a quarter note. A note
that begins and ends between two onsets is in no frame, so short passing notes drop out. Specification, section 4: 88
notes, MIDI 21..108, and rule 7 for the transposition.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from tasks.corpus.corpus import LOWEST_NOTE, NOTES

Run = tuple[int, int, int]
"""A note that is on in the frames start <= k < end, as (MIDI number, start, end)."""


@dataclass(frozen=True)
class Note:
    """A sounding note.

    Attributes:
        start: quarter notes since the start of the score.
        end: quarter notes since the start of the score; the note sounds in start <= t < end.
        pitch: MIDI number, 60 is the middle C.
    """

    start: Fraction
    end: Fraction
    pitch: int


def piano_roll(notes: Iterable[Note], semitones: int = 0) -> np.ndarray:
    """The piano-roll of some notes.

    Args:
        notes: with times in frames, from 0 on.
        semitones: transposition, added to every pitch.

    Returns:
        uint8 (T, 88) of zeros and ones. T is the end of the last note, rounded up; rests after it give no frames.
    """
    sounding = list(notes)
    roll = np.zeros((max((ceil(note.end) for note in sounding), default=0), NOTES), np.uint8)
    for note in sounding:
        roll[ceil(note.start) : ceil(note.end), fold(note.pitch + semitones) - LOWEST_NOTE] = 1
    return roll


def fold(pitch: int) -> int:
    """Move a pitch by octaves into MIDI 21..108.

    >>> [fold(pitch) for pitch in (20, 21, 108, 109)]
    [32, 21, 108, 97]
    """
    highest = LOWEST_NOTE + NOTES - 1
    if pitch < LOWEST_NOTE:
        return pitch + 12 * ceil((LOWEST_NOTE - pitch) / 12)
    return pitch - 12 * ceil(max(pitch - highest, 0) / 12)


def find_runs(roll: np.ndarray) -> tuple[Run, ...]:
    """The runs of a piano-roll: maximal stretches of consecutive frames in which a note is on.

    Args:
        roll: uint8 (T, 88) of zeros and ones.

    Returns:
        (MIDI number, start, end) of each run, ordered by note, then by time. The note is on in start <= k < end.
    """
    silence = np.zeros((1, roll.shape[1]), np.int8)
    changes = np.diff(np.concatenate([silence, roll.astype(np.int8), silence]), axis=0).T
    notes, starts = np.nonzero(changes == 1)
    ends = np.nonzero(changes == -1)[1]
    return tuple(zip((notes + LOWEST_NOTE).tolist(), starts.tolist(), ends.tolist(), strict=True))


def roll_statistics(rolls: Iterable[np.ndarray]) -> dict[str, float | int]:
    """Statistics over all frames of a set of rolls.

    Returns:
        `frames`: their number; `silent_frames`: frames without a note; `polyphony`: mean number of notes in a frame;
        `polyphony_max`: the largest; `lowest` and `highest`: range of the notes in MIDI numbers.
    """
    together = np.concatenate(list(rolls))
    notes_of_frame = together.sum(axis=1, dtype=np.int64)
    used = np.flatnonzero(together.any(axis=0))
    return {
        "frames": len(together),
        "silent_frames": int((notes_of_frame == 0).sum()),
        "polyphony": round(float(notes_of_frame.mean()), 4),
        "polyphony_max": int(notes_of_frame.max()),
        "lowest": int(used[0]) + LOWEST_NOTE,
        "highest": int(used[-1]) + LOWEST_NOTE,
    }
