"""Build the report of a campaign from the store, publish it, and return its outcome.

A report that is published already with the same fingerprint is not made again; its scores are shown, and the flow run
gets its artifact. On a server that stays, a new report is compared with the last one of its preset (`since_last.py`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from infra.errors import CampaignError
from infra.provenance import provenance
from infra.server.configured import server_stays
from infra.server.run_page import leave_artifact
from infra.settings import CampaignRequest
from infra.store import Store, read_json
from tasks.publishing.answers.outcome import Outcome
from tasks.publishing.artifact import score_markdown
from tasks.publishing.collect import collect
from tasks.publishing.fingerprint import made_from
from tasks.publishing.finished import report_address
from tasks.publishing.noting import note_finished
from tasks.publishing.publish import newest_made_from, publish
from tasks.publishing.since_last import tell_since_last
from tasks.publishing.terminal import score_blocks
from tasks.publishing.trend import renew_trend
from tasks.report import build_report
from tasks.search.standing import Standing
from tasks.telling.blocks import shown


@task(name="report", cache_policy=NO_CACHE)
def make_report(
    standing: Standing,
    reasons: Mapping[str, str],
    started: datetime,
    *,
    request: CampaignRequest | None = None,
    again: bool = True,
) -> Outcome:
    """Collect, build and publish a report, and store an artifact with scores and address in Prefect.

    Args:
        standing: of the search.
        reasons: of trials that failed in this run, by key.
        started: start of this run.
        request: that the campaign comes from; a complete campaign is noted as finished under it.
        again: make the report even if the newest one (of the preset, unless the campaign changes it) has the same
            fingerprint.

    Raises:
        CampaignError: not a single trial came to an end.
    """
    store, campaign = standing.ledger.store, standing.search.campaign
    digest = made_from(standing, provenance())
    preset = None if campaign.changes else campaign.name
    version = None if again or digest is None else newest_made_from(store, preset, digest)
    if version is not None:
        document = store.read(f"reports/{version}", "results.json")
    else:
        results = collect(standing, reasons, started)
        if (results.trials["status"] == "failed").all():
            first = results.failures[0]["reason"]
            raise CampaignError(f"none of the {len(results.trials)} trials came to an end; the first: {first}")
        files = build_report(results)
        version = publish(store, files, {**results.provenance, "made_from": digest})
        renew_trend(store)
        document = files["results.json"]
        if server_stays():
            tell_since_last(store, version, campaign.name, report_address(store, version))
    content = read_json(document, f"{store.address}: reports/{version}")
    outcome = _outcome(store, version, content)
    if request is not None and digest is not None:
        note_finished(standing, request, version, digest, content)
    return outcome


def _outcome(store: Store, version: str, document: Mapping[str, Any]) -> Outcome:
    """Store the artifact in Prefect, and return the outcome."""
    address = report_address(store, version)
    leave_artifact(version, score_markdown(document, address))
    trials = sum(row["trials"] for row in document["trials"])
    return Outcome(store.address, version, address, shown(score_blocks(document)), trials, len(document["failures"]))
