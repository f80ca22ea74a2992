"""The kinds of data that are modelled. Imports nothing, so that ingestion can name them without torch."""

from typing import Literal

Kind = Literal["music", "characters", "words"]
"""Piano-rolls of zeros and ones, or the symbols of a text: characters, words."""
