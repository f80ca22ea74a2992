"""Damaged parts of a campaign's results: curves, diagnoses and samples that cannot be shown, with the reasons.

A page leaves such a part out, says so, and shows everything else. What this does not do: read a store, where most
damage is noticed earlier (`tasks/telling/readable.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tasks.report.numbers.results import Results, Sampled
from tasks.report.words.why import MOMENTS

CURVE, DIAGNOSIS, SAMPLE = "the curve", "what was measured on the network", "the sample"
_KEY_DIGITS = 12


@dataclass(frozen=True)
class Broken:
    """A part of a final trial that is not shown: whose it is, what it is, and the reason."""

    corpus: str
    variant: str
    key: str
    what: str
    why: str

    @property
    def line(self) -> str:
        """As the page says it: whose, what, and why."""
        return f"{self.variant}: {self.what} of trial {self.key[:_KEY_DIGITS]} is not shown: {self.why}."


def find_broken(results: Results) -> tuple[Broken, ...]:
    """Everything that is broken, curves first."""
    found = _named(results.curves, CURVE, wrong_curves(results.curves))
    found += _named(results.diagnostics, DIAGNOSIS, wrong_diagnoses(results.diagnostics))
    for corpus in results.corpora:
        for variant, sampled in results.samples.get(corpus, {}).items():
            if why := wrong_sample(sampled, results.corpora[corpus]):
                found.append(Broken(corpus, variant, sampled.continuation.key, SAMPLE, why))
    return tuple(found)


def without_broken(results: Results, broken: Sequence[Broken]) -> Results:
    """The results without the curves, diagnoses and samples that are broken."""
    if not broken:
        return results
    curves, numbers, samples = (
        {each.key for each in broken if each.what == what} for what in (CURVE, DIAGNOSIS, SAMPLE)
    )
    kept = {
        corpus: {name: sampled for name, sampled in variants.items() if sampled.continuation.key not in samples}
        for corpus, variants in results.samples.items()
    }
    return replace(
        results,
        curves=results.curves[~results.curves["key"].isin(curves)],
        diagnostics=results.diagnostics[~results.diagnostics["key"].isin(numbers)],
        samples=kept,
    )


def _named(table: pd.DataFrame, what: str, wrong: Mapping[str, str]) -> list[Broken]:
    owners = table.loc[table["key"].isin(list(wrong)), ["corpus", "variant", "key"]].drop_duplicates("key")
    return [Broken(row.corpus, row.variant, row.key, what, wrong[row.key]) for row in owners.itertuples()]


def wrong_curves(curves: pd.DataFrame) -> dict[str, str]:
    """By key, the reason why a curve cannot be drawn. A score that is not finite is no reason: training blew up."""
    shares = curves["clipped_share"]
    return _reasons(
        curves["key"],
        {
            f"of an epoch the {column} is no number": ~(np.isfinite(curves[column]) & curves[column].ge(0))
            for column in ("epoch", "update")
        }
        | {"a share of clipped updates is none": shares.notna() & ~shares.between(0, 1)},
    )


def wrong_diagnoses(numbers: pd.DataFrame) -> dict[str, str]:
    """By key, the reason why the diagnostics of a network cannot be shown. A gradient may overflow."""
    wrong: dict[str, str] = {}
    by_quantity = numbers.groupby(["quantity", "moment"])["key"].agg(set)
    asked = [*(("gradient_norm", moment) for moment in MOMENTS), ("zero_states", "best"), ("zero_gradients", "best")]
    everyone = dict.fromkeys(numbers["key"])
    for quantity, moment in asked:
        there = by_quantity.get((quantity, moment), set())
        wrong |= {key: f"it has no {quantity}" for key in everyone if key not in there}
    lags = numbers[numbers["quantity"] == "gradient_norm"].groupby(["key", "moment"])["index"]
    whole = (lags.min() == 0) & (lags.max() == lags.size() - 1) & (lags.nunique() == lags.size())
    wrong |= dict.fromkeys(
        whole.index[~whole].get_level_values("key"), "a lag of its gradient is missing or there twice"
    )
    is_share, value = numbers["quantity"].isin(["zero_states", "zero_gradients"]), numbers["value"]
    is_time = numbers["quantity"] == "time_constant"
    return wrong | _reasons(
        numbers["key"],
        {
            "a share of zeros is none": is_share & ~value.between(0, 1),
            "a time constant is none": is_time & ~(np.isfinite(value) & value.gt(0)),
        },
    )


def _reasons(keys: pd.Series, wrong: Mapping[str, pd.Series]) -> dict[str, str]:
    return {str(key): why for why, rows in wrong.items() for key in keys[rows].unique()}


def wrong_sample(sampled: Sampled, corpus: Mapping[str, Any]) -> str:
    """The reason why a sample can be neither shown nor played; "" if it can."""
    made = sampled.continuation
    return made.wrong or ("" if made.kind == corpus["kind"] else f"it is of {made.kind}")
