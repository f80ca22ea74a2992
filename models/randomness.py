"""Random numbers: every stream has a name, and all streams come from one seed.

A stream is named by what it is for, `seed_for(trial.seed, "initialisation")`, so that adding a new one never
moves another, and two variants that share a purpose share its numbers. No global generator is ever seeded.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import torch

T = TypeVar("T")


def seed_for(*names: object) -> int:
    """Seed of the stream of that name: the first 63 bits of the sha256 of the names.

    Args:
        names: what tells the stream from every other; anything with a stable `str`.

    Returns:
        An integer in [0, 2^63).

    >>> seed_for(1, "order", 0) == seed_for(1, "order", 0) != seed_for(1, "order", 1)
    True
    """
    digest = hashlib.sha256("\x1f".join(str(name) for name in names).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator_for(*names: object, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch generator at the start of the stream of that name."""
    return torch.Generator(device).manual_seed(seed_for(*names))


class Draws:
    """Hyper-parameters drawn by name: the same name gives the same number, whoever asks.

    With one `Draws` for the i-th trial of every variant, the i-th trial of `SGD+C` and of `SGD+CL` share their
    learning rate and their hidden size, so that their difference is the technique's.

    >>> Draws(0, "chorales", 3).log_uniform("learning_rate", 1e-4, 1e-1) <= 1e-1
    True
    """

    def __init__(self, *names: object) -> None:
        self._names = names

    def _unit(self, name: str) -> float:
        return seed_for(*self._names, name) / 2**63

    def uniform(self, name: str, low: float, high: float) -> float:
        """A number in [low, high), every one as likely."""
        return low + (high - low) * self._unit(name)

    def log_uniform(self, name: str, low: float, high: float) -> float:
        """A number in [low, high), its logarithm uniform."""
        return float(low * (high / low) ** self._unit(name))

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer in [low, high], both ends included."""
        return low + int((high - low + 1) * self._unit(name))

    def choice(self, name: str, options: Sequence[T]) -> T:
        """One of the options, every one as likely."""
        return options[int(len(options) * self._unit(name))]
