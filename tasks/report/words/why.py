"""Why a technique helps or not: the diagnostics of each variant's networks, summarised over its seeds.

The networks are those of completed final trials, with their best weights, and beside them the initial networks.
`models/evaluation/diagnostics.py` defines the diagnostics. Nothing is drawn here (`charts/why.py`), and no interval is
estimated: low and high are the lowest and the highest seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from tasks.report.numbers.formatting import NOTHING, number, percent, share_left, significant
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import TECHNIQUES, Variant, main_variants, plain_of, short_labels, subset_order
from tasks.report.words.tables import Table

SMALLEST = 1e-12
"""A smaller share of a gradient is drawn and averaged as this value; float32 has little precision below."""
TOLD_LAGS = (10, 50)
MOMENTS = ("start", "best")


@dataclass(frozen=True)
class Spread:
    """A number a lag: mean over the seeds, lowest and highest."""

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class VariantDiagnosis:
    """The diagnostics of a variant on a corpus; shares and ratios in 0..1, NaN if there are none.

    Attributes:
        corpus, variant: whose they are.
        seeds: number of trials.
        gradient_left: by moment, |dL_t/dh_{t-k}| / |dL_t/dh_t| for k = 0, 1, ...; the mean is the geometric mean.
        spectral_radius: by moment, of the recurrent matrix; empty for cores with gates.
        zero_states, zero_gradients: of the best weights.
        time_constants: steps, of every leaking unit of every seed.
        clipped_share: by epoch from 1, over the seeds that reached it; empty without an update.
        update_ratio: |update| / |parameters|, over epochs and seeds.
    """

    corpus: str
    variant: str
    seeds: int
    gradient_left: Mapping[str, Spread]
    spectral_radius: Mapping[str, float]
    zero_states: float
    zero_gradients: float
    time_constants: tuple[float, ...]
    clipped_share: tuple[float, ...]
    update_ratio: float

    def to_json(self) -> dict[str, Any]:
        """As JSON values; of the time constants the shortest, the median and the longest."""
        return asdict(self) | {"time_constants": np.quantile(self.time_constants or (np.nan,), (0, 0.5, 1)).tolist()}


def diagnoses_of(results: Results, corpus: str) -> list[VariantDiagnosis]:
    """The diagnostics of the variants of a corpus that have any, fewer techniques first."""
    trials, numbers, curves = (
        frame[frame["corpus"] == corpus] for frame in (results.trials, results.diagnostics, results.curves)
    )
    completed = trials.loc[(trials["purpose"] == "final") & (trials["status"] == "completed"), "key"]
    numbers, curves = (frame[frame["key"].isin(completed)] for frame in (numbers, curves))
    return diagnoses(corpus, numbers, curves)


def diagnoses(corpus: str, numbers: pd.DataFrame, curves: pd.DataFrame) -> list[VariantDiagnosis]:
    """The same of trials that completed.

    Args:
        corpus: whose.
        numbers: `diagnostics` of the trials, columns as in `Results`.
        curves: theirs.
    """
    # without the columns that are the same in all rows of a group: copying them takes longest
    numbers = numbers[["key", "variant", "quantity", "moment", "index", "value"]]
    grouped = {str(variant): mine for variant, mine in numbers.groupby("variant")}
    return [
        _diagnosis(corpus, variant, grouped[variant], curves[curves["variant"] == variant])
        for variant in sorted(grouped, key=subset_order)
    ]


def _diagnosis(corpus: str, variant: str, numbers: pd.DataFrame, curves: pd.DataFrame) -> VariantDiagnosis:
    of = {(str(q), str(m)): rows for (q, m), rows in numbers.groupby(["quantity", "moment"])}
    radii = {moment: float(of["spectral_radius", moment]["value"].mean()) for moment in MOMENTS
             if ("spectral_radius", moment) in of}  # fmt: skip
    trained = curves[curves["epoch"] > 0]
    constants = of.get(("time_constant", "start"), numbers.head(0))["value"]
    return VariantDiagnosis(
        corpus=corpus,
        variant=variant,
        seeds=int(numbers["key"].nunique()),
        gradient_left={moment: _left(of["gradient_norm", moment]) for moment in MOMENTS},
        spectral_radius=radii,
        zero_states=float(of["zero_states", "best"]["value"].mean()),
        zero_gradients=float(of["zero_gradients", "best"]["value"].mean()),
        time_constants=tuple(sorted(map(float, constants))),
        clipped_share=tuple(trained.groupby("epoch")["clipped_share"].mean()),
        update_ratio=float(trained["update_ratio"].mean()),
    )


def _left(norms: pd.DataFrame) -> Spread:
    """The gradient that is left at each lag; values that overflowed are left out."""
    values = norms.pivot(index="key", columns="index", values="value").to_numpy(np.float64)
    with np.errstate(all="ignore"):
        logs = np.log(np.maximum(values / values[:, :1], SMALLEST))
    logs = np.where(np.isfinite(logs), logs, np.nan)
    kept = logs[:, : int(np.isfinite(logs).any(axis=0).cumprod().sum())]
    spreads = (np.nanmean(kept, axis=0), np.nanmin(kept, axis=0), np.nanmax(kept, axis=0))
    return Spread(*(tuple(np.exp(each).tolist()) for each in spreads))


def shown_variants(told: Sequence[VariantDiagnosis], best: str | None) -> list[str]:
    """The variants that are drawn beside plain SGD: of each technique the smallest that has it, and the best of all.

    A technique is shown in the main family with SGD: another optimizer or core would show its own work too.
    """
    main = sorted(main_variants(each.variant for each in told), key=subset_order)
    chosen = [next((name for name in main if letter in Variant.parse(name).techniques), None) for letter in TECHNIQUES]
    measured = {each.variant for each in told}
    shown = [name for name in (*chosen, best) if name in measured and name != plain_of(name)]
    return sorted(dict.fromkeys(shown), key=subset_order)


def reach_sentence(told: Sequence[VariantDiagnosis]) -> str:
    """How much of the gradient is left in plain SGD, and where the most and the least is; "" without a longer lag.

    Of the main family with SGD alone, so that what differs is techniques.
    """
    lag = TOLD_LAGS[0]
    left = {each.variant: each.gradient_left["best"].mean for each in told}
    reach = {variant: left[variant][lag] for variant in main_variants(left) if len(left[variant]) > lag}
    plain = next((variant for variant in reach if variant == plain_of(variant)), None)
    if plain is None:
        return ""
    labels, told_of = short_labels(left), {v: share_left(x, SMALLEST).replace(" ", "\u00a0") for v, x in reach.items()}
    sentence = f"After {lag} steps {told_of[plain]} of the gradient is left in {labels[plain]}"
    others = sorted((variant for variant in reach if variant != plain), key=reach.__getitem__)
    ends = [("the least", others[0]), ("the most", others[-1])] if len(others) > 1 else []
    return ", ".join([sentence, *(f"{word} in {labels[variant]} ({told_of[variant]})" for word, variant in ends)]) + "."


def why_table(told: Sequence[VariantDiagnosis]) -> Table:
    """Every variant with its numbers; numbers measured at the start and at the best weights have both."""
    labels = short_labels(each.variant for each in told)
    columns = (
        *("variant", *(f"gradient left after {lag} steps" for lag in TOLD_LAGS), "spectral radius, start → best"),
        *("zero states", "zero gradients", "time constants, steps", "clipped updates", "update / weights"),
    )
    rows = []
    for each in told:
        left = each.gradient_left["best"].mean
        radius = [number(each.spectral_radius.get(moment), 2) for moment in MOMENTS]
        clipped = float(np.mean(each.clipped_share)) if each.clipped_share else float("nan")
        rows.append(
            (
                labels[each.variant],
                *(share_left(left[lag] if lag < len(left) else None, SMALLEST) for lag in TOLD_LAGS),
                " → ".join(radius) if each.spectral_radius else NOTHING,
                percent(each.zero_states),
                percent(each.zero_gradients),
                _range(each.time_constants),
                percent(clipped) if "C" in Variant.parse(each.variant).techniques else NOTHING,
                significant(each.update_ratio, 2),
            )
        )
    return Table(columns, tuple(rows), tuple(each.variant for each in told))


def _range(constants: Sequence[float]) -> str:
    if not constants:
        return NOTHING
    return f"{significant(constants[0], 2)} to {significant(constants[-1], 2)}"
