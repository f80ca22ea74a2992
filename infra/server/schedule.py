"""Seeds by the calendar: every scheduled campaign a fresh one, and a run that is repeated within its period the same.

    day   20261125    the UTC date of the time at which the run was due
    week  202648      its ISO year and week

So a weekly campaign that was interrupted goes on when its deployment is run again before Monday.
"""

from datetime import UTC, datetime
from typing import Literal

Period = Literal["day", "week"]


def due() -> datetime:
    """When the running flow run was due, UTC; the present time outside of one."""
    from prefect.runtime import flow_run  # not loaded where only a seed is computed

    when: datetime | None = flow_run.scheduled_start_time
    return (when or datetime.now(UTC)).astimezone(UTC)


def seed_of(period: Period, when: datetime) -> int:
    """The seed of the period that a time is in.

    >>> seed_of("day", datetime(2026, 11, 25)), seed_of("week", datetime(2027, 1, 1))
    (20261125, 202653)
    """
    if period == "day":
        return int(f"{when:%Y%m%d}")
    year, week, _ = when.isocalendar()
    return 100 * year + week


def seed_asked(asked: int | Period | None) -> int:
    """The number that a seed is: itself, that of the period in which the run is due, or 0 where none is asked."""
    return seed_of(asked, due()) if isinstance(asked, str) else asked or 0
