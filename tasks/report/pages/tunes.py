"""The tunes of a page: piano-rolls as numbers, for the script that plays them (`tunes.js`).

What this does not do: play, draw, or give any text to a script.
"""

from dataclasses import dataclass
from typing import Self

from tasks.corpus.midi_file import TEMPO
from tasks.corpus.piano_roll import find_runs
from tasks.trials.continuation import Continuation


@dataclass(frozen=True)
class Tune:
    """A piano-roll to be played.

    Attributes:
        notes: MIDI number, first frame and frame behind the last one of each note, all in a row, with blanks between.
        seconds: length of a frame, at the tempo of the MIDI files.
        frames: of all of it.
        given: frames before those that a network made.
    """

    notes: str
    seconds: float
    frames: int
    given: int

    @classmethod
    def of(cls, made: Continuation) -> Self | None:
        """The tune of a sample of music; None of text, and where it does not say how long a frame is."""
        if made.quarters is None:
            return None
        notes = " ".join(str(part) for run in find_runs(made.piano_roll) for part in run)
        return cls(notes, round(60 / TEMPO * made.quarters, 6), len(made.steps), made.given)
