"""The main flow: ingest, plan, search, fresh seeds, report. Wiring only."""

from datetime import UTC, datetime

from prefect import flow

from infra.cluster.clusters import task_runner
from infra.cluster.workers import Workers
from infra.server.run_names import run_name
from infra.server.run_page import introduce, tell_all
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.campaign import resolve
from tasks.ingest.stage import ingest_named
from tasks.publishing.answers.outcome import Outcome
from tasks.publishing.answers.planned import planned
from tasks.publishing.make import make_report
from tasks.search.dispatch import run_all
from tasks.search.search import Search
from tasks.search.share import share_asked
from tasks.search.share_outcome import ShareOutcome, share_outcome
from tasks.search.standing import Standing
from tasks.search.trial_times import TrialTimes
from tasks.trials.ledger import Ledger


@flow(name="reproduce", flow_run_name=run_name, task_runner=task_runner(), persist_result=False)
def reproduce(request: CampaignRequest) -> Outcome | ShareOutcome:
    """Run the requested comparison of techniques, and publish its report.

    Work whose result is in the store already is not repeated; that includes the report, if nothing in it would change.
    So the same request continues after an interruption. A share of a campaign has no report.

    Raises:
        ConfigurationError: the request is invalid.
        StoreError: the store cannot be used.
        ClusterError: there is work, but no cluster.
        CampaignError: some trials did not come to an end, though the report is published; or none did, and there is no
            report.
    """
    started = datetime.now(UTC)
    store = Store(request.store)
    store.check_writable()
    campaign, share = resolve(request, store), share_asked(request.share)
    introduce([campaign.name, *campaign.variants])
    workers = Workers.for_request(store, request)

    digests = ingest_named(store, tuple(campaign.variants), workers)
    search, ledger = Search(campaign, digests, share), Ledger(store)
    standing, times = Standing(ledger, search), TrialTimes(store, search)
    tell_all(str(planned(standing, times, workers.size)))  # as text: the command's answer is the outcome

    reasons = run_all(standing, times, workers)

    standing = Standing(ledger, search)
    outcome = (
        make_report(standing, reasons, started, request=request, again=False)
        if share is None
        else share_outcome(standing, share)
    )
    tell_all(outcome)
    outcome.check_complete()
    return outcome
