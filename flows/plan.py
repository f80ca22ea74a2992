"""The flow that plans a campaign: what would run, and for how long. It parses new corpora, but trains nothing."""

from prefect import flow

from infra.cluster.clusters import task_runner
from infra.cluster.workers import Workers
from infra.server.run_names import run_name
from infra.server.run_page import introduce
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.campaign import resolve
from tasks.ingest.stage import ingest_named
from tasks.publishing.answers.planned import Planned, planned
from tasks.search.search import Search
from tasks.search.share import share_asked
from tasks.search.standing import Standing
from tasks.search.trial_times import TrialTimes
from tasks.trials.ledger import Ledger


@flow(name="plan", flow_run_name=run_name, task_runner=task_runner(), persist_result=False)
def plan(request: CampaignRequest) -> Planned:
    """The plan of a request: variants, trials, stored trials, estimated minutes, and the smallest detectable effects.

    Raises:
        ConfigurationError: the request is invalid.
        CorpusError: a source cannot be read or used.
        StoreError: the store cannot be used.
        ClusterError: there is something to parse, but no cluster.
    """
    store = Store(request.store)
    store.check_writable()
    campaign, share = resolve(request, store), share_asked(request.share)
    introduce([campaign.name, *campaign.variants])
    workers = Workers.for_request(store, request)
    digests = ingest_named(store, tuple(campaign.variants), workers)
    search = Search(campaign, digests, share)
    return planned(Standing(Ledger(store), search), TrialTimes(store, search), workers.size)
