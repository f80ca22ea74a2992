"""Z: a placebo, which only changes the random streams of a trial.

Any effect of it in a report is luck: of initial weights, orders and dropout. If comparisons call the placebo helpful or
harmful more often than their intervals allow, they claim too much about real techniques as well.
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
        salt: an integer from 0 that identifies the streams.

    Raises:
        ValueError: the salt is not an integer from 0.
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
