"""The best published test score of each official corpus: what 1 is where scores of several corpora become one number.

Only numbers that were read in their source, of the same split and the same measure as ours: nats a frame with the
first frame scored, bits a character with one newline a line, perplexity with `<eos>` counted. Of models of any kind:
1 is what has been reached on a corpus, not what the variants of a campaign could.

What this does not do: compare anything with them. A corpus is the official one where it has its name and as many scored
steps in the test split, so that a part of it, or another one of the same name, is not measured by its number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Published:
    """A published test score.

    Attributes:
        steps: frames, characters or words of the official test split.
        metric: name of the metric, the first of the corpus's kind.
        value: in its unit.
        model: whose score it is.
        source: where it stands.
    """

    steps: int
    metric: str
    value: float
    model: str
    source: str


_ICML_2012 = "Boulanger-Lewandowski, Bengio & Vincent 2012, arXiv:1206.6392, Table 1"

PUBLISHED: Mapping[str, Published] = {
    "jsb-chorales": Published(
        4_725,
        "log_likelihood",
        -5.12,
        "DMM-Aug-NADE, by importance sampling",
        "Krishnan, Shalit & Sontag 2017, AAAI, Table 4",
    ),
    "nottingham": Published(44_463, "log_likelihood", -2.31, "RNN-NADE (HF)", _ICML_2012),
    "piano-midi.de": Published(19_036, "log_likelihood", -7.05, "RNN-NADE (HF)", _ICML_2012),
    "musedata": Published(64_339, "log_likelihood", -5.60, "RNN-NADE (HF)", _ICML_2012),
    "penn-treebank-characters": Published(
        442_423, "bits_per_character", 1.27, "RRU", "LUMII-Syslab 2021, README of RRU"
    ),
    "penn-treebank-words": Published(
        82_430, "perplexity", 78.93, "LSTM", "Bai, Kolter & Koltun 2018, arXiv:1803.01271, Table 1"
    ),
}


def published_of(corpus: str, facts: Mapping[str, Any]) -> Published | None:
    """The number of an official corpus; None where it is not one.

    Args:
        corpus: its name.
        facts: what `Results.corpora` has of it.
    """
    found = PUBLISHED.get(corpus)
    return found if found is not None and facts.get("steps", {}).get("test") == found.steps else None
