"""The test scores of two versions on one corpus as those of one campaign, with each variant once before and once after.

Both versions have the same pieces, since the digest of the corpus is the same. Their studies are independent of each
other, unless they have a seed in common. Seeds come from the campaign's seed, the corpus and the study's number.
Studies with a common seed have the same draws, so they are one unit, and the difference is a paired one over it. This
is decided by the draws and not by any score, so the interval holds either way.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from infra.errors import CampaignError
from tasks.report.numbers.results import Results
from tasks.report.numbers.scored import ScoredPieces

BEFORE, AFTER = "before ", "after "
"""What the names of the variants of either version begin with."""
_NUMBERS = ("steps", "log_likelihood", "accuracy", "union_accuracy", "log_likelihood_error", "success")


def scored_together(before: Results, after: Results, corpus: str) -> ScoredPieces:
    """The sums of both versions; studies with the same draws have the same number.

    Raises:
        CampaignError: they were not scored on the same test pieces.
    """
    first, second = (_pieces_of(results, corpus) for results in (before, after))
    if not first.empty and not second.empty:
        first = _with_titles(first, second, corpus)
    numbers = study_numbers(before, after, corpus)
    second = second.assign(study=second["study"].map(numbers))
    named = [
        frame.assign(variant=start + frame["variant"])
        for frame, start in ((first, BEFORE), (second, AFTER))
        if not frame.empty
    ]
    return ScoredPieces.from_frame(pd.concat(named, ignore_index=True) if named else first)


def study_numbers(before: Results, after: Results, corpus: str) -> dict[int, int]:
    """The number of each study of the later version: that of the earlier study with the same draws, or a new one."""
    earlier, later = (_seeds_of(results, corpus) for results in (before, after))
    beyond = 1 + max([*earlier, *later], default=0)
    numbers: dict[int, int] = {}
    for study, seeds in sorted(later.items()):
        alike = [other for other, theirs in sorted(earlier.items()) if seeds & theirs and other not in numbers.values()]
        numbers[study] = study if study in alike else alike[0] if alike else beyond + study
    return numbers


def same_trials(before: Results, after: Results, corpus: str) -> set[str]:
    """The variants whose scores are of the very same trials in both, to the last bit."""
    tables = [dict(list(_pieces_of(results, corpus).groupby("variant"))) for results in (before, after)]
    return {name for name in tables[0].keys() & tables[1].keys() if _equal(tables[0][name], tables[1][name])}


def _pieces_of(results: Results, corpus: str) -> pd.DataFrame:
    pieces = results.pieces[results.pieces["corpus"] == corpus]
    return pieces[pieces["key"] != ""]  # a baseline has no trial


def _equal(mine: pd.DataFrame, theirs: pd.DataFrame) -> bool:
    ordered = [frame.sort_values("key", kind="stable").reset_index(drop=True) for frame in (mine, theirs)]
    names = ["key", *_NUMBERS]
    return bool(ordered[0][names].equals(ordered[1][names]))


def _seeds_of(results: Results, corpus: str) -> Mapping[int, set[tuple[str, int]]]:
    trials = results.trials[results.trials["corpus"] == corpus]
    found: dict[int, set[tuple[str, int]]] = {}
    for study, purpose, seed in zip(trials["study"], trials["purpose"], trials["seed"], strict=True):
        found.setdefault(int(study), set()).add((purpose, int(seed)))
    return found


def _with_titles(first: pd.DataFrame, second: pd.DataFrame, corpus: str) -> pd.DataFrame:
    """The table with the other's titles: pieces are known by their place, and a title is a file's name."""
    titles = second.loc[second["key"] == second["key"].iloc[0], "piece"].to_numpy()
    places = first.groupby("key").cumcount().to_numpy()
    if places.max() + 1 != len(titles):
        raise CampaignError(f"{corpus}: scored on {places.max() + 1} test pieces before and on {len(titles)} after")
    return first.assign(piece=np.asarray(titles)[places])
