"""How the trials of each variant ended, and how far the best configuration of a search is ahead.

What this does not do: look at a test score.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from tasks.report.numbers.metrics import Metric
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import is_baseline

_TOLD = ["variant", "purpose", "study", "status", "valid", "ended_early"]


class _Study(NamedTuple):
    """A variant in a study: search trials asked for and ended, whether it is held back, and final seeds asked for."""

    asked: int
    ended: int
    held_back: bool
    seeds: int


class TrialsOf:
    """The trials of one corpus."""

    def __init__(self, results: Results, corpus: str) -> None:
        self._studies, self._draws = results.studies, results.draws
        self._seeds = int(results.campaign.get("seeds") or 0)
        mine = results.trials.loc[results.trials["corpus"] == corpus, _TOLD]
        self._none = mine.head(0)
        found = {
            (str(variant), str(purpose)): rows for (variant, purpose), rows in mine.groupby(["variant", "purpose"])
        }
        self._trials = defaultdict(lambda: self._none, found)

    def counts(self, variant: str) -> dict[str, int | bool]:
        """How the trials ended, in all studies; a trial that learned nothing has ended, a failed one has not."""
        if is_baseline(variant):
            asked = {"studies_asked": 1, "seeds_asked": 1, "search_asked": 0, "search_ended": 0, "held_back": False}
            return asked | dict.fromkeys(("seeds_diverged", "seeds_untrained", "seeds_failed"), 0)
        search, finals = (self._by_study(variant, purpose) for purpose in ("search", "final"))
        studies = max([self._studies, *(study + 1 for study in (*search, *finals))])
        each = [self._study(search.get(study, []), finals.get(study, [])) for study in range(studies)]
        ends = self._trials[variant, "final"]["status"].value_counts()
        return {
            "studies_asked": studies,
            "seeds_asked": sum(study.seeds for study in each),
            "seeds_diverged": int(ends.get("diverged", 0)),
            "seeds_untrained": int(ends.get("untrained", 0)),
            "seeds_failed": int(ends.get("failed", 0)),
            "search_asked": sum(study.asked for study in each),
            "search_ended": sum(study.ended for study in each),
            "held_back": all(study.held_back for study in each),
        }

    def search_gap(self, variant: str, metric: Metric) -> float:
        """The difference from the best configuration of a search to the second best; the median of the studies.

        Only configurations that came to the last rung count. NaN if in no study two of them completed, or if the
        metric is not a likelihood.
        """
        if metric.column != "log_likelihood":
            return float("nan")
        search = self._trials[variant, "search"]
        whole = search[(search["status"] == "completed") & ~search["ended_early"].eq(True)]
        gaps = []
        for _, valid in whole.groupby("study")["valid"]:
            if len(valid) > 1:
                second, best = metric.link(np.sort(valid.to_numpy(np.float64))[-2:])
                gaps.append(metric.sign * (best - second))
        return float(np.median(gaps)) if gaps else float("nan")

    def _by_study(self, variant: str, purpose: str) -> dict[int, list[str]]:
        """The statuses of some trials, by their study."""
        rows = self._trials[variant, purpose]
        told: dict[int, list[str]] = {}
        for study, status in zip(rows["study"], rows["status"], strict=True):
            told.setdefault(int(study), []).append(status)
        return told

    def _study(self, search: list[str], finals: list[str]) -> _Study:
        asked, ended = max(len(search), self._draws), sum(status != "failed" for status in search)
        held_back = ended < asked and not finals
        return _Study(asked, ended, held_back, 0 if held_back else max(len(finals), self._seeds))
