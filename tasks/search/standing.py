"""How a search stands: what is stored of it and of its fresh seeds, by one look at the store.

The plan is made from one look, and the report, its fingerprint and the note that all is finished from another: so they
tell of the same trials, also where other machines are at work. What this does not do: notice what comes later; whoever
wants that looks again.
"""

from functools import cached_property

from models.trial import Trial
from tasks.search.search import Search
from tasks.trials.ledger import Ledger
from tasks.trials.records import TrialRecord


class Standing:
    """A search and what is stored of it.

    Args:
        ledger: what is stored.
        search: that of the campaign.

    Attributes:
        ledger, search: as given.
        records: of the trials of the search that are stored, by key.
        finals: the chosen configurations with fresh seeds.
    """

    def __init__(self, ledger: Ledger, search: Search) -> None:
        self.ledger, self.search = ledger, search
        self.records = search.look(ledger.records)
        self.finals = search.finals(self.records)

    @cached_property
    def ended(self) -> dict[str, TrialRecord]:
        """The records of the fresh seeds that are stored, by key."""
        return self.ledger.records(self.finals)

    @cached_property
    def missing(self) -> list[Trial]:
        """The trials of the search that are asked for and not stored, as far as the records tell."""
        return [trial for trial in self.search.trials(self.records) if trial.key not in self.records]

    @cached_property
    def unfinished(self) -> list[Trial]:
        """The fresh seeds that are not stored, or of which a score or a sample is not."""
        return self.ledger.unfinished(self.finals, scored=True)

    @property
    def whole(self) -> bool:
        """Whether all that is asked for is stored."""
        return not (self.missing or self.unfinished)
