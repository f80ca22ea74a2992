"""Words around numbers and names, for whatever tells people something."""

import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

# Without a shape of their own, or able to turn the line around: control, format, surrogate, private, unassigned, ends.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def preset_title(preset: str, changes: Collection[str]) -> str:
    """What a campaign is called: its preset, or the preset that it changes.

    >>> preset_title("default", ()), preset_title("default", ("trials",))
    ('default', 'default, changed')
    """
    return f"{preset}, changed" if changes else preset


def plural(number_of: int, noun: str, several: str = "") -> str:
    """A number with its noun; `several` is the noun of more than one, where that has more than an s.

    >>> plural(1, "seed"), plural(3000, "seed"), plural(5, "study", "studies")
    ('1 seed', '3,000 seeds', '5 studies')
    """
    return f"{number_of:,} {noun}" if number_of == 1 else f"{number_of:,} {several or f'{noun}s'}"


def first_line(message: Any, limit: int = 300) -> str:
    """The first line of a message, not longer than `limit` characters."""
    lines = str(message).strip().splitlines() or [""]
    return lines[0] if len(lines[0]) <= limit else lines[0][: limit - 1] + "…"


def visible(text: str) -> str:
    r"""A text of other people's with every character that cannot be seen written out.

    >>> visible("a\tb\u202ec")
    'a[U+0009]b[U+202E]c'
    """
    return "".join(f"[U+{ord(each):04X}]" if unicodedata.category(each) in _UNSEEN else each for each in text)


def short(message: Any) -> str:
    r"""The words of somebody else's error, which may quote anything of any length, to be put in a line of ours.

    >>> short("File name b'" + "x" * 70000), short("a\nb")[:3]
    ("File name b'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…", 'a')
    """
    return visible(first_line(message, 100))


def first_of(files: Sequence[str]) -> str:
    """The one file, or how many there are and the first.

    >>> first_of(["a.mid"]), first_of(["a.mid", "b.mid"])
    ("'a.mid'", "2 files, 'a.mid' first,")
    """
    return f"{files[0]!r}" if len(files) == 1 else f"{len(files):,} files, {files[0]!r} first,"
