"""The plan of a search as it is told: what it needs, how long it takes, and how small a difference it will tell."""

from tasks.publishing.resolution import resolution_lines
from tasks.publishing.terminal import plan_table
from tasks.search.cost import Clock
from tasks.search.plan import make_plan
from tasks.search.standing import Standing


def planned(standing: Standing, clock: Clock, workers: int) -> str:
    """The table of the plan, for a terminal and a log.

    Args:
        standing: of the search.
        clock: estimates what is not stored.
        workers: how many processes share the work.
    """
    search, store = standing.search, standing.ledger.store
    return plan_table(search.campaign, make_plan(standing, clock), workers, resolution_lines(store, search))
