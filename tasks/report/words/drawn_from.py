"""The ranges of the hyper-parameters as a table: one row for each hyper-parameter, one column for each corpus."""

from collections.abc import Mapping
from typing import Any

from models.ranges import Interval, Range
from tasks.campaign import Space
from tasks.report.numbers.formatting import NOTHING, setting
from tasks.report.words.tables import Table

_SCALES = {"linear": "", "log": ", logarithmic", "reverse-log": ", logarithmic in 1 less it"}


def drawn_from_table(spaces: Mapping[str, Mapping[str, Any]]) -> Table:
    """The table; what one variant alone is drawn from has a row of its own.

    Args:
        spaces: of a campaign, by corpus, as `tasks.campaign.Space.to_json` says.
    """
    read = {corpus: Space.from_json(values) for corpus, values in spaces.items()}
    told: dict[str, dict[str, str]] = {}
    for corpus, space in read.items():
        own = {f"{name} of {who}": drawn for who, own in space.exceptions.items() for name, drawn in own.items()}
        for name, drawn in {**space.ranges, **own}.items():
            told.setdefault(name.replace("_", " "), {})[corpus] = _words(drawn)
    rows = tuple((name, *(cells.get(corpus, NOTHING) for corpus in read)) for name, cells in told.items())
    return Table(("hyper-parameter", *read), rows)


def _words(drawn: Range) -> str:
    if isinstance(drawn, Interval):
        return f"{setting(drawn.low)} to {setting(drawn.high)}{_SCALES[drawn.scale]}"
    return ", ".join(setting(value) for value in drawn.options)
