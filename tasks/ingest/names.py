"""The names of the corpora of a store: which corpus, by digest, a name stands for.

    corpora/<name>.json   pointer: digest and kind of the corpus that was last ingested under that name, by which rules,
                          and from which source (`stored.py`)

Campaigns, and readers from outside, say a name; everything else goes by digest. A name that is ingested again from
other files stands for the new corpus, and the old one stays in the store.
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
    """What a name stands for: a corpus, its kind, and the version of the rules by which it was made.

    `source` is the source digest of the ingest, None in stores of before it was kept.
    """

    digest: str
    kind: Kind
    rules: int
    source: str | None = None


def find_name(store: Store, name: str) -> Named | None:
    """What a name stands for in a store, None where nothing was ingested under it.

    Raises:
        StoreError: it cannot be a name, or what is stored under it names no corpus.
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
    """Let a name stand for a corpus; of several who do that at once, the last one has it.

    Raises:
        ConflictError: others kept changing it.
    """
    wanted = asdict(named)

    def give() -> None:
        value, token = store.read_pointer(_pointer(name))
        if value != wanted:
            store.swap_pointer(_pointer(name), wanted, token)

    swap_in_turn(give, f"{store.address}: the corpus {name!r} kept being ingested by others; run again")


def corpus_kind(name: str, store: Store | None = None) -> Kind:
    """The kind of a corpus, without reading any of its inputs.

    Args:
        name: of one that is known, or of one that was ingested into the store.
        store: where else to look.

    Raises:
        ConfigurationError: there is no corpus of that name.

    >>> corpus_kind("bach-chorales")
    'music'
    """
    recipe = find_recipe(name)
    if recipe is not None:
        return recipe.kind
    # what cannot be a name was not ingested under it
    named = find_name(store, name) if store is not None and valid_path(name) else None
    if named is None:
        raise unknown_corpus(name)
    return named.kind


def unknown_corpus(name: str) -> ConfigurationError:
    """The error for a name that stands for nothing."""
    known = ", ".join(known_corpora())
    return ConfigurationError(
        f"corpus {name!r}: there is none; take one of {known}, or ingest your own under that name"
    )


def _pointer(name: str) -> str:
    return f"corpora/{name}.json"
