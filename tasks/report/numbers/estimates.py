"""Every number of a report, computed once: a tidy table of scores and one of the techniques' effects.

The page, the charts and the exported files all read these two tables, so that they cannot disagree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from tasks.report.numbers.intervals import Difference, Estimate, simultaneous
from tasks.report.numbers.metrics import METRICS, Metric
from tasks.report.numbers.resamples import RESAMPLES
from tasks.report.numbers.results import Results
from tasks.report.numbers.scored import ScoredPieces, studies_in
from tasks.report.numbers.statistics import Bootstrap
from tasks.report.numbers.trial_counts import TrialsOf
from tasks.report.numbers.variant_titles import (
    Variant,
    is_baseline,
    is_estimated,
    plain_of,
    subset_order,
    technique_pairs,
    techniques_told,
)
from tasks.report.numbers.verdicts import ENOUGH_STUDIES, replicated_verdict

SCORE_COLUMNS = (
    *("corpus", "kind", "variant", "metric", "unit", "higher_is_better", "mean", "low", "high"),
    *("sim_low", "sim_high", "estimated"),
    *("n_pieces", "n_studies", "n_seeds", "studies_asked", "seeds_asked"),
    *("seeds_diverged", "seeds_untrained", "seeds_failed"),
    *("search_asked", "search_ended", "held_back", "search_gap"),
    *("reference", "difference", "diff_low", "diff_high", "diff_sim_low", "diff_sim_high"),
    *("diff_studies", "diff_seeds", "diff_dropped", "diff_study_sd", "diff_piece_se"),
    *("tied_with_best", "tied_in_family"),
)
EFFECT_COLUMNS = (
    *("corpus", "metric", "technique", "effect", "low", "high", "sim_low", "sim_high"),
    *("n_pairs", "pairs_asked", "pairs", "fewest_studies", "most_studies", "fewest_seeds", "most_seeds"),
)
_Compared = list[tuple[dict[str, Any], Estimate]]
"""Rows of a table, each with the estimate that it tells of."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """The two tables.

    Attributes:
        scores: one row for each (corpus, variant, metric), columns `SCORE_COLUMNS`. Within a metric the best mean comes
            first, then variants without a score, then baselines. A difference is to the plain variant of the same core
            and output model; positive is better. `sim_low` and `sim_high` hold at once for the means of all variants of
            the corpus and metric, `diff_sim_low` and `diff_sim_high` for all differences. `estimated`: by annealed
            importance sampling; the intervals include its error. `tied_with_best`: the paired difference to the best
            variant cannot be told from zero, by intervals that hold for all others at once, or by one study;
            `tied_in_family`: the same, to the best of the same core and output model. `held_back`: the search is not
            whole (with several studies: in none of them), so nothing was chosen and there are no final trials.
            `search_gap`: how much better, on validation and in the metric's unit, the best configuration of the search
            is than the second best; the median of the studies.
        effects: one row for each (corpus, metric, technique), columns `EFFECT_COLUMNS`. `pairs` holds a tuple (without,
            with, difference) for each pair that was compared; `fewest_seeds`, `most_studies` and so on belong to a
            pair. `sim_low` and `sim_high` hold at once for all effects of several studies on the first metrics of all
            corpora; for any other metric, for its own effects.
        resamples: number of bootstrap resamples.
        seed: names the random numbers.
    """

    scores: pd.DataFrame
    effects: pd.DataFrame
    resamples: int
    seed: int

    def primary(self, corpus: str) -> pd.DataFrame:
        """The rows of the first metric of a corpus."""
        return self._primary[corpus]

    @cached_property
    def _primary(self) -> dict[str, pd.DataFrame]:
        first = {kind: metrics[0].name for kind, metrics in METRICS.items()}
        rows = self.scores[self.scores["metric"] == self.scores["kind"].map(first)]
        return {str(corpus): mine for corpus, mine in rows.groupby("corpus", sort=False)}

    def primary_effects(self, corpus: str) -> pd.DataFrame:
        """The effects of the techniques on the first metric of a corpus."""
        name = self.primary(corpus)["metric"].iloc[0]
        return self.effects[(self.effects["corpus"] == corpus) & (self.effects["metric"] == name)]


def estimate(results: Results, resamples: int = RESAMPLES) -> Estimates:
    """Compute both tables for all corpora of a campaign."""
    seed = int(results.campaign.get("seed") or 0)
    scores: list[dict[str, Any]] = []
    effects: list[dict[str, Any]] = []
    main: _Compared = []
    told = techniques_told(variant for name in results.corpora for variant in results.variants(name))
    for name, facts in results.corpora.items():
        pieces = results.pieces[results.pieces["corpus"] == name]
        scored = ScoredPieces.from_frame(pieces)
        bootstrap = Bootstrap(scored, name, seed, resamples)
        variants = results.variants(name)
        baselines = sorted({variant for variant, _, _ in scored.trials if is_baseline(variant)})
        trials = TrialsOf(results, name)
        counts = {variant: trials.counts(variant) for variant in (*variants, *baselines)}
        for metric in METRICS[facts["kind"]]:
            common = {"corpus": name, "metric": metric.name}
            rows = _score_rows(bootstrap, scored, metric, (*variants, *baselines))
            _mark_ties(bootstrap, metric, rows)
            for row in sorted(rows, key=lambda row: _rank(metric, row)):
                gap = {"search_gap": trials.search_gap(row["variant"], metric)}
                scores.append(common | {"kind": facts["kind"]} | counts[row["variant"]] | gap | row)
            made = [(common | row, effect) for row, effect in _effects(bootstrap, metric, variants, told)]
            effects += [row for row, _ in made]
            if metric is METRICS[facts["kind"]][0]:
                main += made
            else:
                _hold_effects_at_once(made)
    _hold_effects_at_once(main)
    return Estimates(
        pd.DataFrame(scores, columns=list(SCORE_COLUMNS)),
        pd.DataFrame(effects, columns=list(EFFECT_COLUMNS)),
        resamples,
        seed,
    )


def _hold_at_once(family: _Compared, prefix: str, worded: list[bool]) -> None:
    """Give the rows of a family of comparisons their simultaneous intervals."""
    ends = simultaneous([made for _, made in family], worded)
    for (row, _), (low, high) in zip(family, ends, strict=True):
        row |= {f"{prefix}_low": low, f"{prefix}_high": high}


def _hold_effects_at_once(family: _Compared) -> None:
    _hold_at_once(family, "sim", [row["fewest_studies"] >= ENOUGH_STUDIES for row, _ in family])


def _score_rows(
    bootstrap: Bootstrap, scored: ScoredPieces, metric: Metric, variants: Iterable[str]
) -> list[dict[str, Any]]:
    compared: _Compared = []
    valued: _Compared = []
    for variant in variants:
        reference = "" if is_baseline(variant) or variant == plain_of(variant) else plain_of(variant)
        difference = bootstrap.difference(metric, variant, reference) if reference else Difference()
        value, places = bootstrap.value(metric, variant), scored.places(variant)
        row = {
            "variant": variant,
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
            "mean": value.value,
            "low": value.low,
            "high": value.high,
            "estimated": metric.column == "log_likelihood" and is_estimated(variant),
            "n_pieces": len(scored.steps_Q),
            "n_studies": studies_in(places),
            "n_seeds": len(places),
            "reference": reference,
            "difference": difference.value,
            "diff_low": difference.low,
            "diff_high": difference.high,
            "diff_studies": difference.studies,
            "diff_seeds": difference.seeds,
            "diff_dropped": difference.dropped,
            "diff_study_sd": difference.study_sd,
            "diff_piece_se": difference.piece_se,
        }
        compared.append((row, difference))
        valued.append((row, value))
    _hold_at_once(valued, "sim", [row["n_studies"] >= ENOUGH_STUDIES for row, _ in valued])
    _hold_at_once(compared, "diff_sim", [row["diff_studies"] >= ENOUGH_STUDIES for row, _ in compared])
    return [row for row, _ in compared]


def _mark_ties(bootstrap: Bootstrap, metric: Metric, rows: list[dict[str, Any]]) -> None:
    """Mark what cannot be told apart from the best of all, and from the best of its core and output model."""
    for row in rows:
        row["tied_with_best"] = row["tied_in_family"] = False
    ranked = [row for row in sorted(rows, key=lambda row: _rank(metric, row)) if _is_scored_variant(row)]
    by_family: dict[str, list[dict[str, Any]]] = {}
    for row in ranked:
        by_family.setdefault(Variant.parse(row["variant"]).family, []).append(row)
    for name, group in (("tied_with_best", ranked), *(("tied_in_family", each) for each in by_family.values())):
        behind = [bootstrap.difference(metric, group[0]["variant"], row["variant"]) for row in group[1:]]
        at_once = simultaneous(behind, [gap.studies >= ENOUGH_STUDIES for gap in behind])
        for row, gap, ends in zip(group[1:], behind, at_once, strict=True):
            row[name] = replicated_verdict(gap.studies, *ends) not in ("better", "worse")
        for row in group[:1]:
            row[name] = True


def _is_scored_variant(row: dict[str, Any]) -> bool:
    return not is_baseline(row["variant"]) and pd.notna(row["mean"])


def _rank(metric: Metric, row: dict[str, Any]) -> tuple[bool, bool, float, tuple[int, list[int], str]]:
    unscored = bool(pd.isna(row["mean"]))
    value = 0.0 if unscored else -metric.sign * row["mean"]
    return is_baseline(row["variant"]), unscored, value, subset_order(row["variant"])


def _effects(bootstrap: Bootstrap, metric: Metric, variants: tuple[str, ...], letters: Iterable[str]) -> _Compared:
    compared: _Compared = []
    for letter in letters:
        asked = technique_pairs(variants, letter)
        effect = bootstrap.effect(metric, asked)
        row = {
            "technique": letter,
            "effect": effect.value,
            "low": effect.low,
            "high": effect.high,
            "n_pairs": len(effect.pairs),
            "pairs_asked": len(asked),
            "pairs": effect.pairs,
            "fewest_studies": min(effect.studies, default=0),
            "most_studies": max(effect.studies, default=0),
            "fewest_seeds": min(effect.seeds, default=0),
            "most_seeds": max(effect.seeds, default=0),
        }
        compared.append((row, effect))
    return compared
