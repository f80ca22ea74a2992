"""Which hyper-parameters mattered in the search: how much of the order of the draws each one explains by itself.

The draws of each variant are ranked by their score (`tuning.draw_score`). A numerical hyper-parameter explains the part
of the variance of these ranks that a parabola in the rank of its value explains; a parabola, since the best value is
often in the middle. A hyper-parameter with names or few values explains the part of the means of its values. The part
is corrected for what p parameters fitted to N draws explain by chance,

    1 - (1 - R^2) (N - 1) / (N - p - 1)

so for a hyper-parameter without an influence it is 0 in the mean, and may be negative.

What this does not do: describe the joint effect of two hyper-parameters, or separate cause from luck with few draws.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tasks.report.numbers.closed_forms import NAN
from tasks.report.numbers.formatting import count, number, percent
from tasks.report.numbers.metrics import FloatArray
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import is_baseline, letter_order
from tasks.report.training.measures import Row
from tasks.report.training.tuning import draw_score
from tasks.report.words.tables import Table

_FEW = 4
"""Numbers with at most so many different values are treated as names."""
_OWN = ("learning_rate", "hidden_size", "activation")


def mattering_rows(results: Results, corpus: str) -> list[Row]:
    """A row a variant and hyper-parameter that was drawn: `explained`, and of numbers Spearman's `rank_correlation`."""
    search = results.ended_draws(corpus)
    counting, rows = float(results.corpora[corpus]["counting"]), []
    for variant, draws in search.groupby("variant", sort=False):
        if is_baseline(str(variant)):
            continue
        score_N = draw_score(draws["valid_first"], counting)
        for name, values in _drawn(draws).items():
            told = {"explained": explained(values, score_N), "rank_correlation": _rank_correlation(values, score_N)}
            rows.append(
                {"corpus": corpus, "variant": str(variant), "hyper_parameter": name, "draws": len(values)} | told
            )
    return rows


def _drawn(draws: pd.DataFrame) -> dict[str, list[Any]]:
    """The hyper-parameters of a variant that have several values, of each those of all draws: `C: threshold`."""
    columns = {name.replace("_", " "): draws[name].tolist() for name in _OWN if draws[name].notna().all()}
    techniques: list[Mapping[str, Mapping[str, Any]]] = draws["techniques"].tolist()
    for letter, name in dict.fromkeys((k, n) for each in techniques for k, values in each.items() for n in values):
        values = [each.get(letter, {}).get(name) for each in techniques]
        columns[f"{letter}: {name.replace('_', ' ')}"] = [tuple(v) if isinstance(v, list) else v for v in values]
    return {name: values for name, values in columns.items() if len(set(values)) > 1}


def explained(values: list[Any], score_N: FloatArray) -> float:
    """The corrected part of the variance of the scores' ranks that a hyper-parameter explains, at most 1; see the file.

    Args:
        values: of the hyper-parameter, one for each draw.
        score_N: the scores of the draws.

    Returns:
        The part, without a unit; NaN if there are too few draws, or if all scores are equal.
    """
    rank_N = pd.Series(score_N).rank().to_numpy(np.float64)
    distinct = len(set(values))
    if _is_of_numbers(values) and distinct > _FEW:
        x_N = pd.Series(values).rank().to_numpy(np.float64)
        x_N = (x_N - x_N.mean()) / x_N.std()
        design_NP = np.stack([np.ones_like(x_N), x_N, x_N**2], axis=1)
    else:
        codes_N, _ = pd.factorize(pd.Series(values, dtype=object).map(repr))
        design_NP = np.eye(distinct)[codes_N]
    free = len(rank_N) - design_NP.shape[1]
    spread = float(((rank_N - rank_N.mean()) ** 2).sum())
    if free < 1 or spread == 0:
        return NAN
    fit, *_ = np.linalg.lstsq(design_NP, rank_N, rcond=None)
    left = float(((rank_N - design_NP @ fit) ** 2).sum())
    return float(1 - left / spread * (len(rank_N) - 1) / free)


def _rank_correlation(values: list[Any], score_N: FloatArray) -> float:
    """Spearman's correlation of the ranks of values and scores; NaN for names, and if all scores are equal."""
    if not _is_of_numbers(values) or len(set(score_N.tolist())) < 2:
        return NAN
    return float(np.corrcoef(pd.Series(values).rank(), pd.Series(score_N).rank())[0, 1])


def _is_of_numbers(values: list[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def mattering_table(rows: Sequence[Row]) -> Table:
    """A row a hyper-parameter, the mean over the variants that have it, 0 at least; what explains most comes first."""
    alike: dict[str, list[Row]] = {}
    for row in rows:
        alike.setdefault(row["hyper_parameter"], []).append(row)
    told = []
    for name, mine in alike.items():
        part, correlation = (_mean([row[column] for row in mine]) for column in ("explained", "rank_correlation"))
        draws = sorted({row["draws"] for row in mine})
        many = count(draws[0]) if len(draws) == 1 else f"{draws[0]:,} to {draws[-1]:,}"
        told.append(
            (
                part,
                letter_order(name[0]),
                (name, percent(max(0.0, part)), number(correlation, 2), count(len(mine)), many),
            )
        )
    told.sort(key=lambda row: (-np.nan_to_num(row[0], nan=-1.0), row[1], row[2]))
    heads = ("hyper-parameter", "explains", "rank correlation", "variants", "draws of each")
    return Table(heads, tuple(cells for _, _, cells in told))


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else NAN
