"""The plan of a search as it is told: what it needs, how long it takes, and how small a difference it will tell."""

from tasks.publishing.resolution import resolution_lines
from tasks.publishing.terminal import plan_table
from tasks.search.cost import Clock
from tasks.search.plan import make_plan
from tasks.search.search import Search
from tasks.trials.ledger import Ledger


def planned(ledger: Ledger, search: Search, clock: Clock, workers: int) -> str:
    """The table of the plan, for a terminal and a log.

    Args:
        ledger: what is stored.
        search: that of the campaign.
        clock: estimates what is not stored.
        workers: how many processes share the work.
    """
    can_tell = resolution_lines(ledger.store, search.campaign, search.digests)
    return plan_table(search.campaign, make_plan(ledger, search, clock), workers, can_tell)
