"""The flow `reproduce` for a campaign that is finished already: it only leaves a flow run on the configured server.

The answer comes from the store, without torch, Dask or a plan.
"""

from prefect import flow

from infra.server.run_names import run_name
from infra.server.run_page import introduce, leave_artifact, tell_all
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.publishing.answers.outcome import Outcome
from tasks.publishing.finished import Finished


def leave_run(request: CampaignRequest, store: Store, known: Finished) -> Outcome:
    """Leave a flow run of the request, with tags, artifact and log, and print the campaign's outcome."""

    @flow(name="reproduce", flow_run_name=run_name, persist_result=False)
    def reproduce(request: CampaignRequest) -> Outcome:
        introduce([request.name, *known.corpora])
        leave_artifact(known.version, known.markdown)
        outcome = known.outcome(store)
        tell_all(known.line)
        tell_all(outcome)
        return outcome

    return reproduce(request)
