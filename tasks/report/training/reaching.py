"""The time of a final trial to a validation score, in epochs, updates and seconds, from its learning curve.

A run reaches a score after the first epoch whose validation score is no lower. Two runs of the same study and seed are
compared at the highest score that both reach, the lower of their two bests. This favours neither run; a score that one
of them set would. A run that diverged, or never came above counting, reaches nothing. Beside a run that learned it
counts as if it had taken all of its epochs. Two such runs are not compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import pandas as pd

from tasks.report.numbers.metrics import FloatArray
from tasks.report.numbers.results import Results

UNITS = ("epochs", "updates", "seconds")
Place = tuple[int, int]
"""A study and a seed."""


@dataclass(frozen=True, eq=False)
class Run:
    """The learning curve of a final trial, from the first epoch on.

    Attributes:
        valid_E: validation score after each epoch, nats per step.
        taken_EU: epochs, updates and seconds of training up to then; the seconds are the trial's, by its share of
            updates.
    """

    valid_E: FloatArray
    taken_EU: FloatArray

    @property
    def best(self) -> float:
        """The highest validation score that it reaches."""
        return float(self.valid_E.max())

    def taken(self, score: float) -> FloatArray:
        """Epochs, updates and seconds until it reaches a score, (3,); infinity where it never does."""
        there_E = self.valid_E >= score
        return self.taken_EU[int(there_E.argmax())] if there_E.any() else np.full(len(UNITS), np.inf)


Runs = Mapping[str, Mapping[Place, Run | None]]
"""By variant and place what was run; None for a run that diverged, or never came above counting."""


def runs_of(results: Results, corpus: str) -> dict[str, dict[Place, Run | None]]:
    """The final trials of a corpus that ended, and of which the curve is known where they learned something."""
    counting = float(results.corpora[corpus]["counting"])
    trials, curves = results.trials, results.curves
    finals = trials[(trials["corpus"] == corpus) & (trials["purpose"] == "final") & (trials["status"] != "failed")]
    rows = curves[(curves["corpus"] == corpus) & (curves["epoch"] > 0) & np.isfinite(curves["valid"])].sort_values(
        "epoch", kind="stable"
    )
    by_key = dict(iter(rows.groupby("key")))
    runs: dict[str, dict[Place, Run | None]] = {}
    for final in finals.itertuples():
        if final.status == "completed" and final.key not in by_key:
            continue
        run = _run(by_key[final.key], final) if final.status == "completed" else None
        learned = run if run is not None and run.best > counting else None
        runs.setdefault(final.variant, {})[int(final.study), int(final.seed)] = learned
    return runs


def _run(curve: pd.DataFrame, final: pd.Series) -> Run:
    taken_EU = curve[["epoch", "update"]].to_numpy(np.float64)
    seconds_E1 = taken_EU[:, 1:] * (float(final.seconds) / float(final.updates))
    return Run(curve["valid"].to_numpy(np.float64), np.hstack([taken_EU, seconds_E1]))


@dataclass(frozen=True)
class Ratio:
    """How much longer one run takes than another to the highest score that both reach.

    Attributes:
        logs: natural logarithm of the ratio of epochs, updates and seconds.
        rounding: variance of the logarithm for epochs, from seeing whole epochs only: each number of epochs e has a
            uniform error of one epoch, so log e has a variance of 1 / (12 e^2).
    """

    logs: tuple[float, ...]
    rounding: float


def ratio(mine: Run | None, theirs: Run | None, epochs: int) -> Ratio | None:
    """How much longer `mine` takes than `theirs`; None if neither learned anything.

    Args:
        mine, theirs: the two runs.
        epochs: number of epochs of each of them.
    """
    if mine is None or theirs is None:
        other = theirs if mine is None else mine
        if other is None:
            return None
        taken_U = other.taken(other.best)
        longer = log(max(float(epochs), taken_U[0]) / taken_U[0])
        return Ratio((longer if mine is None else -longer,) * len(UNITS), _rounding(taken_U[0]))
    score = min(mine.best, theirs.best)
    mine_U, theirs_U = mine.taken(score), theirs.taken(score)
    return Ratio(tuple(np.log(mine_U / theirs_U).tolist()), _rounding(mine_U[0]) + _rounding(theirs_U[0]))


def _rounding(epochs: float) -> float:
    return 1 / (12 * epochs**2)


@dataclass(frozen=True)
class Pair:
    """Two variants, seed by seed: `with_it` beside `without`.

    Attributes:
        ratios: by place, how much longer the run with it takes.
        never: number of places at which one of the two learned nothing.
        dropped: number of places at which neither did.
    """

    without: str
    with_it: str
    ratios: Mapping[Place, Ratio]
    never: int
    dropped: int

    @property
    def studies(self) -> int:
        """How many studies its places are of."""
        return len({study for study, _ in self.ratios})


def plain_best(runs: Runs, plain: str) -> dict[int, float]:
    """For each study the best validation score of plain SGD, the mean over its seeds; none where no seed learned."""
    scores: dict[int, list[float]] = {}
    for (study, _), run in runs.get(plain, {}).items():
        if run is not None:
            scores.setdefault(study, []).append(run.best)
    return {study: sum(each) / len(each) for study, each in scores.items()}


def compare(runs: Runs, without: str, with_it: str, epochs: int) -> Pair:
    """The runs of two variants at the places that both have."""
    theirs, mine = runs.get(without, {}), runs.get(with_it, {})
    both = sorted(theirs.keys() & mine.keys())
    found = {place: ratio(mine[place], theirs[place], epochs) for place in both}
    ratios = {place: each for place, each in found.items() if each is not None}
    never = sum(mine[place] is None or theirs[place] is None for place in ratios)
    return Pair(without, with_it, ratios, never, len(found) - len(ratios))


def by_study(pairs: Sequence[Pair]) -> Iterator[tuple[FloatArray, float]]:
    """For each study the mean log ratios (3,), over pairs of the means over seeds, and the rounding of that."""
    for study in sorted({study for pair in pairs for study, _ in pair.ratios}):
        means, rounding = [], []
        for pair in pairs:
            mine = [each for (of, _), each in pair.ratios.items() if of == study]
            if mine:
                means.append(np.mean([each.logs for each in mine], axis=0))
                rounding.append(sum(each.rounding for each in mine) / len(mine) ** 2)
        yield np.mean(means, axis=0), sum(rounding) / len(rounding) ** 2
