"""The flow that rebuilds a campaign's report from the store. It trains nothing, but parses corpora that are missing."""

from datetime import UTC, datetime

from prefect import flow

from infra.cluster.clusters import task_runner
from infra.cluster.workers import Workers
from infra.errors import ConfigurationError
from infra.server.run_names import run_name
from infra.server.run_page import introduce, tell_all
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.campaign import resolve
from tasks.ingest.stage import ingest_named
from tasks.publishing.answers.outcome import Outcome
from tasks.publishing.make import make_report
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger


@flow(name="report", flow_run_name=run_name, task_runner=task_runner(), persist_result=False)
def report(request: CampaignRequest) -> Outcome:
    """Collect the stored results and publish a report; it names the trials that are missing.

    Raises:
        ConfigurationError: the request is invalid.
        StoreError: the store cannot be used.
        CorpusError: a corpus is not stored, and cannot be read from its source.
        ClusterError: there is something to parse, but no cluster.
        CampaignError: no trial of the campaign is stored.
    """
    started = datetime.now(UTC)
    if request.share is not None:
        raise ConfigurationError("--share: a report is of a whole campaign; leave it out, and copy the shares together")
    store = Store(request.store)
    store.check_writable()
    campaign = resolve(request, store)
    introduce([campaign.name, *campaign.variants])
    digests = ingest_named(store, tuple(campaign.variants), Workers.for_request(store, request))
    outcome = make_report(Standing(Ledger(store), Search(campaign, digests)), {}, started, request=request)
    tell_all(outcome)
    return outcome
