"""What a piece is known again by, in another tempo, key or grid: the lines on top and at the bottom, without durations.

Notes that begin within a twelfth of a quarter note of each other are one onset: so the notes of a chord are together
that somebody played, which never begin at once. The top line is the highest notes of the onsets, as steps between
successive different ones; the bottom line the lowest. A fingerprint is the set of all runs of `RUN` steps of both
lines, so that a trill, a scale or an ostinato, however long, adds no more than a few runs, and the bottom line counts
only where it is another one.

Takes of one piece share most runs but for those with a wrong note or an ornament; which of them are then called alike
is `likeness.py`'s. A file with drums alone has no lines: there a run is `BEATS` strokes, each the drums that are struck
at the nearest sixteenth note, and how many sixteenths it is to the next.
"""

import hashlib

import numpy as np

from tasks.ingest.readers.midi import DRUMS, MidiNotes

RUN = 6
"""Steps of a run."""
BEATS = 8
"""Strokes of a run of drums."""
TOGETHER = 12
"""Of a quarter note, the part within which notes begin together."""
_BASE = 257  # a step is in -127..127


def fingerprint(notes: MidiNotes) -> np.ndarray:
    """The runs of a piece, each as a number: int64, rising, none twice; empty where there is no note.

    A line of fewer than `RUN` steps is one run as a whole.

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
    """The highest and the lowest note of every onset, in their order."""
    order = np.lexsort((notes.pitch, notes.start))
    start, pitch = notes.start[order], notes.pitch[order]
    first = np.flatnonzero(np.concatenate([[True], np.diff(start) * TOGETHER > notes.division]))
    return np.maximum.reduceat(pitch, first), np.minimum.reduceat(pitch, first)


def _runs(line: np.ndarray) -> np.ndarray:
    """The number of each run, from 0; of a short line a number of its own, under 0."""
    steps = np.diff(line)
    steps = steps[steps != 0]
    if len(steps) < RUN:
        digest = hashlib.sha256(",".join(map(str, steps.tolist())).encode()).digest()
        return np.array([-1 - int.from_bytes(digest[:6])], np.int64)
    digits = np.lib.stride_tricks.sliding_window_view(steps + _BASE // 2, RUN)
    return digits @ (_BASE ** np.arange(RUN - 1, -1, -1))


def _beats(drums: MidiNotes) -> np.ndarray:
    """The runs of strokes, each by 64 bits that mix what is in it."""
    sixteenth = (8 * drums.start + drums.division) // (2 * drums.division)
    struck = np.unique(np.stack([sixteenth, drums.pitch]), axis=1)
    places, first = np.unique(struck[0], return_index=True)
    which = np.bitwise_xor.reduceat(_mixed(struck[1]), first)
    strokes = _mixed(np.diff(places, append=places[-1:] + 1)) + which
    run = min(BEATS, len(strokes))
    order = _mixed(np.arange(run)) | np.uint64(1)
    return np.unique((np.lib.stride_tricks.sliding_window_view(strokes, run) * order).sum(axis=1).view(np.int64))


def _mixed(values: np.ndarray) -> np.ndarray:
    """Numbers to 64 bits that have nothing to do with each other: the end of splitmix64."""
    bits = (values.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
