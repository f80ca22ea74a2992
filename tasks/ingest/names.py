"""The names of the corpora in a store: each name points to the digest of a corpus.

    corpora/<name>.json   pointer to the corpus that was last ingested under the name: its digest, its kind, the version
                          of the ingest rules and the source digest (`stored.py`)

Campaigns and users refer to a corpus by its name; everything inside the system refers to it by digest. When other files
are ingested under the same name, the name moves to the new corpus. The old corpus stays in the store.
"""

from dataclasses import asdict, dataclass
from typing import cast

from infra.errors import ConfigurationError
from infra.store import Store, swap_in_turn, valid_path
from models.data_kinds import Kind
from tasks.ingest.corpora import find_recipe, known_corpora
from tasks.telling.readable import is_digest, naming


@dataclass(frozen=True)
class Named:
    """The value of a name's pointer.

    Attributes:
        digest: of the corpus, 64 hexadecimal digits.
        kind: of the data.
        rules: version of the ingest rules that made the corpus.
        source: source digest of the ingest; None in stores older than this field.
    """

    digest: str
    kind: Kind
    rules: int
    source: str | None = None


def find_name(store: Store, name: str) -> Named | None:
    """The corpus that a name points to; None if nothing was ingested under the name.

    Raises:
        StoreError: the text cannot be a name, or its pointer is damaged.
    """
    value, _ = store.read_pointer(_pointer(name))
    if value is None:
        return None
    with naming(f"{store.address}: {_pointer(name)}"):
        named = Named(str(value["digest"]), cast(Kind, value["kind"]), int(value["rules"]), value.get("source"))
        if not is_digest(named.digest) or not (named.source is None or is_digest(named.source)):
            raise ValueError(f"{named.digest!r} from {named.source!r} is no corpus")
        return named


def give_name(store: Store, name: str, named: Named) -> None:
    """Point a name to a corpus. If several processes do so at once, the last one wins.

    Raises:
        ConflictError: other processes kept changing the pointer.
    """
    wanted = asdict(named)

    def give() -> None:
        value, token = store.read_pointer(_pointer(name))
        if value != wanted:
            store.swap_pointer(_pointer(name), wanted, token)

    swap_in_turn(give, f"{store.address}: the corpus {name!r} kept being ingested by others; run again")


def corpus_kind(name: str, store: Store | None = None) -> Kind:
    """The kind of a corpus, found without reading any of its inputs.

    Args:
        name: of a known corpus, or of one that was ingested into the store.
        store: searched if the name is not a known corpus.

    Raises:
        ConfigurationError: no corpus has that name.

    >>> corpus_kind("bach-chorales")
    'music'
    """
    recipe = find_recipe(name)
    if recipe is not None:
        return recipe.kind
    # A text that cannot be a name has no pointer.
    named = find_name(store, name) if store is not None and valid_path(name) else None
    if named is None:
        raise unknown_corpus(name)
    return named.kind


def unknown_corpus(name: str) -> ConfigurationError:
    """The error for a name without a corpus."""
    known = ", ".join(known_corpora())
    return ConfigurationError(
        f"corpus {name!r}: there is none; take one of {known}, or ingest your own under that name"
    )


def _pointer(name: str) -> str:
    return f"corpora/{name}.json"
