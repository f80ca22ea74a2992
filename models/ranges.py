"""The range of a hyper-parameter: a list of values, where a single value is a constant, or an interval with a scale.

What this does not do: draw (`randomness.py`), or know the names of hyper-parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any, Literal, get_args

Scale = Literal["linear", "log", "reverse-log"]
"""The quantity that is uniform: the number x, log x, or log(1 - x), which is used for momenta."""


@dataclass(frozen=True)
class Values:
    """A list of equally likely values; a single value is a constant.

    Raises:
        ValueError: the list is empty.
    """

    options: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError("an empty list, of which nothing can be drawn")

    def to_json(self) -> Any:
        """The constant, or a list."""
        return self.options[0] if len(self.options) == 1 else list(self.options)


@dataclass(frozen=True)
class Interval:
    """All numbers from `low` to `high`, uniform on a scale.

    Raises:
        ValueError: the interval is empty, or the scale is not defined on it.
    """

    low: float
    high: float
    scale: Scale = "linear"

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if isinstance(end, bool) or not isinstance(end, int | float) or not isfinite(end):
                raise ValueError(f"low and high of an interval are finite numbers, got {end!r}")
        if self.scale not in get_args(Scale):
            raise ValueError(f"scale: wants one of {', '.join(get_args(Scale))}, got {self.scale!r}")
        if self.low >= self.high:
            raise ValueError(f"an empty interval, low {self.low:g} and high {self.high:g}; low must be under high")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"low {self.low:g} has no logarithm; wants a number over 0, or another scale")
        if self.scale == "reverse-log" and self.high >= 1:
            raise ValueError(
                f"high {self.high:g}: 1 less it has no logarithm; wants a number under 1, or another scale"
            )

    def at(self, part: float) -> float:
        """The number at a fraction of the interval; fractions uniform in [0, 1) give numbers uniform on the scale.

        >>> Interval(1e-4, 1e-2, "log").at(0.5), Interval(0.0, 0.99, "reverse-log").at(0.5)
        (0.001, 0.9)
        """
        if self.scale == "log":
            return float(self.low * (self.high / self.low) ** part)
        if self.scale == "reverse-log":
            # In decimal arithmetic 1 - 0.95 is exactly 0.05, as in a draw of 1 - mu.
            low, high = (float(1 - Decimal(repr(end))) for end in (self.high, self.low))
            return 1 - float(low * (high / low) ** part)
        return self.low + (self.high - self.low) * part

    def whole(self, part: float) -> int:
        """The integer at a fraction of the interval, both ends included.

        Raises:
            ValueError: the ends are not integers, or the scale is reverse-log.

        >>> [Interval(1, 3).whole(part) for part in (0, 0.5, 0.99)], Interval(10, 999, "log").whole(0.5)
        ([1, 2, 3], 100)
        """
        low, high = (int(end) for end in (self.low, self.high))
        if (low, high) != (self.low, self.high):
            raise ValueError(f"wants whole numbers, got an interval from {self.low:g} to {self.high:g}")
        if self.scale == "log":
            return int(low * ((high + 1) / low) ** part)
        if self.scale == "reverse-log":
            raise ValueError("reverse-log: a scale of numbers under 1; wants linear or log for whole numbers")
        return low + int((high - low + 1) * part)

    def to_json(self) -> dict[str, Any]:
        """The ends, and the scale if it is not linear."""
        scale = {} if self.scale == "linear" else {"scale": self.scale}
        return {"low": self.low, "high": self.high, **scale}


Range = Values | Interval


def read_range(value: Any) -> Range:
    """The range that a user or `to_json` wrote: a constant, a list, or a table of low, high and scale.

    Raises:
        ValueError: the value is none of these.

    >>> read_range(3), read_range({"low": 1, "high": 2})
    (Values(options=(3,)), Interval(low=1, high=2, scale='linear'))
    """
    if isinstance(value, Mapping):
        if not {"low", "high"} <= set(value) <= {"low", "high", "scale"}:
            raise ValueError(f"an interval wants low, high and, if it is not linear, scale; got {', '.join(value)}")
        return Interval(**value)
    options = tuple(value) if isinstance(value, list | tuple) else (value,)
    for option in options:
        if not isinstance(option, str | int | float) or isinstance(option, float) and not isfinite(option):
            raise ValueError(f"wants numbers or names, got {option!r}")
    return Values(options)
