"""From source files to a `Corpus` in the store: scores, keys, piano-rolls, text, splits.

`corpora/` has one file for each data set. Never in this room: training, torch, or network access outside of `sources/`.
"""

from tasks.ingest.corpora import CORPORA, all_recipes, embedded_corpora, find_recipe, known_corpora
from tasks.ingest.names import corpus_kind, find_name
from tasks.ingest.stored import described_as, first_name, ingest_corpus, load_corpus

__all__ = [
    "CORPORA",
    "all_recipes",
    "corpus_kind",
    "embedded_corpora",
    "find_name",
    "find_recipe",
    "first_name",
    "ingest_corpus",
    "known_corpora",
    "load_corpus",
    "described_as",
]
