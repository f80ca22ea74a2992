"""Books of tunes in ABC notation, read as text: the tunes, their lines, and the steps of their melody.

A tune runs from its `X:` field to the next empty line (the standard's rule) or the next `X:` field. Its lines are kept
unchanged, without trailing blanks, comments (`%`) and the fields that do not describe the music: `X T B N Z S C O D F H
I G W w A` are number, title, book, notes, transcriber with e-mail address, and the like. The fields `M L K Q R P V U m`
and all lines of notes stay.

This is not a parser of ABC: durations, key signatures and accidentals are not read.
"""

import re
from dataclasses import dataclass

_FIELD = re.compile(r"([A-Za-z]):")
_MUSICAL_FIELDS = frozenset("MLKQRPVUm")
# Chord names, fingerings, decorations, grace notes and inline fields: letters that are not melody notes.
_NOT_MELODY = re.compile(r'"[^"]*"|![^!]*!|\{[^}]*\}|\[[A-Za-z]:[^\]]*\]|%.*')
_NOTE = re.compile(r"([A-Ga-g])([,']*)")
_LETTERS = "CDEFGAB"


@dataclass(frozen=True)
class Tune:
    """One tune of a book.

    Attributes:
        title: its number and first title, `1001 Come Now Or Stay`.
        lines: of text, without line ends; none is empty.
    """

    title: str
    lines: tuple[str, ...]


def split_tunes(book: str) -> list[Tune]:
    """The tunes of a book, in order; text outside of tunes is dropped."""
    tunes: list[list[str]] = []
    inside = False
    for line in (line.rstrip() for line in book.split("\n")):
        if line.startswith("X:"):
            tunes.append([])
            inside = True
        elif not line:
            inside = False
        if inside:
            tunes[-1].append(line)
    return [Tune(_title(lines), tuple(line for line in lines if _is_music(line))) for lines in tunes]


def _title(lines: list[str]) -> str:
    fields = {line[0]: line[2:].strip() for line in reversed(lines) if line[:2] in ("X:", "T:")}
    return f"{fields['X']} {fields.get('T', '')}".strip()


def _is_music(line: str) -> bool:
    field = _FIELD.match(line)
    return not line.startswith("%") and (field is None or field[1] in _MUSICAL_FIELDS)


def melody_steps(tune: Tune) -> tuple[int, ...]:
    """Steps on the staff between successive notes: 1 is a second up, 7 an octave; accidentals do not count.

    >>> melody_steps(Tune("", ("K:C", "CEG c2|B,")))
    (2, 2, 3, -8)
    """
    text = "\n".join(line for line in tune.lines if not _FIELD.match(line))
    places = [_place(letter, octaves) for letter, octaves in _NOTE.findall(_NOT_MELODY.sub("", text))]
    return tuple(after - before for before, after in zip(places, places[1:], strict=False))


def _place(letter: str, octaves: str) -> int:
    octave = letter.islower() + octaves.count("'") - octaves.count(",")
    return 7 * octave + _LETTERS.index(letter.upper())
