"""The settings that differ between two versions: requests, code and data, each with both values.

Values come from the tables of a report, which may be other people's, and are treated as text. What this does not do:
say which effect a difference had on the numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.report.numbers.results import Results

_NO_SETTINGS = frozenset(("title", "plan_minutes"))
"""Of a campaign: words about it, and a guess of how long it takes."""
_CODE = ("commit", "dirty", "numerics", "lock", "versions", "measured", "scan_body", "processor", "platform", "cores")
_DATA = ("kind", "pieces", "steps", "vocabulary", "counting", "source")
_LONGEST = 160


@dataclass(frozen=True)
class Setting:
    """A setting that differs; "" if a version does not have it. Of lists of names, those that the other lacks."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Data:
    """A corpus of either version: its digests, "" where a version does not have it, and what differs of its sizes."""

    corpus: str
    before: str
    after: str
    differences: tuple[Setting, ...]

    @property
    def state(self) -> str:
        """`the same`, `another`, `only before` or `only after`."""
        if not (self.before and self.after):
            return "only before" if self.before else "only after"
        return "the same" if self.before == self.after else "another"


def campaign_differences(before: Results, after: Results) -> tuple[Setting, ...]:
    """Differences of the requests: preset, budget, corpora, variants, and the ranges of hyper-parameters."""
    first, second = (
        {name: value for name, value in results.campaign.items() if name not in _NO_SETTINGS}
        for results in (before, after)
    )
    return differences(first, second)


def code_differences(before: Results, after: Results) -> tuple[Setting, ...]:
    """Differences of what measured and made the versions: commits, numerics, package versions, machine."""
    first, second = ({name: results.provenance.get(name) for name in _CODE} for results in (before, after))
    return differences(first, second)


def data_of(before: Results, after: Results) -> tuple[Data, ...]:
    """The corpora of both, the later version's first."""
    told = []
    for name in dict.fromkeys([*after.corpora, *before.corpora]):
        first, second = (results.corpora.get(name, {}) for results in (before, after))
        facts = [{key: _scalars(each.get(key)) for key in _DATA} for each in (first, second)]
        others = differences(*facts) if first and second and first["digest"] != second["digest"] else ()
        told.append(Data(name, str(first.get("digest", "")), str(second.get("digest", "")), others))
    return tuple(told)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The settings whose values are not equal, nested ones by their path, in the order of the later version.

    >>> differences({"epochs": {"songs": 3}, "seed": 0}, {"epochs": {"songs": 9}, "seed": 0})
    (Setting(name='epochs: songs', before='3', after='9'),)
    >>> differences({"variants": ["SGD", "SGD+C"]}, {"variants": ["SGD", "SGD+L"]})
    (Setting(name='variants', before='SGD+C', after='SGD+L'),)
    """
    first, second = _flat(before), _flat(after)
    return tuple(
        _setting(name, first.get(name), second.get(name))
        for name in dict.fromkeys([*second, *first])
        if first.get(name) != second.get(name)
    )


def _setting(name: str, before: Any, after: Any) -> Setting:
    lists = [value if isinstance(value, list) else [] for value in (before, after)]
    if all(isinstance(each, str) for value in lists for each in value) and set(lists[0]) != set(lists[1]):
        before, after = (
            [each for each in mine if each not in theirs] if isinstance(whole, list) else whole
            for whole, mine, theirs in ((before, *lists), (after, *reversed(lists)))
        )
    return Setting(name, _text(before), _text(after))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, lists for tuples; a range of a hyper-parameter stays in one piece."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        title = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, Mapping) and not {"low", "high"} <= set(value):
            flat |= _flat(value, f"{title}: ")
        elif value is not None:
            flat[title] = list(value) if isinstance(value, tuple) else value
    return flat


def _scalars(value: Any) -> Any:
    """Of nested facts those that are one number or one word."""
    if isinstance(value, Mapping):
        return {name: each for name, each in value.items() if isinstance(each, str | int | float)}
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        scale = f", {value['scale']}" if "scale" in value else ""
        return _short(f"{value['low']} to {value['high']}{scale}")
    return _short(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
