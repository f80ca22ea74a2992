"""One machine's share of a campaign that runs on several without a common store.

A share is made of whole brackets. A bracket is one variant on one corpus in one study, and needs no other bracket: so a
share can run from the first rung to the fresh seeds by itself. Share i of n has every n-th bracket. With as many shares
as studies, each machine does one study of every variant.
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
        """Read a share from text such as `2/5`.

        Raises:
            ConfigurationError: the text is not a share.

        >>> Share.read("2/5")
        Share(part=2, of=5)
        """
        parts = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
        if not parts or int(parts[1]) > int(parts[2]):
            raise ConfigurationError(f"--share {text!r}: wants which share of how many, as 2/5")
        return cls(int(parts[1]), int(parts[2]))

    def __str__(self) -> str:
        return f"{self.part}/{self.of}"

    def has(self, place: int) -> bool:
        """Whether the share has the bracket at this place, counted from 0."""
        return place % self.of == self.part - 1


def share_asked(text: str | None) -> Share | None:
    """The share that a request names; None for the whole campaign.

    Raises:
        ConfigurationError: the text is not a share.
    """
    return None if text is None else Share.read(text)
