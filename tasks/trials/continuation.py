"""A continuation: the beginning of a piece, and the steps that a trained network added to it.

It is stored as the JSON of a sample, and is what the report and `import counterpoint` give. What this does not do: draw
random numbers (`models/evaluation/sampling.py`), or know of a store (`samples.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, Self

import numpy as np

from infra.errors import IntegrityError
from models.data_kinds import Kind
from tasks.corpus.corpus import LOWEST_NOTE, NOTES
from tasks.corpus.midi_file import midi_file
from tasks.corpus.piano_roll import find_runs
from tasks.corpus.text import readable

_FORMAT = 1


@dataclass(frozen=True)
class Continuation:
    """The beginning that a network was given, and the steps that it added.

    Attributes:
        key, variant: of the trial.
        corpus: digest of the corpus.
        kind: of the corpus.
        seed: of the random numbers, which chose the piece as well.
        piece: title of the piece of the test split whose beginning was given.
        given: number of steps of the piece that the network was given.
        asked: number of steps that the network was asked for; it adds fewer if its state overflows.
        steps: all steps, the given ones first. A step of music is the MIDI numbers that sound in the frame, rising; a
            step of text is a symbol.
        quarters: length of a frame in quarter notes; for music only.
    """

    key: str
    variant: str
    corpus: str
    kind: Kind
    seed: int
    piece: str
    given: int
    asked: int
    steps: tuple[Any, ...]
    quarters: float | None = None

    @property
    def piano_roll(self) -> np.ndarray:
        """Of music, uint8 (T, 88) of zeros and ones, the frames that were given first."""
        roll = np.zeros((len(self.steps), NOTES), np.uint8)
        for frame, notes in zip(roll, self.steps, strict=True):
            frame[np.array(notes, int) - LOWEST_NOTE] = 1
        return roll

    @property
    def text(self) -> str:
        """Of text, the whole of it: characters in a row, or words with blanks between."""
        return readable(self.kind, self.steps)

    @property
    def file_name(self) -> str:
        """`sample.mid` or `sample.txt`."""
        return "sample.mid" if self.kind == "music" else "sample.txt"

    def to_bytes(self) -> bytes:
        """The file to listen to, or to read: MIDI, or UTF-8."""
        if self.quarters is not None:
            return midi_file(find_runs(self.piano_roll), self.quarters, self.given)
        return self.text.encode("utf-8", "surrogatepass")

    def to_json(self) -> dict[str, Any]:
        """The continuation as JSON values, with its format's version."""
        return {"format": _FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The continuation that `to_json` wrote.

        Raises:
            IntegrityError: it has another format.
            ValueError: a step is no note or symbol, there are fewer steps than were given, or a frame has no length.
        """
        if values.get("format") != _FORMAT:
            raise IntegrityError(f"sample of {values.get('key')}: of another version; delete it, run again")
        steps = tuple(step if isinstance(step, str) else tuple(step) for step in values["steps"])
        rest = {name: value for name, value in values.items() if name not in ("format", "steps")}
        made = cls(**rest, steps=steps)
        if reason := made.wrong:
            raise ValueError(f"sample of {made.key}: {reason}")
        return made

    @property
    def wrong(self) -> str:
        """Why the continuation can be neither shown nor played; "" if it can."""
        if not 0 <= self.given <= len(self.steps):
            return f"{self.given} steps given of {len(self.steps)}"
        if self.kind != "music":
            return "" if all(isinstance(step, str) for step in self.steps) else "a step is no symbol"
        if self.quarters is None or not 0 < self.quarters < inf:
            return f"a frame of {self.quarters} quarter notes"
        notes = {note for step in self.steps for note in step}
        on_keys = all(type(note) is int and 0 <= note - LOWEST_NOTE < NOTES for note in notes)
        return "" if on_keys else "a note that no key has"
