"""The main flow: ingest, plan, search, fresh seeds, report. Wiring only."""

from datetime import UTC, datetime

from prefect import flow

from infra.cluster.clusters import task_runner
from infra.cluster.crew import Crew
from infra.server.run_names import run_name
from infra.server.run_page import introduce, tell_all
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.campaign import resolve
from tasks.ingest.stage import ingest_named
from tasks.publishing.answers.outcome import Outcome
from tasks.publishing.answers.planned import planned
from tasks.publishing.make import make_report
from tasks.search.cost import Clock
from tasks.search.dispatch import run_finals, run_search
from tasks.search.search import Search
from tasks.search.share import share_asked
from tasks.search.share_outcome import ShareOutcome, share_outcome
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger


@flow(name="reproduce", flow_run_name=run_name, task_runner=task_runner(), persist_result=False)
def reproduce(request: CampaignRequest) -> Outcome | ShareOutcome:
    """Compare the techniques as a request asks, and publish the report.

    Whatever the store holds already is not done again, the report included where nothing of it would be other; so the
    same request goes on after an interruption. Of a share there is no report.

    Raises:
        ConfigurationError: the request cannot be.
        StoreError: the store cannot be used.
        ClusterError: there is work, and no cluster to do it.
        CampaignError: a trial did not come to an end; the report is there, unless none did.
    """
    started = datetime.now(UTC)
    store = Store(request.store)
    store.check_writable()
    campaign, share = resolve(request, store), share_asked(request.share)
    introduce([campaign.name, *campaign.variants])
    crew = Crew(store, request.cluster, request.workers)

    digests = ingest_named(store, tuple(campaign.variants), crew)
    search, ledger = Search(campaign, digests, share), Ledger(store)
    clock = Clock(store, search)
    tell_all(str(planned(Standing(ledger, search), clock, crew.size)))  # on the way: the answer is what it comes to

    reasons = run_search(search, ledger, clock, crew)
    reasons |= run_finals(search, ledger, clock, crew)

    standing = Standing(ledger, search)
    outcome = (
        make_report(standing, reasons, started, request=request, again=False)
        if share is None
        else share_outcome(standing, share)
    )
    tell_all(outcome)
    outcome.check_complete()
    return outcome
