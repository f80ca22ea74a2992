"""Notes to piano-rolls, and rolls to the notes that they hold.

One row a frame, one column a note, 1 where the note sounds at the onset of the frame:

    roll[k, p - 21] = 1  if a note of pitch p has  start <= k < end,  in frames

Frame k begins k frames after the start of the score; with times in quarter notes a frame is a quarter note.
What begins and ends between two onsets is not seen: shorter passing notes drop out. Specification, section 4:
88 notes, MIDI 21..108, and rule 7 for the transposition.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from tasks.corpus.corpus import LOWEST_NOTE, NOTES

Run = tuple[int, int, int]
"""A note that is on in the frames start <= k < end: MIDI number, start, end."""


@dataclass(frozen=True)
class Note:
    """A sounding note.

    Attributes:
        start: quarter notes since the start of the score.
        end: quarter notes; the note sounds in start <= t < end.
        pitch: MIDI number, 60 is the middle C.
    """

    start: Fraction
    end: Fraction
    pitch: int


def piano_roll(notes: Iterable[Note], semitones: int = 0) -> np.ndarray:
    """The piano-roll of some notes.

    Args:
        notes: with times in frames, not before 0.
        semitones: transposition, added to every pitch.

    Returns:
        uint8 (T, 88) of zeros and ones. T is the last note's end, rounded up: rests after it are no frames.
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
    """The runs of a piano-roll, by note and then by time.

    Args:
        roll: uint8 (T, 88) of zeros and ones.

    Returns:
        (MIDI number, start, end) of each: on in the frames start <= k < end, off before and after.
    """
    silence = np.zeros((1, roll.shape[1]), np.int8)
    changes = np.diff(np.concatenate([silence, roll.astype(np.int8), silence]), axis=0).T
    notes, starts = np.nonzero(changes == 1)
    ends = np.nonzero(changes == -1)[1]
    return tuple(zip((notes + LOWEST_NOTE).tolist(), starts.tolist(), ends.tolist(), strict=True))


def roll_statistics(rolls: Iterable[np.ndarray]) -> dict[str, float | int]:
    """What a set of rolls is like, over all their frames.

    Returns:
        `frames`; `silent_frames`: those without a note; `polyphony`: mean notes a frame; `polyphony_max`;
        `lowest` and `highest`: the range in MIDI numbers.
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
