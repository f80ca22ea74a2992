"""What is left of `reproduce` where a campaign is finished already: its flow run on the server that is configured.

Told from the store, without torch, Dask and a plan.
"""

from prefect import flow

from infra.server.run_names import run_name
from infra.server.run_page import introduce, leave_artifact, tell_all
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.publishing.answers.outcome import Outcome
from tasks.publishing.finished import Finished


def leave_run(request: CampaignRequest, store: Store, known: Finished) -> Outcome:
    """Leave a flow run of the request, with its tags, its artifact and its log, and show what it came to."""

    @flow(name="reproduce", flow_run_name=run_name, persist_result=False)
    def reproduce(request: CampaignRequest) -> Outcome:
        introduce([request.name, *known.corpora])
        leave_artifact(known.version, known.markdown)
        outcome = known.outcome(store)
        tell_all(known.line)
        tell_all(outcome)
        return outcome

    return reproduce(request)
