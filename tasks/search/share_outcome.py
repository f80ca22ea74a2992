"""The result of one machine's share of a campaign: how many trials are stored, and how many failed."""

from dataclasses import dataclass
from typing import Any, ClassVar

from infra.errors import CampaignError
from infra.machine.answer import Answer
from tasks.search.share import Share
from tasks.search.standing import Standing


@dataclass(frozen=True)
class ShareOutcome(Answer):
    """The result of a share.

    Attributes:
        share: the share.
        trials: how many trials it has.
        failures: how many of them are not complete in the store.
        store: address of the store.
    """

    schema: ClassVar[str] = "share"
    share: Share
    trials: int
    failures: int
    store: str

    def __str__(self) -> str:
        return (
            f"share {self.share}: {self.trials - self.failures} of {self.trials} trials are stored; when all shares"
            f" are, `prefect run copy --from {self.store} --to ...` brings them together, and the same command without"
            " --share makes the report"
        )

    def to_json(self) -> dict[str, Any]:
        """What the sentence says."""
        return {"store": self.store, "share": str(self.share), "trials": self.trials, "failures": self.failures}

    def check_complete(self) -> None:
        """Raises `CampaignError` where a trial did not come to an end."""
        if self.failures:
            raise CampaignError(
                f"{self.failures} of {self.trials} trials of share {self.share} did not come to an end:"
                " mend the reason and run the same command again, it goes on from here"
            )


def share_outcome(standing: Standing, share: Share) -> ShareOutcome:
    """Count the trials of a share, and those that are not complete in the store."""
    asked = len(standing.trials) + len(standing.finals)
    lacking = len(standing.missing) + len(standing.ended.unfinished)
    return ShareOutcome(share, asked, lacking, standing.ledger.store.address)
