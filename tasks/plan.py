"""The plan: which trials a campaign needs, which are stored already, and about how long the others take.

What this does not do: train, or decide anything by the estimate but the order and the size of portions of work.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from math import ceil

from models.trial import Trial
from tasks.campaign import Campaign
from tasks.clock import Clock
from tasks.devices import stacks
from tasks.ledger import Ledger
from tasks.search import final_trials, search_trials


@dataclass(frozen=True)
class PlanRow:
    """One variant on one corpus.

    Attributes:
        corpus, variant: their names.
        trials: search trials and fresh seeds together.
        stored: how many of them are in the store.
        seconds: estimated seconds of one core for the others.
    """

    corpus: str
    variant: str
    trials: int
    stored: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What a campaign needs.

    Attributes:
        rows: a row a variant.
        outdated: search trials to train that are stored by an older version of the numerics.
    """

    rows: tuple[PlanRow, ...]
    outdated: int = 0

    @property
    def finished(self) -> bool:
        """Whether everything, fresh seeds included, is stored."""
        return all(row.stored == row.trials for row in self.rows)

    def seconds(self, workers: int) -> float:
        """Estimated seconds on so many processes."""
        return sum(row.seconds for row in self.rows) / workers


def make_plan(ledger: Ledger, campaign: Campaign, digests: Mapping[str, str], clock: Clock) -> Plan:
    """Draw the search, and look up what is stored of it and of its fresh seeds.

    Args:
        ledger: what is stored.
        campaign: what is asked.
        digests: digest of each corpus, by name.
        clock: estimates what is not stored.
    """
    trials = search_trials(campaign, digests)
    stored = ledger.records(trials)
    finals = final_trials(campaign, digests, stored)
    lacking = {trial.key for trial in trials} - set(stored)
    lacking |= {trial.key for trial in ledger.unfinished(finals, scored=True)}
    rows = [
        _row(corpus, variant, _of(trials, digest, variant), _of(finals, digest, variant), campaign, lacking, clock)
        for corpus, digest in digests.items()
        for variant in campaign.variants[corpus]
    ]
    return Plan(tuple(rows), ledger.outdated(trial for trial in trials if trial.key in lacking))


def _of(trials: Iterable[Trial], digest: str, variant: str) -> list[Trial]:
    return [trial for trial in trials if trial.corpus == digest and trial.variant == variant]


def _row(
    corpus: str,
    variant: str,
    search: Sequence[Trial],
    finals: Sequence[Trial],
    campaign: Campaign,
    lacking_keys: Set[str],
    clock: Clock,
) -> PlanRow:
    lacking = [trial for trial in search if trial.key in lacking_keys]
    # Before the search is whole nothing is chosen; a whole search of which nothing completed has no finals at all.
    asked_finals = campaign.seeds if lacking else len(finals)
    lacking_finals = campaign.seeds if lacking else sum(trial.key in lacking_keys for trial in finals)
    left = sum(clock.seconds(trial) for trial in lacking)
    if lacking_finals:
        # Which configuration will be chosen is not known before: the mean of the search stands for it.
        left += lacking_finals * sum(clock.seconds(trial) + clock.scoring(trial) for trial in search) / len(search)
    asked = len(search) + asked_finals
    return PlanRow(corpus, variant, asked, asked - len(lacking) - lacking_finals, left)


def portions(
    trials: Sequence[Trial], seconds: Callable[[Trial], float], workers: int, *, on_gpus: bool = False
) -> list[list[Trial]]:
    """Cut trials into portions of work, the longest first.

    Few enough that Prefect's database does not suffer, small enough that the workers end together: eight to sixteen
    for each worker. A portion keeps to one corpus, so that a worker loads few.

    Args:
        trials: what is to be trained.
        seconds: estimate for a trial.
        workers: number of processes.
        on_gpus: whether trials of one shape train side by side. Then they are one portion, but no more of them than
            leave something for every worker.
    """
    if on_gpus:
        together = stacks(trials, ceil(len(trials) / workers))
        return sorted(together, key=lambda stack: -sum(map(seconds, stack)))
    costs = sorted(((seconds(trial), trial) for trial in trials), key=lambda pair: (pair[1].corpus, -pair[0]))
    limit = sum(cost for cost, _ in costs) / (8 * workers)
    cut: list[tuple[float, list[Trial]]] = []
    for cost, trial in costs:
        so_far, last = cut[-1] if cut else (0.0, [])
        if last and last[0].corpus == trial.corpus and so_far + cost <= limit:
            cut[-1] = (so_far + cost, [*last, trial])
        else:
            cut.append((cost, [trial]))
    return [portion for _, portion in sorted(cut, key=lambda pair: -pair[0])]
