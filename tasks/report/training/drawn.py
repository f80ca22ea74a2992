"""How the draws of the search ended, variant by variant: which trained, which diverged, and which are good.

The i-th draws of two variants in a study share their seed and every hyper-parameter that both have, so they are a
pair. A draw is good if its score after the first rung, when all draws have had equally many epochs, is within a tenth
of the way from counting to the best of its variant. Learning rates are drawn evenly over their interval on the
logarithmic scale. So the share of good draws, times the decades of that interval, is the width of the good range.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan, log10

from tasks.report.numbers.closed_forms import NAN
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import PLAIN, Variant

TOLERANCE = 0.1
"""Distance of a good draw from the best, as a part of the way from counting to the best."""

Place = tuple[int, int]


@dataclass(frozen=True)
class Draw:
    """How a draw ended: it came above counting, or diverged, or learned nothing; and whether it is a good one."""

    trained: bool
    diverged: bool
    good: bool

    @property
    def untrained(self) -> bool:
        """Whether it came to its end without ever scoring above counting."""
        return not (self.trained or self.diverged)


Draws = Mapping[str, Mapping[Place, Draw]]
"""By variant and place how a draw ended."""


def draws_of(results: Results, corpus: str) -> dict[str, dict[Place, Draw]]:
    """The draws of the search that ended, by variant, study and seed; a failed draw has not ended."""
    counting = float(results.corpora[corpus]["counting"])
    search = results.ended_draws(corpus)
    found: dict[str, dict[Place, Draw]] = {}
    for variant, rows in search.groupby("variant", sort=False):
        status, first = rows["status"].tolist(), rows["valid_first"].tolist()
        above = (rows["valid"] > counting).tolist()
        trained = [ended == "completed" and better for ended, better in zip(status, above, strict=True)]
        least = good_from([score for score, did in zip(first, trained, strict=True) if did], counting)
        found[str(variant)] = {
            (int(study), int(seed)): Draw(did, ended == "diverged", did and score >= least)
            for study, seed, ended, did, score in zip(rows["study"], rows["seed"], status, trained, first, strict=True)
        }
    return found


def good_from(scores: list[float], counting: float) -> float:
    """The lowest good score: b - (b - counting) / 10 for the best score b; infinity if there is no score.

    >>> good_from([-11.0, -9.0], -11.0), good_from([], -11.0)
    (-9.2, inf)
    """
    known = [score for score in scores if not isnan(score)]
    return max(known) - TOLERANCE * (max(known) - counting) if known else float("inf")


def decades(results: Results, corpus: str, variants: Iterable[str]) -> float:
    """The number of powers of ten that the learning rates of some variants are drawn from.

    NaN if the rates are named one by one, or if the variants have different intervals.
    """
    space = results.campaign.get("spaces", {}).get(corpus, {})
    names = list(variants)
    other = any(Variant.parse(name).optimizer != PLAIN or "learning_rate" in space.get(name, {}) for name in names)
    ends = space.get("learning_rate")
    if not isinstance(ends, Mapping) or other:
        return NAN
    return log10(ends["high"] / ends["low"])
