"""The expected score of a variant after so many draws of its search: that of the best of k = 1, 2, ... draws.

    best of k = sum over i of y_(i) C(i - 1, k - 1) / C(N, k),   y_(1) <= ... <= y_(N)

is the mean of the best score over all choices of k of the N draws of all studies, and has no bias (Dodge et al. 2019,
with draws that are not replaced). The score of a draw is its best on validation within the epochs of the first rung,
which all draws have had. A draw that diverged or never came above counting has the score of counting, which needs no
network. Intervals of differences are over studies: the jackknife, leaving one study out, with Student's t.

What this does not do: choose. A search chooses after its last rung, from the few draws that came there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import comb

import numpy as np
import pandas as pd

from tasks.report.numbers.closed_forms import NAN
from tasks.report.numbers.formatting import joined, plural
from tasks.report.numbers.intervals import LEVEL
from tasks.report.numbers.jackknife import jackknife
from tasks.report.numbers.metrics import FloatArray
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import Variant, group_of, is_baseline, main_variants, plain_of
from tasks.report.training.measures import Row


@dataclass(frozen=True, eq=False)
class Tuning:
    """The expected scores of a variant.

    Attributes:
        corpus, variant: whose they are.
        draws: number of draws of all studies that they come from.
        expected_K: best validation score of k = 1, 2, ... draws, nats per step, up to the number of draws of a study.
        difference_K, low_K, high_K: how much better that is than plain SGD's, with its interval; NaN if there is
            nothing to compare with, and the interval also with one study.
    """

    corpus: str
    variant: str
    draws: int
    expected_K: FloatArray
    difference_K: FloatArray
    low_K: FloatArray
    high_K: FloatArray

    def to_json(self) -> list[Row]:
        """A row a number of draws."""
        named = {"corpus": self.corpus, "variant": self.variant, "draws": self.draws}
        columns = {"expected": self.expected_K, "difference": self.difference_K, "low": self.low_K, "high": self.high_K}
        return [
            named | {"k": k + 1} | {name: float(values_K[k]) for name, values_K in columns.items()}
            for k in range(len(self.expected_K))
        ]


def tunings(results: Results, corpus: str) -> list[Tuning]:
    """Those of every variant of a corpus that has draws, in the campaign's order."""
    scores = draw_scores(results, corpus)
    told = []
    for variant in results.variants(corpus):
        if not scores.get(variant):
            continue
        plain = plain_of(variant)
        mine, theirs = scores[variant], scores.get(plain, {}) if plain != variant else {}
        most = min(len(each) for each in mine.values())
        difference_K, low_K, high_K = _differences(mine, theirs, most)
        told.append(
            Tuning(corpus, variant, sum(map(len, mine.values())), _pooled(mine, most), difference_K, low_K, high_K)
        )
    return told


def draw_scores(results: Results, corpus: str) -> dict[str, dict[int, FloatArray]]:
    """The scores of the draws that came to an end, by variant and study; studies without any are left out."""
    counting = float(results.corpora[corpus]["counting"])
    search = results.ended_draws(corpus)
    scores: dict[str, dict[int, FloatArray]] = {}
    for (variant, study), rows in search.groupby(["variant", "study"], sort=False):
        if not is_baseline(variant):
            scores.setdefault(variant, {})[int(study)] = draw_score(rows["valid_first"], counting)
    return scores


def draw_score(valid_first: pd.Series, counting: float) -> FloatArray:
    """The scores of draws after the first rung; the score of counting if there is none, or if it is lower."""
    valid_N = valid_first.to_numpy(np.float64)
    return np.maximum(np.where(np.isnan(valid_N), counting, valid_N), counting)


def expected_best(scores: FloatArray, most: int) -> FloatArray:
    """The expected best of k = 1 ... `most` of these scores, drawn without replacement, (most,), in their unit.

        sum over i of y_(i) C(i - 1, k - 1) / C(N, k),   y_(1) <= ... <= y_(N)

    >>> expected_best(np.array([1.0, 2.0, 6.0]), 3).tolist()
    [3.0, 4.666666666666666, 6.0]
    """
    return _weights_KN(most, len(scores)) @ np.sort(scores)


@lru_cache(maxsize=16)
def _weights_KN(most: int, number: int) -> FloatArray:
    """C(i, k) / C(number, k + 1) of i < number and k < most, each rounded once: the integers are exact.

    Row by row, C(i, k + 1) = sum over j < i of C(j, k): for thousands of draws they have thousands of digits, and each
    from its factors takes minutes.
    """
    row, weights_KN = [1] * number, np.empty((most, number))
    for k in range(most):
        choices = comb(number, k + 1)
        weights_KN[k] = [ways / choices for ways in row]
        row = list(accumulate(row[:-1], initial=0))
    return weights_KN


def _pooled(studies: dict[int, FloatArray], most: int) -> FloatArray:
    return expected_best(np.concatenate(list(studies.values())), most)


def _differences(
    mine: dict[int, FloatArray], theirs: dict[int, FloatArray], most: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How much better the one is than the other over the studies that both have, with the ends of the intervals."""
    both = sorted(mine.keys() & theirs.keys())
    if not both:
        return np.full(most, NAN), np.full(most, NAN), np.full(most, NAN)

    def difference(studies: Sequence[int]) -> FloatArray:
        k = min(most, *(len(each[study]) for each in (mine, theirs) for study in studies))
        values_K = np.full(most, NAN)
        values_K[:k] = _pooled({s: mine[s] for s in studies}, k) - _pooled({s: theirs[s] for s in studies}, k)
        return values_K

    value_K = difference(both)
    spreads = jackknife(lambda kept: difference([both[unit] for unit in kept[0]]), [len(both)])
    half_K = np.array([NAN if spread is None else spread.half_width(LEVEL) for spread in spreads])
    return value_K, value_K - half_K, value_K + half_K


def best_with(told: Sequence[Tuning], draws: int) -> Tuning:
    """The variant with the best expected score after so many draws; of equal ones the first."""
    return max(told, key=lambda each: float(each.expected_K[draws - 1]))


def order_warning(told: Sequence[Tuning]) -> str:
    """Says that the order of the variants of the main family depends on the number of draws; "" if it does not."""
    main = set(main_variants(each.variant for each in told))
    compared = [each for each in told if each.variant in main]
    most = min((len(each.expected_K) for each in compared), default=0)
    if len(compared) < 2 or most < 2:
        return ""
    labels = {each.variant: Variant.parse(each.variant).tail for each in compared}
    of = f" of {group_of(compared[0].variant)}" if len({group_of(each.variant) for each in told}) > 1 else ""
    first, last = best_with(compared, 1), best_with(compared, most)
    turned = [labels[each.variant] for each in compared if each.difference_K[0] * each.difference_K[most - 1] < 0]
    parts = []
    if first is not last:
        parts.append(
            f"with one draw {labels[first.variant]} is expected to be best, with {most} {labels[last.variant]}"
        )
    if turned:
        who = joined(turned) if len(turned) <= 3 else plural(len(turned), "variant")
        parts.append(f"{who} {'changes' if len(turned) == 1 else 'change'} sides with plain SGD")
    return f"The order{of} depends on how many configurations are tried: {'; '.join(parts)}." if parts else ""
