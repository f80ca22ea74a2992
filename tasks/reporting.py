"""Build the report of a campaign from the store, publish it, and say where it is.

What would come out as it is published already is not made again; it is shown, and the flow run has its artifact.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx
from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from infra.configured_server import absence
from infra.errors import CampaignError
from infra.provenance import provenance
from infra.store import Store, read_json
from tasks.artifact import score_markdown
from tasks.collect import collect
from tasks.ledger import Ledger
from tasks.made_from import made_from
from tasks.publish import newest_made_from, publish
from tasks.report import build_report
from tasks.search import Search
from tasks.terminal import score_table

_log = logging.getLogger(__name__)


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
    ledger: Ledger,
    search: Search,
    reasons: Mapping[str, str],
    started: datetime,
    *,
    again: bool = True,
) -> Outcome:
    """Collect, build, publish, and leave an artifact with the scores and the address in Prefect.

    Args:
        ledger: what is stored.
        search: that of the campaign.
        reasons: why trials failed in this run, by key.
        started: when this run began.
        again: make it also where the newest one, of the preset if it is that, was made from the same.

    Raises:
        CampaignError: no trial at all came to an end.
    """
    digest = made_from(ledger, search, provenance())
    preset = None if search.campaign.changes else search.campaign.preset
    if not again and digest is not None and (version := newest_made_from(ledger.store, preset, digest)):
        return _told(ledger.store, version, ledger.store.read(f"reports/{version}", "results.json"))
    results = collect(ledger, search, reasons, started)
    if (results.trials["status"] == "failed").all():
        first = results.failures[0]["reason"]
        raise CampaignError(f"none of the {len(results.trials)} trials came to an end; the first: {first}")
    files = build_report(results)
    version = publish(ledger.store, files, {**results.provenance, "made_from": digest})
    return _told(ledger.store, version, files["results.json"])


def _told(store: Store, version: str, results_json: bytes) -> Outcome:
    """Leave the artifact in Prefect, and say what came of it."""
    address = f"{store.address}/reports/{version}/index.html"
    document = read_json(results_json, f"{store.address}: reports/{version}")
    try:
        create_markdown_artifact(
            score_markdown(document, address), key="counterpoint-report", description=f"Report {version}"
        )
    except httpx.HTTPError as error:  # the report is published, whoever learns of it
        _log.warning("%s: this run has no artifact there", absence(error))
    trials = sum(row["trials"] for row in document["trials"])
    return Outcome(version, address, score_table(document), trials, len(document["failures"]))
