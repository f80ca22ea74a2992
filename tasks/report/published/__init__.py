"""The literature: test scores that others published, beside which a report puts its own.

In this room: the one file of published numbers (`published.json`), what reads it, which of its models are which of our
variants, the best number of a corpus, and the comparison. Never in it: anything that trains, resamples or draws.
"""

from tasks.report.published.beside import Beside, PublishedNumbers, published_beside
from tasks.report.published.best import published_of
from tasks.report.published.literature import FIRST_FRAME, OFFICIAL, Number, is_official, literature
from tasks.report.published.models import MODELS, Model

__all__ = [
    "FIRST_FRAME",
    "MODELS",
    "OFFICIAL",
    "Beside",
    "Model",
    "Number",
    "PublishedNumbers",
    "is_official",
    "literature",
    "published_beside",
    "published_of",
]
