"""The kinds of data that are modelled. Imports nothing, so that ingestion can name them without torch."""

from typing import Literal

Kind = Literal["music", "characters", "words", "temporal-order", "adding"]
"""Piano-rolls of zeros and ones; the symbols of a text: characters, words; the made-up sequences of long dependencies:
of symbols (temporal order), of real values (adding)."""

LAST_STEP_ALONE: frozenset[Kind] = frozenset(("temporal-order", "adding"))
"""Kinds of which only the last step of a piece is asked for; what comes before it is read."""
