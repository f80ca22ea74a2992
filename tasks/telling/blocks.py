"""Blocks of text for a terminal that fit the width there is, kept as JSON values until they are shown.

A block is lines, which are broken to the width, and below them a table in one or several layouts, of which the first
that fits is shown. Who makes a block needs the numbers and what draws tables; who shows it needs neither.
"""

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from textwrap import fill
from typing import Any, Self

WIDTH = 118
"""Columns of what goes into a file or a log, and the most on a terminal."""
_NARROWEST = 40


@dataclass(frozen=True)
class Block:
    """Lines, and a table below them.

    Attributes:
        lines: each a paragraph.
        layouts: of one table, the widest first: its columns, and its text. None where there is no table.
        indent: columns by which what follows the first line of a paragraph is indented.
    """

    lines: tuple[str, ...] = ()
    layouts: tuple[tuple[int, str], ...] = ()
    indent: int = 0

    def fitted(self, width: int) -> str:
        """The text in so many columns; the last layout where none fits, the first one in a file."""
        lines = [fill(line.strip(), width, subsequent_indent=" " * self.indent) for line in self.lines]
        texts = [text for columns, text in self.layouts if width == WIDTH or columns <= width]
        table = [*texts, *(text for _, text in self.layouts[-1:])][:1]
        return "".join(f"{part}\n" for part in (*lines, *(text.removesuffix("\n") for text in table)))

    def to_json(self) -> dict[str, Any]:
        """The block as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The block that `to_json` made."""
        layouts = tuple((int(columns), str(text)) for columns, text in values["layouts"])
        return cls(tuple(map(str, values["lines"])), layouts, int(values["indent"]))


def shown(blocks: Iterable[Block]) -> str:
    """Blocks as they are printed, an empty line between any two."""
    return "\n".join(block.fitted(columns()) for block in blocks)


def columns() -> int:
    """Columns to write in: those of the terminal, `WIDTH` at most, and always `WIDTH` where standard output is none."""
    if sys.stdout is None or not sys.stdout.isatty():
        return WIDTH
    return max(_NARROWEST, min(WIDTH, shutil.get_terminal_size().columns))


def paragraphs(texts: Sequence[str]) -> Block:
    """A block of lines alone."""
    return Block(tuple(texts))
