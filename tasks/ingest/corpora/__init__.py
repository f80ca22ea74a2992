"""The corpora: one file a data set, and the one tuple that names them all.

To add one, write a file with a `Recipe` and add it to `CORPORA`; docs/extending.md. Nothing here writes to a store.
"""

from functools import lru_cache

from models.plugins import strangers
from tasks.ingest.building.recipe import Recipe
from tasks.ingest.corpora.adding import ADDING
from tasks.ingest.corpora.bach_chorales import BACH_CHORALES
from tasks.ingest.corpora.folk_tunes import FOLK_TUNES_CHARACTERS, FOLK_TUNES_WORDS
from tasks.ingest.corpora.jsb_chorales import JSB_CHORALES
from tasks.ingest.corpora.musedata import MUSEDATA
from tasks.ingest.corpora.nottingham import NOTTINGHAM
from tasks.ingest.corpora.penn_treebank import PENN_TREEBANK_CHARACTERS, PENN_TREEBANK_WORDS
from tasks.ingest.corpora.piano_midi_de import PIANO_MIDI_DE
from tasks.ingest.corpora.temporal_order import TEMPORAL_ORDER

CORPORA: tuple[Recipe, ...] = (
    BACH_CHORALES,
    FOLK_TUNES_CHARACTERS,
    FOLK_TUNES_WORDS,
    JSB_CHORALES,
    NOTTINGHAM,
    PIANO_MIDI_DE,
    MUSEDATA,
    PENN_TREEBANK_WORDS,
    PENN_TREEBANK_CHARACTERS,
    *TEMPORAL_ORDER,
    *ADDING,
)


@lru_cache(maxsize=1)
def _strangers() -> tuple[Recipe, ...]:
    # Not at import: a stranger's module imports this package.
    return strangers("corpora", Recipe)


def all_recipes() -> tuple[Recipe, ...]:
    """Ours, and those that other people's packages bring."""
    return (*CORPORA, *_strangers())


def known_corpora() -> tuple[str, ...]:
    """The names of all of them.

    >>> known_corpora()[:3]
    ('bach-chorales', 'folk-tunes-characters', 'folk-tunes-words')
    """
    return tuple(recipe.name for recipe in all_recipes())


def embedded_corpora() -> tuple[str, ...]:
    """The names of those that come with the installation.

    >>> embedded_corpora()
    ('bach-chorales', 'folk-tunes-characters', 'folk-tunes-words')
    """
    return tuple(recipe.name for recipe in all_recipes() if recipe.embedded)


def find_recipe(name: str) -> Recipe | None:
    """The recipe of that name, None where there is none."""
    return next((recipe for recipe in all_recipes() if recipe.name == name), None)


__all__ = ["CORPORA", "all_recipes", "embedded_corpora", "find_recipe", "known_corpora"]
