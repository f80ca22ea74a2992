"""Placebo: it changes the random streams of a trial, and nothing that a network could learn better or worse from.

What it seems to change in a report is luck: of initial weights, orders and dropout. A comparison that calls it helpful
or harmful more often than its intervals promise claims too much of real techniques as well.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from models.data_kinds import Kind
from models.randomness import Draws
from models.seeds import seed_for
from models.techniques.base import Technique

_SALTS = 2**31 - 1


@dataclass(frozen=True)
class Placebo(Technique):
    """Other random streams: seed_for(seed, "placebo", salt) in place of the seed.

    Attributes:
        salt: an integer from 0 that names them.

    Raises:
        ValueError: the salt is none.
    """

    letter: ClassVar[str] = "Z"
    title: ClassVar[str] = "placebo"

    salt: int

    def __post_init__(self) -> None:
        if not (isinstance(self.salt, int) and self.salt >= 0):
            raise ValueError(f"salt: wants an integer from 0, got {self.salt!r}")

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """Any salt."""
        return cls(draws.integer("salt", 0, _SALTS))

    def stream(self, seed: int) -> int:
        """Another seed."""
        return seed_for(seed, "placebo", self.salt)
