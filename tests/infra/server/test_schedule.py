"""Scheduled runs: the seed that follows from the date or the week, and the time at which a run was due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.server.schedule import due, seed_of

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31))


@given(TIMES, TIMES)
def test_two_times_share_a_seed_where_they_share_the_day_or_the_week(one, other):
    assert (seed_of("day", one) == seed_of("day", other)) == (one.date() == other.date())
    monday_of_one, monday_of_other = ((t - timedelta(days=t.weekday())).date() for t in (one, other))
    assert (seed_of("week", one) == seed_of("week", other)) == (monday_of_one == monday_of_other)


@pytest.mark.parametrize(
    ("when", "week"), [((2026, 1, 1), 202601), ((2027, 1, 3), 202653), ((2027, 1, 4), 202701), ((2024, 12, 30), 202501)]
)
def test_weeks_are_those_of_iso_8601(when, week):
    assert seed_of("week", datetime(*when)) == week


def test_outside_of_a_flow_run_it_is_now():
    assert abs(due() - datetime.now(UTC)) < timedelta(minutes=1)
