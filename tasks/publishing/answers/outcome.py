"""The outcome of a campaign: its report, the scores for a terminal, and whether every trial came to an end."""

from dataclasses import dataclass
from typing import Any, ClassVar

from infra.errors import CampaignError
from infra.machine.answer import Answer
from infra.store import Store, read_json


@dataclass(frozen=True)
class Outcome(Answer):
    """The outcome of a campaign.

    Attributes:
        store: address of the store that has the report.
        version: of the report.
        report: address of its page.
        table: the scores, as text for a terminal.
        trials: number of trials that were asked for.
        failures: number of trials that did not come to an end.
    """

    schema: ClassVar[str] = "outcome"
    store: str
    version: str
    report: str
    table: str
    trials: int
    failures: int

    def __str__(self) -> str:
        return f"{self.table}\nreport: {self.report}"

    def to_json(self) -> dict[str, Any]:
        """The report's address, and `results.json`, which the table is made from."""
        opened = Store(self.store, create=False)
        document = opened.read(f"reports/{self.version}", "results.json")
        return {
            "store": self.store,
            "version": self.version,
            "report": self.report,
            "trials": self.trials,
            "failures": self.failures,
            "results": read_json(document, f"{self.store}: reports/{self.version}"),
        }

    def check_complete(self) -> None:
        """Let the flow run fail if the campaign has gaps, although its report is published.

        Raises:
            CampaignError: a trial did not come to an end.
        """
        if self.failures:
            raise CampaignError(
                f"{self.failures} of {self.trials} trials did not come to an end, the report names them:"
                " mend the reason and run the same command again, it goes on from here"
            )
