"""The numbers of the literature, read from `published.json`, and their corpora.

A corpus is the official one if it has the official name and as many scored steps in the test split. So a part of it, or
another corpus of the same name, is not compared with its numbers. What this does not do: compare anything.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

Confidence = Literal["exact", "secondary", "recalled"]


class Number(BaseModel):
    """A published number.

    Attributes:
        dataset: its name in the file (`OFFICIAL` has our names).
        model: its name in the source, with what distinguishes it from others.
        split: `test`, or `train`, which no report scores.
        metric: its name in our tables.
        unit: of the value.
        value: as published; a log-likelihood is negative.
        source: where it stands.
        confidence: `exact`, read in the source; `secondary`, quoted by a later source; `recalled`, written from memory,
            on which no verdict may rest.
        first_frame_scored: whether the first frame of a piece counts, as it does here; None for text.
        comparable: whether the protocol is ours.
        why_not: how the protocol differs, if it does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    model: str
    split: Literal["train", "test"]
    metric: Literal["log_likelihood", "accuracy", "bits_per_character", "perplexity"]
    unit: str
    value: float
    source: str
    confidence: Confidence
    first_frame_scored: bool | None
    comparable: bool
    why_not: str | None

    @property
    def decimals(self) -> int:
        """The number of decimals of the published value, at least two, as in our tables.

        A perplexity is also quoted as 134 in texts; then it has the decimals of its value.
        """
        own = f"{self.value:g}".partition(".")[2]
        return len(own) if self.metric == "perplexity" else max(2, len(own))

    @property
    def rounding(self) -> float:
        """The largest error from rounding: half a unit of the last decimal."""
        return 0.5 * 10.0**-self.decimals


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    note: str
    results: tuple[Number, ...]


OFFICIAL: Mapping[str, tuple[str, int]] = {
    "jsb-chorales": ("jsb-chorales", 4_725),
    "nottingham": ("nottingham", 44_463),
    "piano-midi.de": ("piano-midi.de", 19_036),
    "musedata": ("musedata", 64_339),
    "penn-treebank-characters": ("ptb-char", 442_423),
    "penn-treebank-words": ("ptb-word", 82_430),
}
"""Of each official corpus: its name in the file, and the number of frames, characters or words of its test split."""

FIRST_FRAME: Mapping[str, float] = {
    "jsb-chorales": 0.040,
    "nottingham": 0.026,
    "musedata": 0.009,
    "piano-midi.de": 0.005,
}
"""About how many nats a frame a log-likelihood gains if the first frame of a piece is left out."""


@cache
def _read() -> tuple[Number, ...]:
    text = Path(__file__).with_name("published.json").read_bytes()
    return TypeAdapter(_File).validate_json(text).results


def literature(corpus: str = "") -> tuple[Number, ...]:
    """All published numbers in the order of the file, or those of an official corpus; none of another one."""
    if not corpus:
        return _read()
    dataset = OFFICIAL[corpus][0] if corpus in OFFICIAL else None
    return tuple(number for number in _read() if number.dataset == dataset)


def is_official(corpus: str, facts: Mapping[str, Any]) -> bool:
    """Whether a corpus of a report is the official one of its name.

    Args:
        corpus: its name.
        facts: what `Results.corpora` has of it.
    """
    return corpus in OFFICIAL and (facts.get("steps") or {}).get("test") == OFFICIAL[corpus][1]
