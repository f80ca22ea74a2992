"""Build the report of a campaign from the store, publish it, and say where it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from infra.errors import CampaignError
from infra.store import Store
from tasks.campaign import Campaign
from tasks.collect import collect
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
        failures: number of trials that did not come to an end.
    """

    version: str
    report: str
    table: str
    failures: int


@task(name="report", cache_policy=NO_CACHE)
def make_report(
    store: Store, campaign: Campaign, digests: Mapping[str, str], reasons: Mapping[str, str], started: datetime
) -> Outcome:
    """Collect, build, publish, and leave an artifact with the table and the link in Prefect.

    Args:
        store: where everything is.
        campaign: what was asked.
        digests: digest of each corpus, by name.
        reasons: why trials failed in this run, by key.
        started: when this run began.

    Raises:
        CampaignError: no trial at all came to an end.
    """
    results = collect(store, campaign, digests, reasons, started)
    if (results.trials["status"] == "failed").all():
        first = results.failures[0]["reason"]
        raise CampaignError(f"none of the {len(results.trials)} trials came to an end; the first: {first}")
    files = build_report(results)
    version = publish(store, files, results.provenance)
    address = f"{store.address}/reports/{version}/index.html"
    table = score_table(json.loads(files["results.json"]))
    # Prefect keeps artifacts in its own database only: the report is in the store, this points to it.
    create_markdown_artifact(
        f"# Counterpoint, {campaign.preset}\n\nReport: `{address}`\n\n```\n{table}\n```\n",
        key="counterpoint-report",
        description=f"Report {version}",
    )
    return Outcome(version, address, table, len(results.failures))
