"""The runs of a variant on a corpus, for numbers over several corpora (`strata.py`).

A run is a final trial. A trial that diverged or learned nothing has the score minus infinity. So has each final trial
that a study could not have because no configuration of its complete search was completed. A failed trial is not a run:
the failure of a machine says nothing about a variant. What this does not do: compare variants.
"""

import numpy as np

from tasks.report.numbers.metrics import FloatArray
from tasks.report.numbers.results import Results
from tasks.report.numbers.verdicts import ENOUGH_STUDIES
from tasks.report.over_corpora.scales import Scale

Units = dict[tuple[int, int], FloatArray]
"""The scores of the runs of each unit: (study, 0), or (0, seed) where there is one study."""
_Run = tuple[int, int, float]
"""Study, seed and score."""
_LOST = frozenset(("diverged", "untrained"))


def runs_on(results: Results, scale: Scale) -> dict[str, Units]:
    """The normalised scores of the runs on a corpus, of each variant by unit."""
    found = _lost(results, scale.corpus)
    for variant, study, seed, score in _scored(results, scale):
        found.setdefault(variant, []).append((study, seed, score))
    return {variant: _by_unit(runs, several=results.studies >= ENOUGH_STUDIES) for variant, runs in found.items()}


def _by_unit(runs: list[_Run], *, several: bool) -> Units:
    """The unit is the study; where the campaign has one alone, the seed."""
    units: dict[tuple[int, int], list[float]] = {}
    for study, seed, score in sorted(runs):
        units.setdefault((study, 0) if several else (study, seed), []).append(score)
    return {unit: np.array(scores) for unit, scores in units.items()}


def _scored(results: Results, scale: Scale) -> list[tuple[str, int, int, float]]:
    column = scale.metric.column
    mine = results.pieces[results.pieces["corpus"] == scale.corpus]
    sums = mine.groupby(["variant", "study", "seed"], as_index=False)[["steps", column]].sum()
    scores = scale.normalised((sums[column] / sums["steps"]).to_numpy(np.float64))
    rows = zip(sums["variant"], sums["study"], sums["seed"], scores, strict=True)
    return [(variant, int(study), int(seed), float(score)) for variant, study, seed, score in rows]


def _lost(results: Results, corpus: str) -> dict[str, list[_Run]]:
    """The runs without a score of each variant: diverged, learned nothing, or the whole search had no survivor."""
    trials = results.trials[results.trials["corpus"] == corpus]
    ends: dict[tuple[str, int], dict[str, list[tuple[int, str]]]] = {}
    columns = ("variant", "study", "purpose", "seed", "status")
    for variant, study, purpose, seed, status in zip(*(trials[name] for name in columns), strict=True):
        mine = ends.setdefault((variant, int(study)), {"search": [], "final": []})
        mine[purpose].append((int(seed), status))
    lost: dict[str, list[_Run]] = {}
    for (variant, study), mine in ends.items():
        gone = [seed for seed, status in mine["final"] if status in _LOST]
        if not mine["final"] and _without_survivor([status for _, status in mine["search"]], results.draws):
            gone = [-1 - number for number in range(int(results.campaign.get("seeds") or 1))]
        lost.setdefault(variant, []).extend((study, seed, -np.inf) for seed in gone)
    return lost


def _without_survivor(search: list[str], draws: int) -> bool:
    """Whether a search is whole, and yet has nothing to choose from."""
    return len(search) >= max(draws, 1) and not {"failed", "completed"} & set(search)
