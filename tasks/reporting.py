"""Build the report of a campaign from the store, publish it, and say where it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from infra.errors import CampaignError
from tasks.artifact import score_markdown
from tasks.campaign import Campaign
from tasks.collect import collect
from tasks.ledger import Ledger
from tasks.publish import publish
from tasks.report import build_report
from tasks.terminal import score_table


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


@task(name="report", cache_policy=NO_CACHE)
def make_report(
    ledger: Ledger, campaign: Campaign, digests: Mapping[str, str], reasons: Mapping[str, str], started: datetime
) -> Outcome:
    """Collect, build, publish, and leave an artifact with the scores and the address in Prefect.

    Args:
        ledger: what is stored.
        campaign: what was asked.
        digests: digest of each corpus, by name.
        reasons: why trials failed in this run, by key.
        started: when this run began.

    Raises:
        CampaignError: no trial at all came to an end.
    """
    results = collect(ledger, campaign, digests, reasons, started)
    if (results.trials["status"] == "failed").all():
        first = results.failures[0]["reason"]
        raise CampaignError(f"none of the {len(results.trials)} trials came to an end; the first: {first}")
    files = build_report(results)
    version = publish(ledger.store, files, results.provenance)
    address = f"{ledger.store.address}/reports/{version}/index.html"
    document = json.loads(files["results.json"])
    create_markdown_artifact(
        score_markdown(document, address), key="counterpoint-report", description=f"Report {version}"
    )
    return Outcome(version, address, score_table(document), len(results.trials), len(results.failures))
