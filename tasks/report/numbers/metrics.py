"""The metrics of a report: which sums they are made from, which way is better, and how they are written.

Section 3 of the specification. A metric is pooled: the sum over all steps of all pieces, divided by the number
of steps, then a link function. Nothing is scored here; the sums come from `tasks/trials/scoring.py`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.report.numbers.formatting import number

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A pooled metric, `link(sum over steps of column / number of steps)`.

    Attributes:
        name: in the exported tables.
        label: on the page.
        unit: of a value; "" for none.
        column: the column of `Results.pieces` that is summed.
        link: from the mean per step to the metric; monotonic, works on arrays.
        higher_is_better: whether a larger value is better.
        decimals: number of printed decimals.
        limits: smallest and largest possible value; intervals are cut there.
    """

    name: str
    label: str
    unit: str
    column: str
    link: Callable[[FloatArray], FloatArray]
    higher_is_better: bool
    decimals: int
    limits: tuple[float, float] = (-math.inf, math.inf)

    @property
    def sign(self) -> int:
        """1 or -1: a difference is multiplied by it, so that positive is better."""
        return 1 if self.higher_is_better else -1

    @property
    def heading(self) -> str:
        """The title of an axis or a column: `accuracy (%)`."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def measure(self) -> str:
        """The words after a value: the unit, or the label if there is no unit."""
        return self.unit or self.label


def _same(mean: FloatArray) -> FloatArray:
    return mean


def _percent(mean: FloatArray) -> FloatArray:
    return 100.0 * mean


def _bits(mean: FloatArray) -> FloatArray:
    return -mean / math.log(2.0)


def _perplexity(mean: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-mean))


_SHARE = (0.0, 100.0)
_ANSWERS = (
    Metric("success", "success", "%", "success", _percent, True, 1, _SHARE),
    Metric("sequence_log_likelihood", "log-likelihood", "nats per sequence", "log_likelihood", _same, True, 3),
)

# The first of a kind is the one that the answer and the charts are about. Selection used log-likelihood on validation.
METRICS: dict[str, tuple[Metric, ...]] = {
    "music": (
        Metric("log_likelihood", "log-likelihood", "nats per frame", "log_likelihood", _same, True, 3),
        Metric("accuracy", "accuracy", "%", "accuracy", _percent, True, 2, _SHARE),
        Metric("union_accuracy", "union accuracy", "%", "union_accuracy", _percent, True, 2, _SHARE),
    ),
    "characters": (Metric("bits_per_character", "bits per character", "", "log_likelihood", _bits, False, 3),),
    "words": (Metric("perplexity", "perplexity", "", "log_likelihood", _perplexity, False, 2),),
    "temporal-order": _ANSWERS,
    "adding": _ANSWERS,
}

BY_NAME = {metric.name: metric for metrics in METRICS.values() for metric in metrics}
"""Every metric by the name that it has in the exported tables."""

STEP_NAMES = {
    "music": "frame",
    "characters": "character",
    "words": "word",
    "temporal-order": "symbol",
    "adding": "step",
}
"""What a step is called."""

SCORED_NAMES = STEP_NAMES | {"temporal-order": "sequence", "adding": "sequence"}
"""What a score is one of: a step, or a sequence of which only the last step is scored."""


def validation_score(kind: str, valid: float) -> str:
    """A validation log-likelihood in nats per step, written as the tables write a test score.

    >>> validation_score("music", -9.08394), validation_score("characters", -2.4853), validation_score("words", -3.4728)
    ('−9.084 nats per frame', '3.586 bits per character', '32.23 perplexity')
    """
    metric = next(each for each in METRICS[kind] if each.column == "log_likelihood")
    return f"{number(float(metric.link(np.array(valid))), metric.decimals)} {metric.measure}"


def symbols_text(kind: str, vocabulary: int) -> str:
    """The values that a step can have, as text: of how many symbols it is one, or how many notes or values it holds.

    >>> symbols_text("music", 0), symbols_text("words", 2609), symbols_text("adding", 0)
    ('88 notes', '2,609', '3 values')
    """
    return {"music": "88 notes", "adding": "3 values"}.get(kind, f"{vocabulary:,}")
