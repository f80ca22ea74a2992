"""A number of each final trial, compared over pairs of variants, with the study as the unit.

x[v, s, k] is the number of variant v in study s at seed k. For each pair (without, with) of a study, the difference
x[with, s, k] - x[without, s, k] is averaged over the seeds that both have; the value of the study is the mean over its
pairs. The interval is Student's t of the studies, at the level at which those of all corpora hold at once (Bonferroni).
Studies that do not differ at all have no interval, since one without a width would be wrong. What this does not do:
know the meaning of the number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.report.claims.claim import OF_VERDICT, Evidence
from tasks.report.numbers.closed_forms import NAN, mean_interval, shared_level
from tasks.report.numbers.formatting import plural
from tasks.report.numbers.intervals import LEVEL
from tasks.report.numbers.verdicts import replicated_verdict

Values = Mapping[str, Mapping[tuple[int, int], float]]
"""By variant, study and seed."""


@dataclass(frozen=True)
class Asked:
    """A comparison.

    Attributes:
        corpus, what: as in `Evidence`.
        decimals: number of printed decimals.
        table: name of the table of `results.json` with the numbers.
        values: the numbers.
        pairs: of variants (without, with).
    """

    corpus: str
    what: str
    decimals: int
    table: str
    values: Values
    pairs: Sequence[tuple[str, str]]


def values_of(trials: pd.DataFrame, numbers: Mapping[str, float]) -> Values:
    """The finite numbers of final trials, given by key, arranged by variant, study and seed."""
    found: dict[str, dict[tuple[int, int], float]] = {}
    finals = trials[(trials["purpose"] == "final") & trials["key"].isin(list(numbers))]
    for key, variant, study, seed in zip(*(finals[c] for c in ("key", "variant", "study", "seed")), strict=True):
        if np.isfinite(numbers[key]):
            found.setdefault(variant, {})[int(study), int(seed)] = numbers[key]
    return found


def compare_by_study(asked: Iterable[Asked]) -> tuple[Evidence, ...]:
    """The evidence of a family of comparisons; positive speaks for the claim. One without a pair gives none."""
    compared = [(each, *_studies(each)) for each in asked]
    there = [(each, studies, pairs) for each, studies, pairs in compared if studies]
    level = shared_level(LEVEL, sum(len(studies) > 1 for _, studies, _ in there))
    rows = []
    for each, studies, pairs in there:
        value, low, high = mean_interval(studies, level)
        if low == high:
            low = high = NAN
        said = OF_VERDICT.get(replicated_verdict(len(studies), low, high, each.decimals), "unclear")
        basis = f"{plural(pairs, 'pair')}, {plural(len(studies), 'study', 'studies')}"
        rows.append(Evidence(each.corpus, each.what, value, low, high, each.decimals, basis, each.table, said))
    return tuple(rows)


def _studies(asked: Asked) -> tuple[list[float], int]:
    """The mean difference of each study, and how many pairs have one."""
    by_study: dict[int, list[float]] = {}
    pairs = 0
    for without, with_it in asked.pairs:
        theirs, mine = asked.values.get(without, {}), asked.values.get(with_it, {})
        both = sorted(theirs.keys() & mine.keys())
        pairs += bool(both)
        for study in sorted({study for study, _ in both}):
            of_it = [mine[place] - theirs[place] for place in both if place[0] == study]
            by_study.setdefault(study, []).append(float(np.mean(of_it)))
    return [float(np.mean(each)) for _, each in sorted(by_study.items())], pairs
