"""The fingerprint of a piece: its top and bottom lines without durations, whatever the tempo, the key or the grid.

Notes that begin within a twelfth of a quarter note of each other count as one onset, since the notes of a played chord
never begin at exactly the same time. The top line is the sequence of highest notes of the onsets, written as semitone
steps between successive different notes. The bottom line is the same for the lowest notes. A fingerprint is the set of
all runs of `RUN` successive steps in both lines. As a set, it has few runs for a trill, a scale or an ostinato, however
long. The bottom line is left out if it equals the top line.

Takes of one piece share most of their runs, except for those with a wrong note or an ornament. `likeness.py` decides
which pieces count as alike. A file that holds only drums has no lines. Its runs are `BEATS` successive strokes: the
drums that are struck at the nearest sixteenth note, and the number of sixteenths to the next stroke.
"""

import hashlib

import numpy as np

from tasks.ingest.readers.midi import DRUMS, MidiNotes

RUN = 6
"""Number of steps in a run."""
BEATS = 8
"""Number of strokes in a run of drums."""
TOGETHER = 12
"""Notes that begin within a quarter note divided by this count as one onset."""
_BASE = 257  # a step is in -127..127


def fingerprint(notes: MidiNotes) -> np.ndarray:
    """The runs of a piece, each as a number: int64, ascending and distinct; empty if the piece has no note.

    A line of fewer than `RUN` steps is a single run.

    >>> up = MidiNotes(480, np.arange(0, 4800, 480), np.arange(480, 5280, 480), np.arange(60, 70), np.zeros(10, int))
    >>> len(fingerprint(up))
    1
    """
    if not len(notes.start):
        return np.zeros(0, np.int64)
    heard = notes.chosen(notes.channel != DRUMS)
    if not len(heard.start):
        return _beats(notes)
    top, bottom = _lines(heard)
    runs = [_runs(top)]
    if not np.array_equal(top, bottom):
        runs.append(_runs(bottom) + _BASE**RUN)
    return np.unique(np.concatenate(runs))


def _lines(notes: MidiNotes) -> tuple[np.ndarray, np.ndarray]:
    """The highest and the lowest note of every onset, in order of time."""
    order = np.lexsort((notes.pitch, notes.start))
    start, pitch = notes.start[order], notes.pitch[order]
    first = np.flatnonzero(np.concatenate([[True], np.diff(start) * TOGETHER > notes.division]))
    return np.maximum.reduceat(pitch, first), np.minimum.reduceat(pitch, first)


def _runs(line: np.ndarray) -> np.ndarray:
    """The number of each run, from 0; a short line gives one negative number, from its hash."""
    steps = np.diff(line)
    steps = steps[steps != 0]
    if len(steps) < RUN:
        digest = hashlib.sha256(",".join(map(str, steps.tolist())).encode()).digest()
        return np.array([-1 - int.from_bytes(digest[:6])], np.int64)
    digits = np.lib.stride_tricks.sliding_window_view(steps + _BASE // 2, RUN)
    return digits @ (_BASE ** np.arange(RUN - 1, -1, -1))


def _beats(drums: MidiNotes) -> np.ndarray:
    """The runs of drum strokes, each as a 64-bit hash."""
    sixteenth = (8 * drums.start + drums.division) // (2 * drums.division)
    struck = np.unique(np.stack([sixteenth, drums.pitch]), axis=1)
    places, first = np.unique(struck[0], return_index=True)
    which = np.bitwise_xor.reduceat(_mixed(struck[1]), first)
    strokes = _mixed(np.diff(places, append=places[-1:] + 1)) + which
    run = min(BEATS, len(strokes))
    order = _mixed(np.arange(run)) | np.uint64(1)
    return np.unique((np.lib.stride_tricks.sliding_window_view(strokes, run) * order).sum(axis=1).view(np.int64))


def _mixed(values: np.ndarray) -> np.ndarray:
    """A 64-bit hash of each number: the finaliser of splitmix64."""
    bits = (values.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
