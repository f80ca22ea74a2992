"""Random numbers for torch, and draws of hyper-parameters; every random stream has a name (`seeds.py`).

Two variants that use a stream of the same name, such as `generator_for(trial.stream, "initialisation")`, get the same
numbers. No global generator is ever seeded.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from models.ranges import Interval, Range, Scale, Values
from models.seeds import seed_for

T = TypeVar("T")
QUARTERS = 4


def generator_for(*names: object, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch generator at the start of the stream of that name."""
    return torch.Generator(device).manual_seed(seed_for(*names))


def uniform_like(values: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Uniform numbers in [0, 1) with the shape, type and device of `values`; each member draws from its own stream.

    Args:
        values: of shape (S, ...).
        generators: S of them, so that a member of a stack draws the same numbers as it would alone.
    """
    numbers = torch.empty_like(values, requires_grad=False, memory_format=torch.contiguous_format)
    for row, generator in zip(numbers, generators, strict=True):
        row.uniform_(generator=generator)
    return numbers


class Draws:
    """Hyper-parameters drawn by name: the same name always gives the same number.

    The i-th trials of all variants use the same stream names and index. So the i-th trials of `SGD+C` and of `SGD+CL`
    share their learning rate and their hidden size, and differ only by the technique.

    Draws are stratified, since a search has few trials (Latin hypercube sampling; McKay, Beckman & Conover 1979). Of
    every four successive indices, each draws from another quarter of an interval, in a random order that differs by
    name. Of every `n` successive indices, each takes another one of `n` options. Each single number is still uniform.

    The caller gives its own, default range with each draw. A campaign may give another range under the same name, which
    then replaces it. Integers stay integers.

    Args:
        names: of the streams, as for `seed_for`.
        index: number of the draw in its series, from 0.
        given: ranges by name that replace the callers' own ranges.

    >>> sorted(Draws(0, "chorales", index=i).choice("learning_rate", (0.5, 0.1, 0.01)) for i in range(3))
    [0.01, 0.1, 0.5]
    >>> Draws(0, given={"nade_units": Values((7,))}).integer("nade_units", 50, 200)
    7
    """

    def __init__(self, *names: object, index: int = 0, given: Mapping[str, Range] | None = None) -> None:
        self._names, self._index, self._given = names, index, given or {}

    def _stratum(self, name: str, count: int) -> int:
        """One of 0..count-1; each comes once in every block of `count` indices that starts at a multiple of `count`."""
        if count == 1:
            return 0
        block, place = divmod(self._index, count)
        order = sorted(range(count), key=lambda stratum: seed_for(*self._names, name, "stratum", count, block, stratum))
        return order[place]

    def _unit(self, name: str) -> float:
        """A number in [0, 1)."""
        within = (seed_for(*self._names, self._index, name) >> 13) / 2**50  # the sum below stays under QUARTERS
        return (self._stratum(name, QUARTERS) + within) / QUARTERS

    def range_of(self, name: str, own: Range | None = None) -> Range:
        """The range of a name: the campaign's, or else the caller's own.

        Raises:
            ValueError: there is neither.
        """
        found = self._given.get(name, own)
        if found is None:
            raise ValueError(f"{name}: missing")
        return found

    def drawn(self, name: str, own: Range | None = None, *, whole: bool = False) -> Any:
        """A value from the campaign's range of that name, or else from the caller's own.

        Args:
            name: of the hyper-parameter.
            own: range to draw from if the campaign gives none; None if a campaign always gives one.
            whole: draw only whole numbers from an interval.

        Raises:
            ValueError: there is no range of that name; or whole numbers are wanted, and the interval's ends are not.
        """
        wanted = self.range_of(name, own)
        if isinstance(wanted, Values):
            return wanted.options[self._stratum(name, len(wanted.options))]
        if not whole:
            return wanted.at(self._unit(name))
        try:
            return wanted.whole(self._unit(name))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error

    def _real(self, name: str, own: Range) -> float:
        value = self.drawn(name, own)
        if isinstance(value, str):
            raise ValueError(f"{name}: wants a number, got {value!r}")
        return float(value)

    def uniform(self, name: str, low: float, high: float) -> float:
        """A number in [low, high), uniform."""
        return self._real(name, _between(low, high))

    def log_uniform(self, name: str, low: float, high: float) -> float:
        """A number in [low, high), uniform in its logarithm."""
        return self._real(name, _between(low, high, "log"))

    def reverse_log_uniform(self, name: str, low: float, high: float) -> float:
        """A number x in (low, high], uniform in log(1 - x)."""
        return self._real(name, _between(low, high, "reverse-log"))

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer in [low, high], both ends included."""
        value: int = self.drawn(name, _between(low, high), whole=True)
        return value

    def choice(self, name: str, options: Sequence[T]) -> T:
        """One of the options, each equally likely."""
        own = Values(tuple(options))
        real = all(isinstance(option, float) for option in options)
        drawn: Any = self._real(name, own) if real else self.drawn(name, own, whole=True)
        value: T = drawn
        return value

    def constant(self, name: str, value: T) -> T:
        """The value, unless the campaign gives a range of that name."""
        return self.choice(name, (value,))


def _between(low: float, high: float, scale: Scale = "linear") -> Range:
    return Values((low,)) if low == high else Interval(low, high, scale)


LAST_PART = 1 - 2**-53
"""The largest fraction of a range that can be drawn."""


class DrawsAt(Draws):
    """Deterministic draws at one fraction of every range, such as an end or the middle.

    Args:
        part: the fraction, in [0, 1); 0 is the first end.
        given: as for `Draws`.

    >>> DrawsAt(0.5).log_uniform("learning_rate", 1e-4, 1e-2), DrawsAt(0.5).choice("units", (50, 100, 200))
    (0.001, 100)
    """

    def __init__(self, part: float, given: Mapping[str, Range] | None = None) -> None:
        super().__init__(given=given)
        self._part = part

    def _stratum(self, name: str, count: int) -> int:
        return int(self._part * count)

    def _unit(self, name: str) -> float:
        return self._part


class DrawsNoted(DrawsAt):
    """Draws that record in `seen` the range of each name: the campaign's, or else the caller's own."""

    def __init__(self, given: Mapping[str, Range] | None = None) -> None:
        super().__init__(0.0, given)
        self.seen: dict[str, Range] = {}

    def range_of(self, name: str, own: Range | None = None) -> Range:
        """The range of a name, which is recorded."""
        self.seen[name] = super().range_of(name, own)
        return self.seen[name]
