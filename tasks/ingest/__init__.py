"""From source files to a `Corpus` in the store: scores, keys, piano-rolls, text, splits.

`corpora/` has one file a data set. Must never be here: training, torch; the network anywhere but in `remote_*.py`.
"""

from tasks.ingest.cache import find_corpus, ingest_corpus, load_corpus
from tasks.ingest.corpora import CORPORA, corpus_kind, known_corpora

__all__ = ["CORPORA", "corpus_kind", "find_corpus", "ingest_corpus", "known_corpora", "load_corpus"]
