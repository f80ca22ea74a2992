"""The corpora: one file a data set, and the one tuple that names them all.

To add one, write a file with a `Recipe` and add it to `CORPORA`. Nothing here writes to a store.
"""

from infra.errors import ConfigurationError
from models.kinds import Kind
from tasks.ingest.corpora.bach_chorales import BACH_CHORALES
from tasks.ingest.corpora.folk_tunes import FOLK_TUNES_CHARACTERS, FOLK_TUNES_WORDS
from tasks.ingest.recipe import Recipe

CORPORA: tuple[Recipe, ...] = (BACH_CHORALES, FOLK_TUNES_CHARACTERS, FOLK_TUNES_WORDS)


def known_corpora() -> tuple[str, ...]:
    """The names that `ingest_corpus` takes.

    >>> known_corpora()
    ('bach-chorales', 'folk-tunes-characters', 'folk-tunes-words')
    """
    return tuple(recipe.name for recipe in CORPORA)


def find_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ConfigurationError: there is none.
    """
    for recipe in CORPORA:
        if recipe.name == name:
            return recipe
    raise ConfigurationError(f"unknown corpus {name!r}: choose one of {', '.join(known_corpora())}")


def corpus_kind(name: str) -> Kind:
    """`music`, `characters` or `words`, without reading any input.

    Raises:
        ConfigurationError: there is no corpus of that name.

    >>> corpus_kind("bach-chorales")
    'music'
    """
    return find_recipe(name).kind


__all__ = [
    "BACH_CHORALES",
    "CORPORA",
    "FOLK_TUNES_CHARACTERS",
    "FOLK_TUNES_WORDS",
    "corpus_kind",
    "find_recipe",
    "known_corpora",
]
