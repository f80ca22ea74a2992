"""The stage of a flow that makes sure that its corpora are in the store."""

from collections.abc import Sequence
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from infra.crew import Crew
from infra.progress import Progress, show_progress
from infra.store import Store
from tasks.ingest.cache import find_corpus, ingest_corpus


@task(name="ingest", cache_policy=NO_CACHE)
def ingest_all(store: Store, names: Sequence[str], crew: Crew) -> dict[str, str]:
    """Digest of every corpus, by name; those that are new to the store are parsed by the crew.

    Args:
        store: where corpora are kept.
        names: of the corpora.
        crew: called together only if there is something to parse.

    Raises:
        ConfigurationError: a corpus of that name is not known.
        CorpusError: a source cannot be read or used.
    """
    digests = {name: find_corpus(store, name) for name in names}
    if None in digests.values():
        with show_progress(crew.client) as progress:
            for name in [name for name, digest in digests.items() if digest is None]:
                digests[name] = ingest_corpus(store, name, partial(_tell, progress, name), crew.map)
    return {name: digest for name, digest in digests.items() if digest is not None}


def _tell(progress: Progress, corpus: str, done: int, total: int) -> None:
    progress.handle({"kind": "ingest", "corpus": corpus, "done": done, "total": total})
