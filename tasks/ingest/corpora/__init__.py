"""The corpora: one file for each data set, and one tuple that lists them all.

To add a corpus, write a file with a `Recipe` and add it to `CORPORA`; see docs/extending.md. Never in this room:
writing to a store.
"""

from functools import lru_cache

from models.plugins import load_plugins
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
def _plugin_recipes() -> tuple[Recipe, ...]:
    # Not at import time, since a plug-in's module imports this package.
    return load_plugins("corpora", Recipe)


def all_recipes() -> tuple[Recipe, ...]:
    """The recipes of this package, and those of installed plug-ins."""
    return (*CORPORA, *_plugin_recipes())


def known_corpora() -> tuple[str, ...]:
    """The names of all corpora with a recipe.

    >>> known_corpora()[:3]
    ('bach-chorales', 'folk-tunes-characters', 'folk-tunes-words')
    """
    return tuple(recipe.name for recipe in all_recipes())


def embedded_corpora() -> tuple[str, ...]:
    """The names of the corpora that come with the installation.

    >>> embedded_corpora()
    ('bach-chorales', 'folk-tunes-characters', 'folk-tunes-words')
    """
    return tuple(recipe.name for recipe in all_recipes() if recipe.embedded)


def find_recipe(name: str) -> Recipe | None:
    """The recipe of that name, or None."""
    return next((recipe for recipe in all_recipes() if recipe.name == name), None)


__all__ = ["CORPORA", "all_recipes", "embedded_corpora", "find_recipe", "known_corpora"]
