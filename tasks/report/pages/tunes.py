"""The tunes of a page: piano-rolls and tunes in ABC notation as numbers, for the script that plays them (`tunes.js`).

What this does not do: play, draw, or give any text to a script.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from tasks.corpus.abc_melody import TICKS, melody
from tasks.corpus.midi_file import TEMPO
from tasks.corpus.piano_roll import find_runs
from tasks.trials.continuation import Continuation

_QUARTER = 60 / TEMPO
_IS_ABC = re.compile(r"^K:\s*[A-G]", re.MULTILINE)


@dataclass(frozen=True)
class Tune:
    """A tune to be played.

    Attributes:
        notes: MIDI number, first frame, and frame after the last one of each note, all in a row, separated by blanks.
        seconds: length of a frame, at the tempo of the MIDI files.
        frames: number of all frames.
        given: number of frames before the network's.
        places: for a text, the position of each note in it.
    """

    notes: str
    seconds: float
    frames: int
    given: int
    places: str = ""

    @classmethod
    def of(cls, made: Continuation) -> Self | None:
        """The tune of a sample of music; None for text, and if the length of a frame is not known."""
        if made.quarters is None:
            return None
        notes = (part for run in find_runs(made.piano_roll) for part in run)
        return cls(_row(notes), round(_QUARTER * made.quarters, 6), len(made.steps), made.given)

    @classmethod
    def of_text(cls, before: str, after: str) -> Self | None:
        """The tune of a text in ABC notation, which names its key (`K:`) in the given part; None for any other text.

        Args:
            before, after: the given part and the continuation, as the page shows them.
        """
        heard = melody(before + after) if _IS_ABC.search(before) else ()
        if not heard:
            return None
        frames = max(each.end for each in heard)
        given = min((each.start for each in heard if each.place >= len(before)), default=frames)
        notes = (part for each in heard for part in (each.note, each.start, each.end))
        places = _row(each.place for each in heard)
        return cls(_row(notes), 4 * _QUARTER / TICKS, frames, given, places)


def _row(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))
