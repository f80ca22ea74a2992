"""Segments: which states choose among which symbols, in a full or a class-factorised softmax.

A segment is a block of states that choose among a block of columns of the weights. A full softmax is a single segment;
a factorised one has a segment for each class.

Shape letters: S stacked trials, N states, D symbols, G segments.
"""

from dataclasses import dataclass
from typing import Self

from torch import Tensor


@dataclass(frozen=True)
class Segments:
    """The boundaries of G consecutive segments.

    Attributes:
        rows: for each member, G + 1 boundaries among its states, from 0 to N; a segment may be empty.
        columns: G + 1 boundaries among the symbols, from 0 to D; every segment has a symbol.
    """

    rows: tuple[tuple[int, ...], ...]
    columns: tuple[int, ...]

    @classmethod
    def whole(cls, members: int, states: int, symbols: int) -> Self:
        """Every state chooses among all symbols."""
        return cls(((0, states),) * members, (0, symbols))

    @classmethod
    def of_classes(cls, class_SN: Tensor, columns: tuple[int, ...]) -> Self:
        """Segments for states that are sorted by class.

        Args:
            class_SN: class of each state, from 0 to G - 1, in any order. On a GPU this waits for the device.
            columns: boundaries of the symbols of each class.
        """
        ends_SG = (class_SN.unsqueeze(-1) < class_SN.new_tensor(range(1, len(columns)))).sum(1)
        return cls(tuple((0, *ends) for ends in ends_SG.tolist()), columns)

    @property
    def is_whole(self) -> bool:
        """Whether there is only one segment."""
        return len(self.columns) == 2

    def member(self, s: int) -> Self:
        """The segments of one member."""
        return type(self)(self.rows[s : s + 1], self.columns)
