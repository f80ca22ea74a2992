"""The scale of each corpus: the scores that become 0 and 1, so that several corpora can be put into one number.

    normalised score = (m - zero) / (one - zero),   m the mean over the scored steps

of the log-likelihood in nats, or of right answers; for perplexity this is its logarithm. Zero is the best count
baseline. One is the best published number for an official corpus (`published/`), and all answers right if answers are
counted. Else it is the best variant of the campaign, with any core and output model.

What this does not do: normalise a run (`runs.py`).
"""

import math
from dataclasses import dataclass

import numpy as np

from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.metrics import METRICS, FloatArray, Metric
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import BASELINE, is_baseline
from tasks.report.published import published_of


@dataclass(frozen=True)
class Scale:
    """The scale of a corpus.

    Attributes:
        corpus: its name.
        metric: in whose unit the ends are.
        zero, one: the ends.
        zero_of, one_of: the names of what has these scores.
        source: of a published one; "" otherwise.
        is_own: whether one is the best variant of the campaign.
    """

    corpus: str
    metric: Metric
    zero: float
    zero_of: str
    one: float
    one_of: str
    source: str = ""
    is_own: bool = False

    def normalised(self, means: FloatArray) -> FloatArray:
        """Means over the scored steps, of the column of the metric, as parts of the way from zero to one."""
        zero, one = (_per_step(self.metric, end) for end in (self.zero, self.one))
        return np.asarray((means - zero) / (one - zero))


def scale_of(results: Results, estimates: Estimates, corpus: str) -> Scale | None:
    """The scale of a corpus; None where nothing is counted on it, or nothing is better than counting."""
    rows = estimates.primary(corpus)
    facts = results.corpora[corpus]
    metric = METRICS[facts["kind"]][0]
    rows = rows[rows["mean"].notna()].sort_values("mean", ascending=not metric.higher_is_better, kind="stable")
    counted, trained = (rows[rows["variant"].map(is_baseline) == baseline] for baseline in (True, False))
    if counted.empty or trained.empty:
        return None
    zero, best = counted.iloc[0], trained.iloc[0]
    counting = float(zero["mean"]), zero["variant"].removeprefix(BASELINE)
    if metric.column == "success":
        scale = Scale(corpus, metric, *counting, 100.0, "every answer right")
    elif published := published_of(corpus, facts):
        model = f"{published.model}, the best published"
        scale = Scale(corpus, metric, *counting, published.value, model, published.source)
    else:
        own = f"{best['variant']}, the best of this campaign"
        scale = Scale(corpus, metric, *counting, float(best["mean"]), own, is_own=True)
    return scale if metric.sign * (scale.one - scale.zero) > 0 else None


def _per_step(metric: Metric, value: float) -> float:
    """The mean over the scored steps that a value of a metric comes from."""
    match metric.name:
        case "bits_per_character":
            return -value * math.log(2.0)
        case "perplexity":
            return -math.log(value)
        case "success":
            return value / 100
    return value
