"""A corpus of a store, by its name."""

from infra.errors import NotFoundError
from infra.store import Store
from tasks.corpus.corpus import Corpus
from tasks.ingest import described_as, find_name
from tasks.ingest import load_corpus as load_by_digest


def load_corpus(store: str, name: str) -> Corpus:
    """A corpus that was ingested into a store.

    Args:
        store: its address, a folder or `s3://bucket/prefix`.
        name: of the corpus, as in `prefect run ingest`.

    Returns:
        The corpus: `splits` has for each of train, valid and test a tuple of arrays, one a piece, uint8 (T, 88)
        piano-rolls or int32 (T,) symbols; `vocabulary` the text of each symbol.

    Raises:
        NotFoundError: nothing was ingested under that name.
        StoreError: the store cannot be used, or holds other bytes than were committed.
    """
    opened = Store(store, create=False)
    named = find_name(opened, name)
    if named is None:
        raise NotFoundError(f"{opened.address}: no corpus {name!r}; `prefect run ingest` makes one")
    return described_as(opened, name, load_by_digest(opened, named.digest))
