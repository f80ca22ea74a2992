"""The answer of `plan`: the work to do, its estimated time, and the smallest detectable differences."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from infra.machine.answer import Answer
from tasks.campaign import Campaign
from tasks.publishing.resolution import Smallest, resolution
from tasks.publishing.terminal import plan_table
from tasks.search.plan import Plan, make_plan
from tasks.search.standing import Standing
from tasks.search.trial_times import TrialTimes


@dataclass(frozen=True)
class Planned(Answer):
    """A campaign, and its plan.

    Attributes:
        campaign: the campaign.
        plan: the work to do.
        workers: number of processes that share the work.
        smallest: the smallest detectable difference on each corpus for which it is known.
        told: sentences on the other corpora.
    """

    schema: ClassVar[str] = "plan"
    campaign: Campaign
    plan: Plan
    workers: int
    smallest: tuple[Smallest, ...]
    told: tuple[str, ...]

    def __str__(self) -> str:
        return plan_table(self.campaign, self.plan, self.workers, [*map(str, self.smallest), *self.told])

    def to_json(self) -> dict[str, Any]:
        """The rows of the table, its sums, and the sentences below it."""
        return {
            "campaign": self.campaign.to_json(),
            "left_out": dict(self.campaign.left_out),
            "rows": [asdict(row) for row in self.plan.rows],
            "trials": sum(row.trials for row in self.plan.rows),
            "stored": sum(row.stored for row in self.plan.rows),
            "outdated": self.plan.outdated,
            "workers": self.workers,
            "seconds": self.plan.seconds(self.workers),
            "smallest": [asdict(each) for each in self.smallest],
            "told": list(self.told),
        }


def planned(standing: Standing, times: TrialTimes, workers: int) -> Planned:
    """The plan of a search.

    Args:
        standing: of the search.
        times: estimates the seconds of trials that are not stored.
        workers: number of processes that share the work.
    """
    search, store = standing.search, standing.ledger.store
    return Planned(search.campaign, make_plan(standing, times), workers, *resolution(store, search))
