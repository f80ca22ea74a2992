"""Durations as people say them, where one unit ends and the next begins."""

import pytest

from tasks.report.numbers.formatting import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *((59.4, "59 s"), (59.6, "1 min 0 s"), (60, "1 min 0 s")),
        *((3599.4, "59 min 59 s"), (3600, "1 h 0 min"), (3659, "1 h 0 min"), (3660, "1 h 1 min")),
    ],
)
def test_a_unit_begins_where_the_smaller_one_is_full(seconds, said):
    assert duration(seconds) == said
