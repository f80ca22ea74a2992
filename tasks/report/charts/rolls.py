"""Piano-rolls as drawings: runs of notes over the rows of a keyboard.

A roll is drawn by hand, since a chart would need a mark for each note. Here all runs are one path, and a roll of 200
frames has some 10 kB. Its size is fixed: a frame has the same width in every roll of a page, and a roll scrolls in a
narrower window.
"""

from collections.abc import Sequence

from markupsafe import Markup

from tasks.corpus.corpus import LOWEST_NOTE, NOTES
from tasks.corpus.piano_roll import Run
from tasks.report.charts.colours import GRID, INK, MUTED, OTHER, UNDECIDED
from tasks.report.numbers.portrait import FRAMES, Roll

_SHARPS = (1, 3, 6, 8, 10)
_NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
# Pixels: of a note, left of the keyboard, above it, below it.
_NOTE, _LEFT, _ABOVE, _BELOW = 5, 34, 8, 34
WIDE, NARROW = 5, 3
"""Width of a frame in pixels: in a roll by itself, and in three rolls side by side."""
_TICK = 20
_FEWEST_NOTES = 24


def note_name(note: int) -> str:
    """The name of a MIDI number.

    >>> note_name(36), note_name(60), note_name(78)
    ('C2', 'C4', 'F♯5')
    """
    return f"{_NAMES[note % 12]}{note // 12 - 1}"


def shown_range(rolls: Sequence[Roll]) -> tuple[int, int]:
    """The lowest and the highest note that some rolls show: one note more on either side, at least two octaves.

    >>> shown_range([Roll("a", "the first", 9, ((60, 0, 4), (64, 2, 9)))])
    (51, 74)
    """
    notes = [note for roll in rolls for note, _, _ in roll.runs] or [60]
    low, high = min(notes) - 1, max(notes) + 1
    lacking = max(0, _FEWEST_NOTES - (high - low + 1))
    low, high = low - lacking // 2, high + lacking - lacking // 2
    lowest, highest = LOWEST_NOTE, LOWEST_NOTE + NOTES - 1
    return min(max(low, lowest), highest - _FEWEST_NOTES + 1), max(min(high, highest), lowest + _FEWEST_NOTES - 1)


def draw_roll(roll: Roll, low: int, high: int, description: str, given: int = 0, width_of_frame: int = WIDE) -> Markup:
    """One `<svg>` element, `role="img"`: one row for each note from `low` to `high`, one column for each frame.

    The notes of the first `given` frames are grey, and a line stands where they end. The `data-` attributes are for the
    script that moves a line over the roll (`pages/scripts`): the place of the first frame, the width of a frame, and
    the end of the last row.
    """
    frames, wide = min(roll.frames, FRAMES), width_of_frame
    width, height = frames * wide, (high - low + 1) * _NOTE
    parts = [
        _opening(_LEFT + width + 12, height, wide, description),
        _path(GRID, _NOTE - 1, [f"M{_LEFT} {_middle(n, high)}h{width}" for n in range(low, high + 1) if is_black(n)]),
    ]
    for note in range(low, high + 1):
        if note % 12 == 0:
            foot = (high - note + 1) * _NOTE
            parts.append(_path(UNDECIDED, 0.5, [f"M{_LEFT} {foot}h{width}"]))
            parts.append(_text(_LEFT - 6, foot - _NOTE / 2 + 4, note_name(note), "end", INK))
    for frame in range(0, frames + 1, _TICK):
        x = _LEFT + frame * wide
        parts.append(_path(UNDECIDED, 0.5, [f"M{x} 0v{height + 4}"]))
        parts.append(_text(x, height + 16, str(frame), "middle", INK))
    before = [(note, a, min(b, given)) for note, a, b in roll.runs if a < given]
    after = [(note, max(a, given), b) for note, a, b in roll.runs if b > given]
    parts += [_path(UNDECIDED, _NOTE - 1, _bars(before, high, wide)), _path(OTHER, _NOTE - 1, _bars(after, high, wide))]
    parts += [_path(INK, 1.5, [f"M{_LEFT + given * wide} 0v{height + 4}"] if given else [])]
    parts += [_text(_LEFT, height + 34, "frame", "start", MUTED), Markup("</svg>")]
    return Markup("").join(parts)


def _bars(runs: Sequence[Run], high: int, wide: int) -> list[str]:
    return [f"M{_LEFT + start * wide} {_middle(note, high)}h{(end - start) * wide}" for note, start, end in runs]


def is_black(note: int) -> bool:
    """Whether the key of a MIDI number is black."""
    return note % 12 in _SHARPS


def _middle(note: int, high: int) -> float:
    return (high - note + 0.5) * _NOTE


def _opening(width: int, rows: int, wide: int, description: str) -> Markup:
    height = rows + _BELOW + 6 + _ABOVE
    size = Markup('width="{0}" height="{1}" viewBox="0 -{2} {0} {1}"').format(width, height, _ABOVE)
    places = Markup('data-left="{}" data-frame="{}" data-foot="{}"').format(_LEFT, wide, rows + 4)
    opening = Markup('<svg xmlns="http://www.w3.org/2000/svg" {} {} role="img" aria-label="{}">')
    return opening.format(size, places, description)


def _path(colour: str, width: float, commands: Sequence[str]) -> Markup:
    path = Markup('<path stroke="{}" stroke-width="{}" d="{}"/>')
    return path.format(colour, width, "".join(commands)) if commands else Markup("")


def _text(x: float, y: float, text: str, anchor: str, colour: str) -> Markup:
    element = Markup('<text x="{}" y="{}" text-anchor="{}" font-size="12" fill="{}">{}</text>')
    return element.format(x, y, anchor, colour, text)
