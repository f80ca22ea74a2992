"""Every number of a report, computed once: a tidy table of scores and one of the techniques' effects.

The page, the charts and the exported files all read these two tables, so that they cannot disagree.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tasks.report.metrics import METRICS, Metric
from tasks.report.results import Results
from tasks.report.statistics import RESAMPLES, Bootstrap, Difference, ScoredPieces
from tasks.report.variants import (
    Variant,
    is_baseline,
    is_estimated,
    plain_of,
    subset_order,
    technique_pairs,
    techniques_told,
)

SCORE_COLUMNS = (
    *("corpus", "kind", "variant", "metric", "unit", "higher_is_better", "mean", "low", "high", "estimated"),
    *("n_pieces", "n_seeds", "seeds_asked", "seeds_diverged", "seeds_untrained", "seeds_failed"),
    *("search_asked", "search_ended", "held_back", "search_gap"),
    *("reference", "difference", "diff_low", "diff_high", "diff_seeds", "diff_dropped"),
    *("tied_with_best", "tied_in_family"),
)
EFFECT_COLUMNS = (
    *("corpus", "metric", "technique", "effect", "low", "high", "n_pairs", "pairs_asked", "pairs"),
    *("fewest_seeds", "most_seeds"),
)


@dataclass(frozen=True, eq=False)
class Estimates:
    """The two tables.

    Attributes:
        scores: a row a (corpus, variant, metric), columns `SCORE_COLUMNS`. Within a metric the best mean comes
            first, variants without a score follow, baselines are last. A difference is to the plain variant of
            the same core and output model, positive is better. `estimated`: by annealed importance sampling, whose
            error the intervals include. `tied_with_best`: the interval of the paired
            difference to the best variant does not exclude zero; `tied_in_family`: that to the best of the same core
            and output model. `held_back`: the search is not whole, and so nothing was chosen and there are no final
            trials. `search_gap`: how much better, on validation and in the metric's unit, the best configuration of the
            search is than the second best.
        effects: a row a (corpus, metric, technique), columns `EFFECT_COLUMNS`; `pairs` holds a tuple
            (without, with, difference) for each pair that was compared; `fewest_seeds` and `most_seeds` are of a pair.
        resamples: number of bootstrap resamples.
        seed: that named the random numbers.
    """

    scores: pd.DataFrame
    effects: pd.DataFrame
    resamples: int
    seed: int

    def primary(self, corpus: str) -> pd.DataFrame:
        """The rows of the first metric of a corpus."""
        rows = self.scores[self.scores["corpus"] == corpus]
        return rows[rows["metric"] == METRICS[rows["kind"].iloc[0]][0].name]

    def primary_effects(self, corpus: str) -> pd.DataFrame:
        """The effects of the techniques on the first metric of a corpus."""
        name = self.primary(corpus)["metric"].iloc[0]
        return self.effects[(self.effects["corpus"] == corpus) & (self.effects["metric"] == name)]


def estimate(results: Results, resamples: int = RESAMPLES) -> Estimates:
    """Compute both tables for all corpora of a campaign."""
    seed = int(results.campaign.get("seed") or 0)
    scores: list[dict[str, Any]] = []
    effects: list[dict[str, Any]] = []
    told = techniques_told(variant for name in results.corpora for variant in results.variants(name))
    for name, facts in results.corpora.items():
        pieces = results.pieces[results.pieces["corpus"] == name]
        scored = ScoredPieces.from_frame(pieces)
        bootstrap = Bootstrap(scored, name, seed, resamples)
        variants = results.variants(name)
        baselines = sorted({variant for variant, _ in scored.trials if is_baseline(variant)})
        trials = _trials_of(results, name)
        counts = {variant: _trial_counts(results, trials, variant) for variant in (*variants, *baselines)}
        for metric in METRICS[facts["kind"]]:
            common = {"corpus": name, "metric": metric.name}
            rows = [_score_row(bootstrap, scored, metric, variant) for variant in (*variants, *baselines)]
            _mark_ties(bootstrap, metric, rows)
            for row in sorted(rows, key=lambda row: _rank(metric, row)):
                gap = {"search_gap": _search_gap(trials, row["variant"], metric)}
                scores.append(common | {"kind": facts["kind"]} | counts[row["variant"]] | gap | row)
            effects += [common | _effect_row(bootstrap, metric, variants, letter) for letter in told]
    return Estimates(
        pd.DataFrame(scores, columns=list(SCORE_COLUMNS)),
        pd.DataFrame(effects, columns=list(EFFECT_COLUMNS)),
        resamples,
        seed,
    )


def _score_row(bootstrap: Bootstrap, scored: ScoredPieces, metric: Metric, variant: str) -> dict[str, Any]:
    value = bootstrap.value(metric, variant)
    reference = "" if is_baseline(variant) or variant == plain_of(variant) else plain_of(variant)
    difference = bootstrap.difference(metric, variant, reference) if reference else Difference()
    return {
        "variant": variant,
        "unit": metric.unit,
        "higher_is_better": metric.higher_is_better,
        "mean": value.value,
        "low": value.low,
        "high": value.high,
        "estimated": metric.column == "log_likelihood" and is_estimated(variant),
        "n_pieces": len(scored.steps_P),
        "n_seeds": len(scored.seeds(variant)),
        "reference": reference,
        "difference": difference.value,
        "diff_low": difference.low,
        "diff_high": difference.high,
        "diff_seeds": difference.seeds,
        "diff_dropped": difference.dropped,
    }


def _mark_ties(bootstrap: Bootstrap, metric: Metric, rows: list[dict[str, Any]]) -> None:
    ranked = [row for row in sorted(rows, key=lambda row: _rank(metric, row)) if _is_scored_variant(row)]
    best_of_family: dict[str, dict[str, Any]] = {}
    for row in ranked:
        best_of_family.setdefault(Variant.parse(row["variant"]).family, row)
    for row in rows:
        row["tied_with_best"] = row["tied_in_family"] = False
    for row in ranked:
        for name, best in (
            ("tied_with_best", ranked[0]),
            ("tied_in_family", best_of_family[Variant.parse(row["variant"]).family]),
        ):
            row[name] = row is best or not bootstrap.difference(metric, best["variant"], row["variant"]).decided


def _is_scored_variant(row: dict[str, Any]) -> bool:
    return not is_baseline(row["variant"]) and pd.notna(row["mean"])


def _rank(metric: Metric, row: dict[str, Any]) -> tuple[bool, bool, float, tuple[int, list[int], str]]:
    unscored = bool(pd.isna(row["mean"]))
    value = 0.0 if unscored else -metric.sign * row["mean"]
    return is_baseline(row["variant"]), unscored, value, subset_order(row["variant"])


def _trials_of(results: Results, corpus: str) -> Mapping[tuple[str, str], pd.DataFrame]:
    """How the trials of a corpus ended, columns status and valid, by variant and purpose; empty where there is none."""
    mine = results.trials.loc[results.trials["corpus"] == corpus, ["variant", "purpose", "status", "valid"]]
    found = {(str(v), str(p)): rows[["status", "valid"]] for (v, p), rows in mine.groupby(["variant", "purpose"])}
    return defaultdict(lambda: mine[["status", "valid"]].head(0), found)


def _trial_counts(
    results: Results, trials: Mapping[tuple[str, str], pd.DataFrame], variant: str
) -> dict[str, int | bool]:
    """How the trials of a variant ended: what diverged or never learned has ended, what failed has not."""
    if is_baseline(variant):
        lost = dict.fromkeys(("seeds_diverged", "seeds_untrained", "seeds_failed"), 0)
        return {"seeds_asked": 1} | lost | {"search_asked": 0, "search_ended": 0, "held_back": False}
    search, finals = (trials[variant, purpose]["status"] for purpose in ("search", "final"))
    search_asked = max(len(search), int(results.campaign.get("trials_per_variant") or 0))
    search_ended = int((search != "failed").sum())
    held_back = search_ended < search_asked and finals.empty
    return {
        "seeds_asked": 0 if held_back else max(len(finals), int(results.campaign.get("seeds") or 0)),
        "seeds_diverged": int((finals == "diverged").sum()),
        "seeds_untrained": int((finals == "untrained").sum()),
        "seeds_failed": int((finals == "failed").sum()),
        "search_asked": search_asked,
        "search_ended": search_ended,
        "held_back": held_back,
    }


def _search_gap(trials: Mapping[tuple[str, str], pd.DataFrame], variant: str, metric: Metric) -> float:
    """From the best configuration of a search to the second best; NaN where two did not complete, or none tells it."""
    if metric.column != "log_likelihood":
        return float("nan")
    mine = trials[variant, "search"]
    valid = np.sort(mine.loc[mine["status"] == "completed", "valid"].to_numpy(np.float64))
    if len(valid) < 2:
        return float("nan")
    second, best = metric.link(valid[-2:])
    return float(metric.sign * (best - second))


def _effect_row(bootstrap: Bootstrap, metric: Metric, variants: tuple[str, ...], letter: str) -> dict[str, Any]:
    asked = technique_pairs(variants, letter)
    effect = bootstrap.effect(metric, asked)
    return {
        "technique": letter,
        "effect": effect.value,
        "low": effect.low,
        "high": effect.high,
        "n_pairs": len(effect.pairs),
        "pairs_asked": len(asked),
        "pairs": effect.pairs,
        "fewest_seeds": min(effect.seeds, default=0),
        "most_seeds": max(effect.seeds, default=0),
    }
