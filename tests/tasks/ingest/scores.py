"""Small MusicXML scores, written by hand or by music21, and a reading of them by music21.

music21 is imported where it reads: every process of the tests imports this file, few of them read.
"""

import io
import tempfile
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.corpus.piano_roll import Note

if TYPE_CHECKING:
    from music21.stream import Score

Heard = tuple[Fraction, Fraction, int]


def note(step: str, octave: int, duration: int, extra: str = "", alter: int = 0) -> str:
    """A `<note>` of a duration in divisions."""
    pitch = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
    return f"<note>{extra}{pitch}<duration>{duration}</duration></note>"


def rest(duration: int) -> str:
    """A `<note>` that is silent."""
    return f"<note><rest/><duration>{duration}</duration></note>"


def divisions(number: int) -> str:
    """The `<attributes>` that say how many divisions a quarter note has."""
    return f"<attributes><divisions>{number}</divisions></attributes>"


def score(*parts: list[str]) -> str:
    """A partwise score; each part is a list of measures."""
    body = "".join(
        f"<part id='P{number}'>" + "".join(f"<measure>{measure}</measure>" for measure in measures) + "</part>"
        for number, measures in enumerate(parts)
    )
    return f"<score-partwise>{body}</score-partwise>"


def mxl(text: str) -> bytes:
    """Compressed MusicXML with its container."""
    container = "<container xmlns='urn:x'><rootfiles><rootfile full-path='inner.xml'/></rootfiles></container>"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("inner.xml", text)
    return packed.getvalue()


def heard(notes: tuple[Note, ...]) -> list[Heard]:
    """Our notes, to compare."""
    return sorted((note.start, note.end, note.pitch) for note in notes)


def heard_by_music21(score: "Score") -> list[list[Heard]]:
    """The notes of every part as music21 has them, repeats not played out, without grace notes."""
    return [
        sorted(
            (Fraction(item.offset), Fraction(item.offset) + Fraction(item.quarterLength), pitch.midi)
            for item in part.flatten().notes
            if not item.duration.isGrace
            for pitch in item.pitches
        )
        for part in score.parts
    ]


def parse_with_music21(name: str, data: bytes) -> list[list[Heard]]:
    """The same of a file, without music21's cache of pickles."""
    from music21 import converter
    from music21.stream import Score

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        parsed = converter.parse(path, forceSource=True)
    assert isinstance(parsed, Score)
    return heard_by_music21(parsed)
