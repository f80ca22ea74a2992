"""What a campaign came to: the report, its scores for a terminal, and whether every trial came to an end."""

from dataclasses import dataclass

from infra.errors import CampaignError


@dataclass(frozen=True)
class Outcome:
    """What a campaign came to.

    Attributes:
        version: of the report.
        report: address of its page.
        table: the scores, for a terminal.
        trials: number of trials that were asked for.
        failures: number of those that did not come to an end.
    """

    version: str
    report: str
    table: str
    trials: int
    failures: int

    def __str__(self) -> str:
        return f"{self.table}\nreport: {self.report}"

    def check_complete(self) -> None:
        """A campaign with gaps has its report, and its flow run has failed all the same: somebody should look.

        Raises:
            CampaignError: a trial did not come to an end.
        """
        if self.failures:
            raise CampaignError(
                f"{self.failures} of {self.trials} trials did not come to an end, the report names them:"
                " mend the reason and run the same command again, it goes on from here"
            )
