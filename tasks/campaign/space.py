"""The search space of a corpus: a range for each hyper-parameter, and exceptions for some variants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from models.ranges import Range, Values, read_range


@dataclass(frozen=True)
class Space:
    """The search space of a corpus.

    Attributes:
        ranges: of each hyper-parameter, by name. The range of `epochs` is either one value, the most epochs of a trial,
            or an ascending list with the epochs of each rung.
        exceptions: ranges of single variants, by the variants' names.
    """

    ranges: Mapping[str, Range]
    exceptions: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)

    def of(self, variant: str) -> dict[str, Range]:
        """The ranges of a variant."""
        return {**self.ranges, **self.exceptions.get(variant, {})}

    def rungs(self, variant: str) -> tuple[int, ...]:
        """The listed epochs of each rung of a variant; without a list, only the most epochs of a trial."""
        return listed_epochs(self.of(variant)["epochs"])

    def ends(self, name: str) -> tuple[Any, Any]:
        """The smallest and the largest value of a hyper-parameter's range."""
        drawn = self.ranges[name]
        return (min(drawn.options), max(drawn.options)) if isinstance(drawn, Values) else (drawn.low, drawn.high)

    @property
    def epochs(self) -> int:
        """The most epochs of a trial, for variants without an exception."""
        return listed_epochs(self.ranges["epochs"])[-1]

    def having(self, **ranges: Any) -> Self:
        """The same space with other ranges for all variants, given as in a campaign file."""
        changed = {name: read_range(value) for name, value in ranges.items()}
        exceptions = {
            variant: {name: drawn for name, drawn in own.items() if name not in changed}
            for variant, own in self.exceptions.items()
        }
        return type(self)({**self.ranges, **changed}, {variant: own for variant, own in exceptions.items() if own})

    def unlisted(self) -> Self:
        """The same space with only the last of the listed epochs, for another number of rungs."""
        exceptions = {
            variant: {**own, **({"epochs": Values(listed_epochs(own["epochs"])[-1:])} if "epochs" in own else {})}
            for variant, own in self.exceptions.items()
        }
        return type(self)({**self.ranges, "epochs": Values((self.epochs,))}, exceptions)

    def to_json(self) -> dict[str, Any]:
        """The space as in a campaign file: constants, lists and intervals by name, and a table for each exception."""
        return {name: drawn.to_json() for name, drawn in self.ranges.items()} | {
            variant: {name: drawn.to_json() for name, drawn in own.items()} for variant, own in self.exceptions.items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The space that `to_json` wrote; a key with a slash is the name of a variant."""
        ranges = {name: read_range(value) for name, value in values.items() if "/" not in name}
        exceptions = {
            name: {key: read_range(value) for key, value in own.items()} for name, own in values.items() if "/" in name
        }
        return cls(ranges, exceptions)


def listed_epochs(drawn: Range) -> tuple[int, ...]:
    """The epochs of each rung, or the most epochs of a trial.

    Raises:
        ValueError: they are not ascending whole numbers from 1.
    """
    options = drawn.options if isinstance(drawn, Values) else ()
    if not options or any(type(each) is not int or each < 1 for each in options):
        raise ValueError("wants a whole number from 1, the same for all draws, or a list with that of each rung")
    if list(options) != sorted(set(options)):
        raise ValueError(f"rungs rise, each with more epochs than the one before; got {list(options)}")
    return options
