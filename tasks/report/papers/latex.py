r"""A table as LaTeX: a `tabular` with the rules of the package `booktabs`, whose text is set literally.

Every character with a meaning in LaTeX is escaped, and a character that its fonts lack is written out. So no name and
no sign can stop a paper from being set. What this does not do: choose the content of a table (`files.py`).
"""

import re
from collections.abc import Sequence

from tasks.telling.wording import visible

_SIGNS = {
    **{sign: f"\\{sign}" for sign in "#$%&_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "−": "$-$",
    "≈": r"$\approx$",
    "→": r"$\rightarrow$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "●": r"$\bullet$",
    "†": r"$\dagger$",
    "–": "--",
    "—": "---",
    "’": "'",
    "‘": "`",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
    "\u00a0": "~",
}
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_RAISED_SIGNS = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LETTERS = re.compile("[ -~\u00a1-\u00ac\u00ae-\u017f]")
"""What the fonts of every LaTeX have: ASCII, Latin-1 and Latin Extended-A."""


def escape(text: str) -> str:
    r"""A text as LaTeX sets it, on one line.

    >>> escape("SGD_1 & −9.12 [50 %]"), escape("10⁻¹²"), escape("中")
    ('SGD\\_1 \\& $-$9.12 [50 \\%]', '10$^{-12}$', '[U+4E2D]')
    """
    parts = []
    at = 0
    for raised in _RAISED_SIGNS.finditer(text):
        parts += [_plain(text[at : raised.start()]), f"$^{{{raised.group().translate(_RAISED)}}}$"]
        at = raised.end()
    return "".join([*parts, _plain(text[at:])])


def _plain(text: str) -> str:
    return "".join(map(_sign, visible(text)))


def _sign(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    return sign if _LETTERS.fullmatch(sign) else f"[U+{ord(sign):04X}]"


def tabular(columns: Sequence[str], rows: Sequence[Sequence[str]], about: str, alignment: str = "") -> bytes:
    """A table whose first column names the row.

    Args:
        columns: headings, as literal text.
        rows: cells, as literal text, as many in each row as there are columns.
        about: the content, for the comment above the table.
        alignment: of the columns, in LaTeX's letters; if empty, the first to the left and the others to the right.

    Raises:
        ValueError: a row has another number of cells than there are columns.
    """
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{about}: a row of {len(row)} cells below {len(columns)} headings")
    lines = [
        f"% {' '.join(visible(about).split())}",
        "% wants \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{{alignment or 'l' + 'r' * (len(columns) - 1)}}}",
        "\\toprule",
        _line(columns),
        "\\midrule",
        *map(_line, rows),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _line(cells: Sequence[str]) -> str:
    # behind \\ LaTeX takes a bracket or a star for an argument of that
    first, *others = map(escape, cells)
    guarded = f"{{}}{first}" if first.startswith(("[", "*")) else first
    return " & ".join([guarded, *others]) + r" \\"
