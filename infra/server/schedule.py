"""Seeds by the calendar: every scheduled campaign has a fresh seed, and a repeat within its period has the same one.

    day   20261125    UTC date for which the run was scheduled
    week  202648      ISO year and week of that date

So an interrupted weekly campaign continues if its deployment is run again before Monday.
"""

from datetime import UTC, datetime
from typing import Literal

Period = Literal["day", "week"]


def due() -> datetime:
    """The time for which the running flow run was scheduled, UTC; outside of a flow run, the present time."""
    from prefect.runtime import flow_run  # not needed to compute a seed

    when: datetime | None = flow_run.scheduled_start_time
    return (when or datetime.now(UTC)).astimezone(UTC)


def seed_of(period: Period, when: datetime) -> int:
    """The seed of the day or the week that contains a time.

    >>> seed_of("day", datetime(2026, 11, 25)), seed_of("week", datetime(2027, 1, 1))
    (20261125, 202653)
    """
    if period == "day":
        return int(f"{when:%Y%m%d}")
    year, week, _ = when.isocalendar()
    return 100 * year + week


def seed_asked(asked: int | Period | None) -> int:
    """The seed as a number: the given number, that of the period the run is scheduled in, or 0 for None."""
    return seed_of(asked, due()) if isinstance(asked, str) else asked or 0
