"""The plan: which trials a campaign needs, which are stored already, and about how long the others take.

What this does not do: train, or decide anything.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from models.trial import Trial
from tasks.search.search import Bracket, Halving, Records
from tasks.search.standing import Standing
from tasks.search.trial_times import TrialTimes


@dataclass(frozen=True)
class PlanRow:
    """One variant on one corpus.

    Attributes:
        corpus, variant: their names.
        trials: trials of all rungs and fresh seeds of all studies together.
        stored: how many of them are in the store.
        seconds: estimated seconds of one core for the others.
    """

    corpus: str
    variant: str
    trials: int
    stored: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """The trials that a campaign needs.

    Attributes:
        rows: one row for each variant on each corpus.
        outdated: how many of the search trials to train are stored, but were made by an older version of the numerics.
    """

    rows: tuple[PlanRow, ...]
    outdated: int = 0

    @property
    def finished(self) -> bool:
        """Whether everything, fresh seeds included, is stored."""
        return all(row.stored == row.trials for row in self.rows)

    def seconds(self, workers: int) -> float:
        """Estimated seconds on so many processes."""
        return sum(row.seconds for row in self.rows) / workers


def make_plan(standing: Standing, times: TrialTimes) -> Plan:
    """The plan of a search and of its fresh seeds: what is stored, and how long the rest takes.

    Args:
        standing: what is stored of the search.
        times: estimates the seconds of the other trials.
    """
    studies: dict[tuple[str, str], list[Halving]] = {}
    for each in standing.halvings:
        studies.setdefault((each.bracket.corpus, each.bracket.variant), []).append(each)
    unfinished = {trial.key for trial in standing.ended.unfinished}

    def row(corpus: str, variant: str, same: Sequence[Halving]) -> PlanRow:
        needs = [need for each in same for need in _of_search(each, standing.records, times)]
        return _row(corpus, variant, [*needs, *(_of_finals(each, unfinished, times) for each in same)])

    rows = tuple(row(corpus, variant, same) for (corpus, variant), same in studies.items())
    return Plan(rows, standing.ledger.outdated(standing.missing))


def _row(corpus: str, variant: str, needs: "Sequence[_Need]") -> PlanRow:
    asked, lacking = sum(need.asked for need in needs), sum(need.lacking for need in needs)
    return PlanRow(corpus, variant, asked, asked - lacking, sum(need.seconds for need in needs))


@dataclass(frozen=True)
class _Need:
    """Trials asked for, those of them that are not stored, and the estimated seconds of these."""

    asked: int
    lacking: int
    seconds: float


def _of_search(halving: Halving, records: Records, times: TrialTimes) -> Iterator[_Need]:
    """What each rung needs; which draws go on is not known before, and the mean of all stands for them."""
    bracket, whole = halving.bracket, True
    for number, (size, rung) in enumerate(zip(bracket.sizes, halving.rungs, strict=True)):
        lacking = [trial for trial in rung if trial.key not in records]
        if whole:
            yield _Need(len(rung), len(lacking), sum(_added(bracket, trial, number, times) for trial in lacking))
        else:
            each = sum(_added(bracket, draw, number, times) for draw in bracket.draws) / len(bracket.draws)
            yield _Need(size, size, size * each)
        whole = whole and not lacking


def _added(bracket: Bracket, trial: Trial, number: int, times: TrialTimes) -> float:
    """Seconds that a rung adds to a trial, which goes on from the rung before."""
    epochs = bracket.epochs[number]
    until = times.seconds(trial if trial.epochs == epochs else replace(trial, epochs=epochs))
    return until - (times.seconds(replace(trial, epochs=bracket.epochs[number - 1])) if number else 0.0)


def _of_finals(halving: Halving, unfinished: Set[str], times: TrialTimes) -> _Need:
    if halving.whole:
        lacking = sum(trial.key in unfinished for trial in halving.finals)
        asked = len(halving.finals)  # none where nothing completed
    else:
        lacking = asked = len(halving.bracket.seeds)
    if not lacking:
        return _Need(asked, 0, 0.0)
    draws = halving.bracket.draws
    return _Need(asked, lacking, lacking * sum(map(times.until_scored, draws)) / len(draws))
