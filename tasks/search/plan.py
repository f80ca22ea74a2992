"""The plan: which trials a campaign needs, which are stored already, and about how long the others take.

What this does not do: train, or decide anything by the estimate but the order and the size of jobs.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from math import ceil

from models.trial import Trial
from tasks.search.cost import Clock
from tasks.search.search import Bracket, Records
from tasks.search.standing import Standing
from tasks.trials.devices import stacks


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
    """What a campaign needs.

    Attributes:
        rows: a row a variant.
        outdated: search trials to train that are stored by an older version of the numerics.
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


def make_plan(standing: Standing, clock: Clock) -> Plan:
    """What of a search and of its fresh seeds is stored, and how long the rest takes.

    Args:
        standing: of the search.
        clock: estimates what is not stored.
    """
    brackets: dict[tuple[str, str], list[Bracket]] = {}
    for bracket in standing.search.brackets:
        brackets.setdefault((bracket.corpus, bracket.variant), []).append(bracket)
    rows = [_row(corpus, variant, same, standing, clock) for (corpus, variant), same in brackets.items()]
    return Plan(tuple(rows), standing.ledger.outdated(standing.missing))


def _row(corpus: str, variant: str, brackets: Sequence[Bracket], standing: Standing, clock: Clock) -> PlanRow:
    unfinished = {trial.key for trial in standing.unfinished}
    needs = [need for bracket in brackets for need in _of_search(bracket, standing.records, clock)]
    needs += [_of_finals(bracket, standing.records, unfinished, clock) for bracket in brackets]
    asked, lacking = sum(need.asked for need in needs), sum(need.lacking for need in needs)
    return PlanRow(corpus, variant, asked, asked - lacking, sum(need.seconds for need in needs))


@dataclass(frozen=True)
class _Need:
    """Trials asked for, those of them that are not stored, and the estimated seconds of these."""

    asked: int
    lacking: int
    seconds: float


def _of_search(bracket: Bracket, records: Records, clock: Clock) -> Iterator[_Need]:
    """What each rung needs; which draws go on is not known before, and the mean of all stands for them."""
    whole = True
    for number, size in enumerate(bracket.sizes):
        rung = bracket.rung(number, records) if whole else []
        lacking = [trial for trial in rung if trial.key not in records]
        if whole:
            yield _Need(len(rung), len(lacking), sum(_added(bracket, trial, number, clock) for trial in lacking))
        else:
            each = sum(_added(bracket, draw, number, clock) for draw in bracket.draws) / len(bracket.draws)
            yield _Need(size, size, size * each)
        whole = whole and not lacking


def _added(bracket: Bracket, trial: Trial, number: int, clock: Clock) -> float:
    """Seconds that a rung adds to a trial, which goes on from the rung before."""
    until = clock.seconds(replace(trial, epochs=bracket.epochs[number]))
    return until - (clock.seconds(replace(trial, epochs=bracket.epochs[number - 1])) if number else 0.0)


def _of_finals(bracket: Bracket, records: Records, unfinished: Set[str], clock: Clock) -> _Need:
    if bracket.whole(records):
        finals = bracket.finals(records)  # none where nothing completed
        lacking = sum(trial.key in unfinished for trial in finals)
        asked = len(finals)
    else:
        lacking = asked = len(bracket.seeds)
    each = sum(clock.seconds(draw) + clock.scoring(draw) for draw in bracket.draws) / len(bracket.draws)
    return _Need(asked, lacking, lacking * each)


def cut_into_jobs(
    trials: Sequence[Trial], seconds: Callable[[Trial], float], workers: int, *, on_gpus: bool = False
) -> list[list[Trial]]:
    """Cut trials into jobs, the longest first.

    Few enough that Prefect's database does not suffer, small enough that the workers end together: eight to sixteen
    for each worker. A job keeps to one corpus, so that a worker loads few.

    Args:
        trials: what is to be trained.
        seconds: estimate for a trial.
        workers: number of processes.
        on_gpus: whether trials of one shape train side by side. Then they are one job, but no more of them than
            leave something for every worker.
    """
    if on_gpus:
        together = stacks(trials, ceil(len(trials) / workers))
        return sorted(together, key=lambda stack: -sum(map(seconds, stack)))
    costs = sorted(((seconds(trial), trial) for trial in trials), key=lambda pair: (pair[1].corpus, -pair[0]))
    limit = sum(cost for cost, _ in costs) / (8 * workers)
    cut: list[tuple[float, list[Trial]]] = []
    for cost, trial in costs:
        so_far, last = cut[-1] if cut else (0.0, [])
        if last and last[0].corpus == trial.corpus and so_far + cost <= limit:
            cut[-1] = (so_far + cost, [*last, trial])
        else:
            cut.append((cost, [trial]))
    return [job for _, job in sorted(cut, key=lambda pair: -pair[0])]
