"""Random numbers of torch, and hyper-parameters that are drawn: every stream has a name (`seeds.py`).

Two variants that share a purpose, `generator_for(trial.stream, "initialisation")`, share its numbers. No global
generator is ever seeded.
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

    Who draws a number says its own range. A campaign may say another one under the same name, which is drawn from
    instead: of whole numbers whole ones, of others real ones.

    Args:
        names: of the streams, as for `seed_for`.
        index: which draw of the series it is, from 0.
        given: ranges that are drawn from in place of the own ones, by name.

    >>> sorted(Draws(0, "chorales", index=i).choice("learning_rate", (0.5, 0.1, 0.01)) for i in range(3))
    [0.01, 0.1, 0.5]
    >>> Draws(0, given={"nade_units": Values((7,))}).integer("nade_units", 50, 200)
    7
    """

    def __init__(self, *names: object, index: int = 0, given: Mapping[str, Range] | None = None) -> None:
        self._names, self._index, self._given = names, index, given or {}

    def _stratum(self, name: str, count: int) -> int:
        """One of 0..count-1, each once in every `count` indices in a row that start at a multiple of it."""
        if count == 1:
            return 0
        block, place = divmod(self._index, count)
        order = sorted(range(count), key=lambda stratum: seed_for(*self._names, name, "stratum", count, block, stratum))
        return order[place]

    def _unit(self, name: str) -> float:
        """A number in [0, 1)."""
        within = (seed_for(*self._names, self._index, name) >> 13) / 2**50  # short of 1 also after the addition
        return (self._stratum(name, QUARTERS) + within) / QUARTERS

    def range_of(self, name: str, own: Range | None = None) -> Range:
        """What is drawn from under a name.

        Raises:
            ValueError: the campaign says nothing, and there is no own range.
        """
        found = self._given.get(name, own)
        if found is None:
            raise ValueError(f"{name}: missing")
        return found

    def drawn(self, name: str, own: Range | None = None, *, whole: bool = False) -> Any:
        """A value of what the campaign says under that name, or else of the own range.

        Args:
            name: of the hyper-parameter.
            own: what is drawn from where the campaign says nothing; None where it always says something.
            whole: of an interval the whole numbers alone.

        Raises:
            ValueError: nothing is said under that name; a whole number is wanted of an interval that has other ends.
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
        """A number in [low, high), every one as likely."""
        return self._real(name, _between(low, high))

    def log_uniform(self, name: str, low: float, high: float) -> float:
        """A number in [low, high), its logarithm uniform."""
        return self._real(name, _between(low, high, "log"))

    def reverse_log_uniform(self, name: str, low: float, high: float) -> float:
        """A number in (low, high], the logarithm of 1 less it uniform."""
        return self._real(name, _between(low, high, "reverse-log"))

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer in [low, high], both ends included."""
        value: int = self.drawn(name, _between(low, high), whole=True)
        return value

    def choice(self, name: str, options: Sequence[T]) -> T:
        """One of the options, every one as likely."""
        own = Values(tuple(options))
        real = all(isinstance(option, float) for option in options)
        drawn: Any = self._real(name, own) if real else self.drawn(name, own, whole=True)
        value: T = drawn
        return value

    def constant(self, name: str, value: T) -> T:
        """The value, where the campaign says nothing under that name."""
        return self.choice(name, (value,))


def _between(low: float, high: float, scale: Scale = "linear") -> Range:
    return Values((low,)) if low == high else Interval(low, high, scale)


LAST_PART = 1 - 2**-53
"""The last part of a range that can be drawn."""


class DrawsAt(Draws):
    """What is drawn at one part of every range: where intervals end, and where their middle is.

    Args:
        part: from 0, the end that is drawn from first, up to but not including 1.
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
    """Draws that note what each name is drawn from, in `seen`: the own range, or the one that is given."""

    def __init__(self, given: Mapping[str, Range] | None = None) -> None:
        super().__init__(0.0, given)
        self.seen: dict[str, Range] = {}

    def range_of(self, name: str, own: Range | None = None) -> Range:
        """What is drawn from, which is noted."""
        self.seen[name] = super().range_of(name, own)
        return self.seen[name]
