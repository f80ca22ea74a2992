"""One machine's share of a campaign that runs on several without a common store.

The unit is a bracket, a variant on a corpus in a study: it needs nothing of another one, so that a share runs from its
first rung to its fresh seeds alone. The i-th of n shares has each n-th bracket. With as many shares as studies each
machine makes one study of every variant.
"""

import re
from dataclasses import dataclass
from typing import Self

from infra.errors import ConfigurationError


@dataclass(frozen=True)
class Share:
    """The `part`-th of `of` shares, from 1."""

    part: int
    of: int

    @classmethod
    def read(cls, text: str) -> Self:
        """The share that is written `2/5`.

        Raises:
            ConfigurationError: it is none.

        >>> Share.read("2/5")
        Share(part=2, of=5)
        """
        found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
        if not found or int(found[1]) > int(found[2]):
            raise ConfigurationError(f"--share {text!r}: wants which share of how many, as 2/5")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.part}/{self.of}"

    def has(self, place: int) -> bool:
        """Whether the bracket at a place, from 0, is in it."""
        return place % self.of == self.part - 1


def share_asked(text: str | None) -> Share | None:
    """The share that a request names; None for all of a campaign.

    Raises:
        ConfigurationError: it is none.
    """
    return None if text is None else Share.read(text)
