"""The kinds of data. This module imports nothing, so that ingestion can name the kinds without torch."""

from typing import Literal

Kind = Literal["music", "characters", "words", "temporal-order", "adding"]
"""Piano-rolls of zeros and ones; symbols of a text, as characters or words; and synthetic sequences with long
dependencies, of symbols (temporal order) or of real values (adding)."""

LAST_STEP_ALONE: frozenset[Kind] = frozenset(("temporal-order", "adding"))
"""Kinds whose only scored step is the last one of a piece; the other steps are only inputs."""
