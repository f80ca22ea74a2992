"""L: leaky integration; a share of the units keeps part of its state.

Section 3.2 of arXiv:1212.0901, for a share of the units:

    h_{t,i} = a_i h_{t-1,i} + (1 - a_i) F_i(h_{t-1}, x_t)

The paper draws a_i from (0.02, 0.2) and calls these units slow. By the formula as printed, a unit with a = 0.2 forgets
within one step. If the number is read as the update rate, h = (1 - u) h_{t-1} + u F with u in (0.02, 0.2), units
remember for 5 to 50 steps, which is slow. Both readings are implemented by name; the scan computes the printed formula.

Shape letters: H hidden.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from models.data_kinds import Kind
from models.randomness import Draws
from models.techniques.base import Technique

Reading = Literal["retention", "update-rate"]
READINGS: tuple[Reading, ...] = ("retention", "update-rate")


def sample_retention(
    hidden_size: int, share: float, low: float, high: float, reading: Reading, generator: torch.Generator
) -> Tensor:
    """Retention of each unit: a_i ~ U(low, high) or 1 - a_i ~ U(low, high) for the first units, 0 for the rest.

    The choice of leaky units does not matter, since the units of a layer are exchangeable before training.

    Args:
        hidden_size: H.
        share: share of the units that leak, rounded to a whole number of units.
        low, high: the interval of a, or of 1 - a.
        reading: `retention` draws a itself, `update-rate` draws 1 - a.
        generator: source of the random numbers.

    Returns:
        Tensor of shape (H,), in [0, 1).
    """
    leaking = round(share * hidden_size)
    drawn = torch.empty(leaking).uniform_(low, high, generator=generator)
    retention_H = torch.zeros(hidden_size)
    retention_H[:leaking] = drawn if reading == "retention" else 1 - drawn
    return retention_H


@dataclass(frozen=True)
class Leaky(Technique):
    """A share of the units leaks, by one of the two readings of the paper's interval."""

    letter: ClassVar[str] = "L"
    title: ClassVar[str] = "leaky integration"
    goes_with_gates: ClassVar[bool] = False
    share: float
    reading: Reading
    low: float = 0.02
    high: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"leaky share: wants a number in (0, 1], got {self.share}")
        if self.reading not in READINGS:
            raise ValueError(f"leaky reading: {self.reading!r} is none of {', '.join(READINGS)}")
        if not 0 < self.low <= self.high < 1:
            raise ValueError(f"leaky interval: wants 0 < low <= high < 1, got {self.low}, {self.high}")

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """25 or 50 % of the units (the paper's 0 % is the variant without L), in either reading of (0.02, 0.2)."""
        return cls(
            draws.choice("leak_share", (0.25, 0.5)),
            draws.choice("leak_reading", READINGS),
            draws.constant("leak_low", 0.02),
            draws.constant("leak_high", 0.2),
        )

    def retention(self, hidden_size: int, generator: torch.Generator) -> Tensor:
        """Draw the retention of every unit."""
        return sample_retention(hidden_size, self.share, self.low, self.high, self.reading, generator)
