"""Parse corpora into the store, so that they are there before a campaign asks. Wiring only."""

from prefect import flow

from infra.clusters import task_runner
from infra.crew import Crew
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.ingest import known_corpora
from tasks.ingest.stage import ingest_all


@flow(name="ingest", task_runner=task_runner(), persist_result=False)
def ingest(request: CampaignRequest) -> dict[str, str]:
    """Parse the corpora of a request, all known ones where it names none; what is stored is not parsed again.

    Args:
        request: its `store`, `corpora`, `cluster` and `workers` are used.

    Returns:
        The digest of every corpus, by its name.

    Raises:
        ConfigurationError: a corpus of that name is not known.
        CorpusError: a source cannot be read or used.
        StoreError: the store cannot be used.
        ClusterError: there is something to parse, and no cluster to do it.
    """
    store = Store(request.store)
    store.check_writable()
    return ingest_all(store, request.corpora or known_corpora(), Crew(store, request.cluster, request.workers))
