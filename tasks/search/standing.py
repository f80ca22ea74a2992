"""The state of a search: which of its trials and fresh seeds are stored, read from the store once.

The plan, each rung, and the report are each made from one such state. The report, its fingerprint and the note of the
finished campaign are made from the last one. So they have the same trials, even while other machines write to the
store. A state does not change; for newer results a new one is made.
"""

from functools import cached_property

from models.trial import Trial
from tasks.search.search import Search
from tasks.trials.ledger import Finals, Ledger


class Standing:
    """A search and its stored results.

    Args:
        ledger: the stored records.
        search: the campaign's search.

    Attributes:
        ledger, search: the arguments.
        records: the stored records of the search's trials, by key.
        halvings: the progress of each bracket.
        finals: the chosen configurations with fresh seeds.
    """

    def __init__(self, ledger: Ledger, search: Search) -> None:
        self.ledger, self.search = ledger, search
        self.records, self.halvings = search.look(ledger.records)
        self.finals = [trial for each in self.halvings for trial in each.finals]

    @property
    def trials(self) -> list[Trial]:
        """All trials that the search needs, as far as the stored records decide it."""
        return [trial for each in self.halvings for trial in each.trials]

    @property
    def missing(self) -> list[Trial]:
        """The trials of the search that are not stored."""
        return [trial for trial in self.trials if trial.key not in self.records]

    @property
    def left_behind(self) -> list[Trial]:
        """The trials whose kept checkpoint nobody needs: those of earlier rungs in brackets that are complete."""
        return [trial for each in self.halvings if each.whole for rung in each.rungs[:-1] for trial in rung]

    @cached_property
    def ended(self) -> Finals:
        """The stored results of the fresh seeds."""
        return self.ledger.finals(self.finals)

    @property
    def whole(self) -> bool:
        """Whether everything that the search needs is stored."""
        return not (self.missing or self.ended.unfinished)
