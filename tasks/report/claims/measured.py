"""The evidence that claims are judged by, taken from the tables of a report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tasks.report.claims.claim import OF_VERDICT, Evidence, Said
from tasks.report.claims.contrasts import Contrast, contrasts_of
from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.formatting import plural, replicates_of
from tasks.report.numbers.metrics import METRICS, Metric
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import PLAIN, Variant, is_baseline
from tasks.report.numbers.verdicts import difference_verdict, effect_verdict
from tasks.report.training.ease import Ease
from tasks.report.training.measures import MEASURES, Row

TEXT = frozenset(("characters", "words"))
TOGETHER = ("CL", "CR", "CLR", "CRM", "CLRM")
"""Sets of techniques: those of the rows of the paper's tables that have several, and all four."""
_EASE = {
    "epochs": "times the epochs to the same validation score",
    "diverged": "draws that diverge, points of percent",
    "trained": "draws that train, points of percent",
}


@dataclass(frozen=True, eq=False)
class Measured:
    """The tables of a report, and the rows of evidence that they give.

    Attributes:
        results, estimates, ease: as in `Findings`.
    """

    results: Results
    estimates: Estimates
    ease: Ease

    @cached_property
    def contrasts(self) -> tuple[Contrast, ...]:
        """Differences between variants, other than the differences to plain SGD."""
        return contrasts_of(self.results, self.estimates)

    def corpora(self, *, text: bool | None = None) -> Iterator[tuple[str, Metric]]:
        """The corpora with their first metrics: those of text, those of music, or (None) all, synthetic tasks too."""
        for name, facts in self.results.corpora.items():
            if text is None or (facts["kind"] in TEXT if text else facts["kind"] == "music"):
                yield name, METRICS[facts["kind"]][0]

    def effect(self, letter: str) -> tuple[Evidence, ...]:
        """The effect of a technique on the test score, for each corpus; the mean over pairs of variants."""
        rows = []
        for corpus, metric in self.corpora():
            effects = self.estimates.primary_effects(corpus)
            for row in effects[(effects["technique"] == letter) & (effects["n_pairs"] > 0)].to_dict("records"):
                basis = f"{plural(row['n_pairs'], 'pair')}, {replicates_of(row)}"
                said = OF_VERDICT.get(effect_verdict(row, metric.decimals), "unclear")
                rows.append(_test_score(corpus, metric, letter, row, ("effect", "sim_"), basis, "effects", said))
        return tuple(rows)

    def easier(self, letter: str, measure: str) -> tuple[Evidence, ...]:
        """The effect of a technique on a measure of ease, for each corpus."""
        judged = [row for row in self.ease.techniques if row["verdict"]]
        rows = [row for row in judged if (row["technique"], row["measure"]) == (letter, measure)]
        return tuple(_ease(row, letter, "ease.techniques") for row in rows)

    def together_score(self, *, text: bool) -> tuple[Evidence, ...]:
        """The difference of test score to plain SGD of variants with several techniques, on music or on text."""
        rows = []
        for corpus, metric in self.corpora(text=text):
            for row in self.estimates.primary(corpus).to_dict("records"):
                if is_together(row["variant"]) and row["diff_seeds"]:
                    said = OF_VERDICT.get(difference_verdict(row, metric.decimals), "unclear")
                    columns = "difference", "diff_sim_"
                    basis = _replicated(row["diff_studies"], row["diff_seeds"])
                    rows.append(_test_score(corpus, metric, row["variant"], row, columns, basis, "scores", said))
        return tuple(rows)

    def together_sooner(self) -> tuple[Evidence, ...]:
        """The epochs of variants with several techniques, as a multiple of those of plain SGD."""
        rows = [row for row in self.ease.variants if is_together(row["variant"]) and row["verdict"]]
        return tuple(_ease(row, row["variant"], "ease.variants") for row in rows)


def is_together(variant: str) -> bool:
    """Whether a variant is plain SGD with one of the sets of several techniques in `TOGETHER`."""
    parts = Variant.parse(variant)
    return not is_baseline(variant) and parts.optimizer == PLAIN and parts.techniques in TOGETHER


def _replicated(studies: int, seeds: int) -> str:
    return plural(studies, "study", "studies") if studies > 1 else plural(seeds, "seed")


def _test_score(
    corpus: str, metric: Metric, who: str, row: Mapping[str, Any], columns: tuple[str, str],
    basis: str, table: str, said: Said,
) -> Evidence:  # fmt: skip
    value, ends = columns
    what, (low, high) = f"{who}, test score ({metric.measure})", (row[f"{ends}low"], row[f"{ends}high"])
    return Evidence(corpus, what, row[value], low, high, metric.decimals, basis, table, said)


def _ease(row: Row, who: str, table: str) -> Evidence:
    measure = MEASURES[row["measure"]]
    times = measure.unit == "times"
    basis = _replicated(row["most_studies"], row["most_seeds"]) if times else plural(row["most_seeds"], "draw")
    basis = f"{plural(row['n_pairs'], 'pair')}, {basis}" if row["n_pairs"] > 1 else basis
    said = OF_VERDICT.get(row["verdict"], "unclear")
    what, ends = f"{who}, {_EASE[row['measure']]}", (row["sim_low"], row["sim_high"])
    return Evidence(row["corpus"], what, row["value"], *ends, measure.decimals, basis, table, said, times)
