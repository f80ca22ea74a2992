"""Blocks of text that adapt to the terminal's width, and can be stored as JSON values before they are shown.

A block has lines, which are wrapped to the width, and below them a table in one or several layouts, of which the first
that fits is shown. Making a block needs the numbers and the table library; showing a stored block needs neither.
"""

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from textwrap import fill
from typing import Any, Self

WIDTH = 118
"""Width in columns of text in a file or a log, and the largest width on a terminal."""
_NARROWEST = 40


@dataclass(frozen=True)
class Block:
    """Lines, and a table below them.

    Attributes:
        lines: each one a paragraph.
        layouts: of one table, the widest first, each with its width in columns and its text; empty without a table.
        indent: indentation of a paragraph's lines after the first, in columns.
    """

    lines: tuple[str, ...] = ()
    layouts: tuple[tuple[int, str], ...] = ()
    indent: int = 0

    def fitted(self, width: int) -> str:
        """The text for a width in columns. If no layout fits, the last one is used; a file always gets the first."""
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
    """The text of some blocks, with an empty line between them."""
    return "\n".join(block.fitted(columns()) for block in blocks)


def columns() -> int:
    """The width to write in: the terminal's, at most `WIDTH`; always `WIDTH` if standard output is not a terminal."""
    if sys.stdout is None or not sys.stdout.isatty():
        return WIDTH
    return max(_NARROWEST, min(WIDTH, shutil.get_terminal_size().columns))


def paragraphs(texts: Sequence[str]) -> Block:
    """A block of lines without a table."""
    return Block(tuple(texts))
