"""Which states choose among which symbols: the layout of a softmax, whole or by classes.

A segment is some neighbouring states that choose among some neighbouring columns of the weights. A whole softmax is one
segment; a factorised one has a segment a class.

Shape letters: S stacked trials, N states, D symbols, G segments.
"""

from dataclasses import dataclass
from typing import Self

from torch import Tensor


@dataclass(frozen=True)
class Segments:
    """Where segments begin, one after another, and at the end where the last one ends.

    Attributes:
        rows: of each member, G + 1 places among its states, from 0 to N; a segment may have no state.
        columns: G + 1 places among the symbols, from 0 to D; every segment has a symbol.
    """

    rows: tuple[tuple[int, ...], ...]
    columns: tuple[int, ...]

    @classmethod
    def whole(cls, members: int, states: int, symbols: int) -> Self:
        """Every state chooses among all symbols."""
        return cls(((0, states),) * members, (0, symbols))

    @classmethod
    def of_classes(cls, class_SN: Tensor, columns: tuple[int, ...]) -> Self:
        """States in the order of their classes.

        Args:
            class_SN: class of each state, from 0 to G - 1, in any order. On a GPU this waits for it.
            columns: where the symbols of each class begin.
        """
        ends_SG = (class_SN.unsqueeze(-1) < class_SN.new_tensor(range(1, len(columns)))).sum(1)
        return cls(tuple((0, *ends) for ends in ends_SG.tolist()), columns)

    @property
    def is_whole(self) -> bool:
        """Whether there is one segment only."""
        return len(self.columns) == 2

    def member(self, s: int) -> Self:
        """The segments of one member."""
        return type(self)(self.rows[s : s + 1], self.columns)
