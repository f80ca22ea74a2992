"""A made-up campaign over five corpora, one of which looks like an official one: the synthetic one, twice."""

import dataclasses
from typing import Any

import pandas as pd

from tasks.report import Results
from tasks.report.published import PUBLISHED
from tests.tasks.report.synthetic import synthetic_results

OFFICIAL = "jsb-chorales"
_AGAIN = {"bach-chorales": OFFICIAL, "folk-tunes-characters": "novels"}
_FRAMES = ("trials", "curves", "diagnostics", "pieces")


def many_corpora(**size: Any) -> Results:
    """The synthetic campaign with two more corpora; `size` is that of `synthetic_results`."""
    first, second = (synthetic_results(**size, random_seed=seed) for seed in (0, 1))
    more = {name: _renamed(getattr(second, name)) for name in _FRAMES}
    joined = {name: pd.concat([getattr(first, name), more[name]], ignore_index=True) for name in _FRAMES}
    corpora = dict(first.corpora) | {new: dict(second.corpora[old]) for old, new in _AGAIN.items()}
    corpora[OFFICIAL] |= {"steps": corpora[OFFICIAL]["steps"] | {"test": PUBLISHED[OFFICIAL].steps}}
    asked = first.campaign["corpora"]
    return dataclasses.replace(
        first,
        **joined,
        corpora=corpora,
        portraits={**first.portraits, **{new: second.portraits[old] for old, new in _AGAIN.items()}},
        samples={**first.samples, **{new: second.samples[old] for old, new in _AGAIN.items()}},
        campaign={**first.campaign, "corpora": asked | {new: asked[old] for old, new in _AGAIN.items()}},
    )


def _renamed(frame: pd.DataFrame) -> pd.DataFrame:
    mine = frame[frame["corpus"].isin(_AGAIN)]
    return mine.assign(corpus=mine["corpus"].map(_AGAIN))
