"""The flow that puts data into the store: known corpora, or a user's own files under their own name. Wiring only."""

from prefect import flow

from infra.cluster.clusters import task_runner
from infra.cluster.workers import Workers
from infra.server.run_names import run_name
from infra.server.run_page import introduce, tell_all
from infra.settings import IngestRequest
from infra.store import Store
from tasks.ingest.requests import requested_recipes
from tasks.ingest.stage import ingest_from
from tasks.publishing.answers.ingested import ingested


@flow(name="ingest", flow_run_name=run_name, task_runner=task_runner(), persist_result=False)
def ingest(request: IngestRequest) -> dict[str, str]:
    """Read, parse and store the requested corpora, and print a summary; stored corpora are not parsed again.

    Returns:
        The digest of every corpus, by its name.

    Raises:
        ConfigurationError: a name is unknown, or options contradict each other.
        CorpusError: a source cannot be read or used.
        StoreError: the store cannot be used.
        ClusterError: there is something to parse, but no cluster.
    """
    store = Store(request.store)
    store.check_writable()
    recipes, source = requested_recipes(request)
    introduce([recipe.name for recipe in recipes])
    digests: dict[str, str] = ingest_from(store, recipes, source, Workers.for_request(store, request))
    tell_all(ingested(store, digests))
    return digests
