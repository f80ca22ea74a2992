"""A tune in ABC notation as notes to listen to, also where a network wrote it: what cannot be read is passed over.

Read are the fields K, L and M, on lines of their own and within one, and of the music: notes with accidentals, octaves
and lengths, rests, chords, tuplets, broken rhythm and ties. Repeats are played once. Sections 3 and 4 of the standard,
http://abcnotation.com/wiki/abc:standard:v2.1. What this does not do: read books of tunes
(`tasks/ingest/readers/abc_notation.py`), or play.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import zip_longest

from tasks.corpus.piano_roll import fold

TICKS = 192
"""Of a whole note: triplets of sixteenths and dotted thirty-seconds are whole numbers of them."""
_LONGEST = 4
_LENGTH = r"(?:\d{0,3}(?:/+\d{0,3})?)"
_NOTE = rf"(?:\^\^?|__?|=)?[A-Ga-g][',]*{_LENGTH}"
_TOKEN = re.compile(
    rf"""^(?P<field>[A-Za-z]:[^\n]*)$ | \[(?P<inline>[A-Za-z]:[^]\n]*)\]
    | "[^"\n]*" | ![^!\n]*! | \{{[^}}\n]*\}} | %[^\n]*
    | \((?P<tuplet>[2-9])(?P<into>:\d?)?(?P<over>:\d?)?
    | \[(?P<chord>(?:{_NOTE}\s*)+)\](?P<chord_length>{_LENGTH})
    | (?P<note>{_NOTE}) | (?P<rest>[zx]{_LENGTH}) | (?P<broken>>{{1,3}}|<{{1,3}}) | (?P<tie>-) | (?P<bar>\|)""",
    re.MULTILINE | re.VERBOSE,
)
_PARTS = re.compile(rf"(\^\^?|__?|=)?([A-Ga-gzx])([',]*)({_LENGTH})")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_FIFTHS = {letter: place - 1 for place, letter in enumerate("FCGDAEB")}
_MODES = {
    "": 0,
    "maj": 0,
    "ion": 0,
    "mix": -1,
    "dor": -2,
    "m": -3,
    "min": -3,
    "aeo": -3,
    "phr": -4,
    "loc": -5,
    "lyd": 1,
}
_SHIFTS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
# How many notes' time a tuplet takes; of others that of two, as in simple time.
_INTO = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}


@dataclass(frozen=True)
class Heard:
    """A note of a tune: MIDI number, ticks start <= t < end, and where its letter stands in the text."""

    note: int
    start: int
    end: int
    place: int


@dataclass(frozen=True)
class _Event:
    """Notes that begin together, or a rest: MIDI numbers, length in whole notes, whether it is tied to the next."""

    notes: tuple[int, ...]
    length: Fraction
    place: int
    tied: bool = False


@dataclass
class _Reader:
    """What goes on from token to token: unit and key, accidentals of the bar, what changes the notes to come."""

    unit: Fraction | None = None
    meter: Fraction = Fraction(1)
    key: dict[str, int] = field(default_factory=dict)
    in_bar: dict[tuple[str, str], int] = field(default_factory=dict)
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)
    next_factor: Fraction = Fraction(1)
    events: list[_Event] = field(default_factory=list)

    def read(self, match: re.Match[str]) -> None:
        told = match.groupdict()
        if told["field"] or told["inline"]:
            self._read_field(told["field"] or told["inline"])
        elif told["tuplet"]:
            many = int(told["tuplet"])
            into, over = (int(told[name][1:] or 0) if told[name] else 0 for name in ("into", "over"))
            self.tuplet = Fraction(into or _INTO.get(many, 2), many), over or many
        elif told["bar"]:
            self.in_bar = {}
        elif told["tie"] and self.events:
            self.events[-1] = replace(self.events[-1], tied=True)
        elif told["broken"] and self.events:
            self._break(told["broken"])
        elif told["chord"]:
            inside = list(_PARTS.finditer(told["chord"]))
            length = _length(inside[0][4]) * _length(told["chord_length"])
            self._add(tuple(map(self._pitch, inside)), length, match.start("chord"))
        elif told["note"] or told["rest"]:
            parts = _PARTS.fullmatch(told["note"] or told["rest"])
            assert parts is not None  # noqa: S101  # the token is made of it
            self._add(() if told["rest"] else (self._pitch(parts),), _length(parts[4]), match.start() + parts.start(2))

    def _read_field(self, text: str) -> None:
        name, value = text[0], text[2:].strip()
        if name == "K":
            self.key = _key(value)
        elif name in "LM":
            number = {"C": Fraction(1), "C|": Fraction(1)}.get(value) or _fraction(value)
            if number and name == "L":
                self.unit = number
            elif number:
                self.meter = number

    def _pitch(self, parts: re.Match[str]) -> int:
        accidental, letter, octave, _ = parts.groups()
        if accidental:
            self.in_bar[letter, octave] = _SHIFTS[accidental]
        name = letter.upper()
        shift = self.in_bar.get((letter, octave), self.key.get(name, 0))
        octaves = octave.count("'") - octave.count(",") + (letter != name)
        return fold(60 + _STEPS[name] + 12 * octaves + shift)

    def _add(self, notes: tuple[int, ...], length: Fraction, place: int) -> None:
        factor, left = self.tuplet
        unit = self.unit or (Fraction(1, 16) if self.meter < Fraction(3, 4) else Fraction(1, 8))
        whole = length * unit * self.next_factor * (factor if left else 1)
        self.events.append(_Event(notes, min(whole, Fraction(_LONGEST)), place))
        self.tuplet, self.next_factor = (factor, max(left - 1, 0)), Fraction(1)

    def _break(self, mark: str) -> None:
        """`A>B`: the one as much longer as the other is shorter; `>>` by three quarters, `>>>` by seven eighths."""
        part = Fraction(1, 2 ** len(mark))
        first, self.next_factor = (2 - part, part) if mark[0] == ">" else (part, 2 - part)
        self.events[-1] = replace(self.events[-1], length=self.events[-1].length * first)


def melody(text: str) -> tuple[Heard, ...]:
    r"""The notes of a tune, by time.

    >>> [(each.note, each.start, each.end) for each in melody("L:1/4\nK:G\nG F/ z/ | B2")]
    [(67, 0, 48), (66, 48, 72), (71, 96, 192)]
    """
    reader = _Reader()
    for match in _TOKEN.finditer(text):
        reader.read(match)
    return tuple(_heard(reader.events))


def _heard(events: list[_Event]) -> Iterator[Heard]:
    now = Fraction(0)
    held: dict[int, tuple[Fraction, int]] = {}
    for event, following in zip_longest(events, events[1:]):
        end = now + event.length
        tied = set(event.notes) & set(following.notes) if event.tied and following else set()
        for note in sorted(set(event.notes)):
            begin, place = held.pop(note, (now, event.place))
            if note in tied:
                held[note] = begin, place
            else:
                start = round(begin * TICKS)
                yield Heard(note, start, max(round(end * TICKS), start + 1), place)
        now = end


def _length(text: str) -> Fraction:
    """A length as it is written, in units: `2`, `/2`, `3/2`, `//`; of nothing one."""
    over, slashes, under = re.fullmatch(r"(\d*)(/*)(\d*)", text).groups()  # type: ignore[union-attr]
    divided = int(under or 0) or (2 ** len(slashes) if slashes else 1)
    return Fraction(int(over or 0) or 1, divided)


def _fraction(text: str) -> Fraction | None:
    found = re.match(r"(\d{1,3})/(\d{1,3})", text)
    return Fraction(int(found[1]), int(found[2])) if found and int(found[1]) and int(found[2]) else None


def _key(text: str) -> dict[str, int]:
    """What a key raises (1) or lowers (-1), by letter; nothing where it cannot be read."""
    found = re.match(r"([A-G])([#b]?)\s*([A-Za-z]*)", text)
    if found is None:
        return {}
    mode = found[3].lower()
    fifths = _FIFTHS[found[1]] + {"#": 7, "b": -7, "": 0}[found[2]] + _MODES.get(mode if mode == "m" else mode[:3], 0)
    sharps, flats = "FCGDAEB"[: max(fifths, 0)], "BEADGCF"[: max(-fifths, 0)]
    return dict.fromkeys(sharps, 1) | dict.fromkeys(flats, -1)
