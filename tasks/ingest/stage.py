"""The ingest stage of a flow: make sure that corpora are in the store, by name or by recipe.

A corpus that comes with the installation is looked up by the hashes of its files, and is parsed if the store does not
have them yet. Any other corpus is looked up by name. It is read from its known source again if the name is not in the
store, if the ingest rules have changed since, or if the corpus was deleted.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from infra.cluster.progress import ProgressDisplay, show_progress
from infra.cluster.workers import Workers
from infra.errors import ConfigurationError, CorpusError
from infra.store import Store
from tasks.ingest.building.recipe import HERE, Recipe, Source
from tasks.ingest.corpora import find_recipe
from tasks.ingest.names import find_name, unknown_corpus
from tasks.ingest.stored import corpus_prefix, ingest_corpus


@task(name="ingest", cache_policy=NO_CACHE)
def ingest_named(store: Store, names: Sequence[str], workers: Workers) -> dict[str, str]:
    """The digest of every corpus, by name. Corpora that are not in the store are parsed on the workers.

    Args:
        store: where corpora are kept.
        names: of the corpora.
        workers: they are started only if there is something to parse.

    Raises:
        ConfigurationError: a name is unknown, or two names point to the same data.
        CorpusError: a source cannot be read or used, or a user's own corpus was deleted.
    """
    with _shown() as progress:
        digests = {name: _digest(store, name, workers, progress) for name in names}
    for name, digest in digests.items():
        if (same := [other for other in digests if digests[other] == digest]) != [name]:
            raise ConfigurationError(f"corpora {' and '.join(same)}: they are the same data; name one of them")
    return digests


def _digest(store: Store, name: str, workers: Workers, progress: ProgressDisplay) -> str:
    recipe, stored = find_recipe(name), find_name(store, name)
    if stored is not None and (recipe is None or (not recipe.embedded and recipe.rules == stored.rules)):
        if store.committed(corpus_prefix(stored.digest)):
            return stored.digest
        if recipe is None:
            raise CorpusError(f"corpus {name!r}: {corpus_prefix(stored.digest)} was deleted; ingest its files again")
    if recipe is None:
        raise unknown_corpus(name)
    return _ingest(store, recipe, HERE, workers, progress)


@task(name="ingest", cache_policy=NO_CACHE)
def ingest_from(store: Store, recipes: Sequence[Recipe], source: Source, workers: Workers) -> dict[str, str]:
    """The digest of every corpus, by name, read from a source. Files that are new to the store are parsed by workers.

    Raises:
        ConfigurationError: the source does not fit one of the corpora.
        CorpusError: the source cannot be read or used.
    """
    with _shown() as progress:
        return {recipe.name: _ingest(store, recipe, source, workers, progress) for recipe in recipes}


@contextmanager
def _shown() -> Iterator[ProgressDisplay]:
    with show_progress(None) as progress:
        yield progress


def _ingest(store: Store, recipe: Recipe, source: Source, workers: Workers, progress: ProgressDisplay) -> str:
    asked = replace(source, progress=partial(_downloaded, progress, recipe.name))
    return ingest_corpus(store, recipe, asked, partial(_parsed, progress, recipe.name), workers.map)


def _parsed(progress: ProgressDisplay, corpus: str, done: int, total: int) -> None:
    progress.handle({"kind": "ingest", "corpus": corpus, "done": done, "total": total})


def _downloaded(progress: ProgressDisplay, corpus: str, done: int, total: int | None) -> None:
    progress.handle({"kind": "download", "corpus": corpus, "done": done, "total": total})
