"""Build the report of a campaign from the store, publish it, and say where it is.

What would come out as it is published already is not made again; it is shown, and the flow run has its artifact.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from infra.errors import CampaignError
from infra.provenance import provenance
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
    """Collect, build, publish, and leave an artifact with the scores and the address in Prefect.

    Args:
        standing: of the search.
        reasons: why trials failed in this run, by key.
        started: when this run began.
        request: that the campaign comes from, to note that it is finished where it lacks nothing.
        again: make it also where the newest one, of the preset if it is that, was made from the same.

    Raises:
        CampaignError: no trial at all came to an end.
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
    content = read_json(document, f"{store.address}: reports/{version}")
    outcome = _outcome(store, version, content)
    if request is not None and digest is not None:
        note_finished(standing, request, version, digest, content)
    return outcome


def _outcome(store: Store, version: str, document: Mapping[str, Any]) -> Outcome:
    """Leave the artifact in Prefect, and say what came of it."""
    address = report_address(store, version)
    leave_artifact(version, score_markdown(document, address))
    trials = sum(row["trials"] for row in document["trials"])
    return Outcome(store.address, version, address, shown(score_blocks(document)), trials, len(document["failures"]))
