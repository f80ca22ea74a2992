"""How a search stands: what is stored of it and of its fresh seeds, by one look at the store.

The plan is made from one look, each rung goes out by one, and the report, its fingerprint and the note that all is
finished are made from the last: so they tell of the same trials, also where other machines are at work. What this does
not do: notice what comes later; whoever wants that looks again.
"""

from functools import cached_property

from models.trial import Trial
from tasks.search.search import Search
from tasks.trials.ledger import Finals, Ledger


class Standing:
    """A search and what is stored of it.

    Args:
        ledger: what is stored.
        search: that of the campaign.

    Attributes:
        ledger, search: as given.
        records: of the trials of the search that are stored, by key.
        halvings: how far each bracket has come.
        finals: the chosen configurations with fresh seeds.
    """

    def __init__(self, ledger: Ledger, search: Search) -> None:
        self.ledger, self.search = ledger, search
        self.records, self.halvings = search.look(ledger.records)
        self.finals = [trial for each in self.halvings for trial in each.finals]

    @property
    def trials(self) -> list[Trial]:
        """The trials of the search that are asked for, as far as the records tell."""
        return [trial for each in self.halvings for trial in each.trials]

    @property
    def missing(self) -> list[Trial]:
        """Those of them that are not stored."""
        return [trial for trial in self.trials if trial.key not in self.records]

    @property
    def left_behind(self) -> list[Trial]:
        """The trials that no longer one can go on from any more: those of earlier rungs, where the search is whole."""
        return [trial for each in self.halvings if each.whole for rung in each.rungs[:-1] for trial in rung]

    @cached_property
    def ended(self) -> Finals:
        """What is stored of the fresh seeds."""
        return self.ledger.finals(self.finals)

    @property
    def whole(self) -> bool:
        """Whether all that is asked for is stored."""
        return not (self.missing or self.ended.unfinished)
