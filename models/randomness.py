"""Random numbers: every stream has a name, and all streams come from one seed.

A stream is named by what it is for, `seed_for(trial.stream, "initialisation")`, so that adding a new one never
moves another, and two variants that share a purpose share its numbers. No global generator is ever seeded.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
QUARTERS = 4


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


def uniform_like(values: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Numbers in [0, 1) of the shape, the type and the device of some values, those of each member from its own stream.

    Args:
        values: of shape (S, ...).
        generators: S of them; a member of a stack then draws what it draws alone.
    """
    numbers = torch.empty_like(values, requires_grad=False, memory_format=torch.contiguous_format)
    for row, generator in zip(numbers, generators, strict=True):
        row.uniform_(generator=generator)
    return numbers


class Draws:
    """Hyper-parameters drawn by name: the same name gives the same number, whoever asks.

    With the same names and index for the i-th trial of every variant, the i-th trial of `SGD+C` and of `SGD+CL` share
    their learning rate and their hidden size, so that their difference is the technique's.

    A search has few trials, so they are spread instead of left to luck (Latin hypercube sampling; McKay, Beckman &
    Conover 1979): of every four indices in a row, one draws from each quarter of an interval, in an order that is
    random and another one for each name; of every `n` in a row, each takes another one of `n` options. Each number
    alone is still drawn uniformly.

    Args:
        names: of the streams, as for `seed_for`.
        index: which draw of the series it is, from 0.

    >>> sorted(Draws(0, "chorales", index=i).choice("learning_rate", (0.5, 0.1, 0.01)) for i in range(3))
    [0.01, 0.1, 0.5]
    """

    def __init__(self, *names: object, index: int = 0) -> None:
        self._names, self._index = names, index

    def _stratum(self, name: str, count: int) -> int:
        """One of 0..count-1, each once in every `count` indices in a row that start at a multiple of it."""
        block, place = divmod(self._index, count)
        order = sorted(range(count), key=lambda stratum: seed_for(*self._names, name, "stratum", count, block, stratum))
        return order[place]

    def _unit(self, name: str) -> float:
        """A number in [0, 1)."""
        within = (seed_for(*self._names, self._index, name) >> 13) / 2**50  # short of 1 also after the addition
        return (self._stratum(name, QUARTERS) + within) / QUARTERS

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
        return options[self._stratum(name, len(options))]


class DrawsAt(Draws):
    """What is drawn at one part of every interval: where a technique's intervals end, and where their middle is.

    Args:
        part: from 0, the end that is drawn from first, up to but not including 1.

    >>> DrawsAt(0.5).log_uniform("learning_rate", 1e-4, 1e-2), DrawsAt(0.5).choice("units", (50, 100, 200))
    (0.001, 100)
    """

    def __init__(self, part: float) -> None:
        super().__init__()
        self._part = part

    def _stratum(self, name: str, count: int) -> int:
        return int(self._part * count)

    def _unit(self, name: str) -> float:
        return self._part
