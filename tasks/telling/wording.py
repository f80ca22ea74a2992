"""Small functions for text shown to users: plurals, first lines, invisible characters."""

import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

# Categories of invisible or reordering characters: control, format, surrogate, private, unassigned, separators.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def preset_title(preset: str, changes: Collection[str]) -> str:
    """The name of a campaign: its preset, or the preset that it changes.

    >>> preset_title("default", ()), preset_title("default", ("trials",))
    ('default', 'default, changed')
    """
    return f"{preset}, changed" if changes else preset


def plural(number_of: int, noun: str, several: str = "") -> str:
    """A number with its noun; `several` is the plural if it is not formed by an s.

    >>> plural(1, "seed"), plural(3000, "seed"), plural(5, "study", "studies")
    ('1 seed', '3,000 seeds', '5 studies')
    """
    return f"{number_of:,} {noun}" if number_of == 1 else f"{number_of:,} {several or f'{noun}s'}"


def first_line(message: Any, limit: int = 300) -> str:
    """The first line of a message, not longer than `limit` characters."""
    lines = str(message).strip().splitlines() or [""]
    return lines[0] if len(lines[0]) <= limit else lines[0][: limit - 1] + "…"


def visible(text: str) -> str:
    r"""A foreign text with every invisible character written as its code point.

    >>> visible("a\tb\u202ec")
    'a[U+0009]b[U+202E]c'
    """
    return "".join(f"[U+{ord(each):04X}]" if unicodedata.category(each) in _UNSEEN else each for each in text)


def short(message: Any) -> str:
    r"""A foreign error message, shortened and made visible, for use within a line of ours.

    >>> short("File name b'" + "x" * 70000), short("a\nb")[:3]
    ("File name b'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…", 'a')
    """
    return visible(first_line(message, 100))


def first_of(files: Sequence[str]) -> str:
    """The name of a single file, or the number of files and the first name.

    >>> first_of(["a.mid"]), first_of(["a.mid", "b.mid"])
    ("'a.mid'", "2 files, 'a.mid' first,")
    """
    return f"{files[0]!r}" if len(files) == 1 else f"{len(files):,} files, {files[0]!r} first,"
