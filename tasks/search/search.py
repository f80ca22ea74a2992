"""The search: random draws for every variant, successive halving, the choice on validation, and fresh seeds.

A campaign has one or more independent studies. In a study every variant on a corpus has a bracket of draws, which are
random hyper-parameters. All draws are trained for the epochs of the first rung. The third of them that is best on
validation is trained on, to the epochs of the next rung, and so on for all rungs (successive halving: Jamieson &
Talwalkar 2016). The best draw of the last rung is chosen, and is trained again with fresh seeds. A search with one rung
is random search. All variants have the same rungs, and a draw competes only with draws of its own variant. So every
variant has the same budget.

What this does not do: draw (`drawing.py`), train (`train.py`), or read the store. The test split plays no part here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from models.trial import Trial
from tasks.campaign import Campaign
from tasks.campaign.drawing import draw_trial, fresh_seed
from tasks.search.share import Share
from tasks.trials.records import TrialRecord
from tasks.trials.rung import Rung

REDUCTION = 3
"""One of so many draws goes on from a rung to the next, which has about as many times its epochs."""

Records = Mapping[str, TrialRecord]


def rung_epochs(epochs: int, rungs: int) -> tuple[int, ...]:
    """The epochs at the end of each rung: `epochs` / 3^(r - i), rounded; rungs with equal epochs become one.

    >>> rung_epochs(18, 3), rung_epochs(8, 2), rung_epochs(1, 3)
    ((2, 6, 18), (3, 8), (1,))
    """
    wanted = (max(1, round(epochs / REDUCTION**behind)) for behind in reversed(range(rungs)))
    return tuple(dict.fromkeys(wanted))


def rung_sizes(draws: int, rungs: int) -> tuple[int, ...]:
    """The largest number of draws in each rung: a third of the rung before, rounded down, and at least one.

    >>> rung_sizes(9, 3), rung_sizes(7, 2), rung_sizes(2, 2)
    ((9, 3, 1), (7, 2), (2, 1))
    """
    return tuple(max(1, draws // REDUCTION**number) for number in range(rungs))


@dataclass(frozen=True)
class Bracket:
    """The draws of one variant on one corpus in one study; one of them is chosen.

    Attributes:
        corpus: name of the corpus.
        digest: digest of the corpus.
        variant: name of the variant.
        study: number of the study, from 0.
        draws: the trials, each with all its epochs.
        epochs: the epochs at the end of each rung; the last are those of the draws.
        sizes: the largest number of draws in each rung.
        seeds: the fresh seeds of the chosen configuration.
    """

    corpus: str
    digest: str
    variant: str
    study: int
    draws: tuple[Trial, ...]
    epochs: tuple[int, ...]
    sizes: tuple[int, ...]
    seeds: tuple[int, ...]

    @cached_property
    def by_rung(self) -> tuple[tuple[Trial, ...], ...]:
        """The draws as trials of each rung; those of the last are the draws themselves, whose keys are known then."""
        *earlier, _ = self.epochs
        return (*(tuple(replace(draw, epochs=epochs) for draw in self.draws) for epochs in earlier), self.draws)


@dataclass(frozen=True)
class Halving:
    """How far the draws of a bracket have come, as far as there are records.

    Attributes:
        bracket: whose draws.
        rungs: the trials of each rung, in the order of the draws; none while the rung before it is not whole.
        furthest: of each draw the trial of the last rung that it came to, in the order of the draws.
        whole: whether all of these trials have records.
        chosen: the best completed trial of the last rung on validation; of equal scores the first drawn. None where a
            trial has no record: chosen among fewer, the variant would not have had the budget of the others, and a
            later run that completes its search might choose, and score on test, another one. None, too, where no
            trial completed.
        finals: the chosen configuration with each of the fresh seeds.
    """

    bracket: Bracket
    rungs: tuple[tuple[Trial, ...], ...]
    furthest: tuple[Trial, ...]
    whole: bool
    chosen: TrialRecord | None
    finals: tuple[Trial, ...]

    @property
    def trials(self) -> list[Trial]:
        """All trials that are asked for, rung by rung."""
        return [trial for rung in self.rungs for trial in rung]


def halve(bracket: Bracket, records: Records) -> Halving:
    """Let the draws of a bracket compete: of each rung those with the best records go on.

    What diverged, or learned nothing, does not go on; of equal scores the first drawn does.

    Args:
        bracket: whose draws.
        records: those that there are, by key.
    """
    rungs: list[tuple[Trial, ...]] = []
    furthest = list(bracket.draws)
    going_on, chosen = list(range(len(bracket.draws))), None
    for trials, places in zip(bracket.by_rung, (*bracket.sizes[1:], 1), strict=True):
        for draw in going_on:
            furthest[draw] = trials[draw]
        rungs.append(tuple(trials[draw] for draw in going_on))
        found = {draw: records.get(trials[draw].key) for draw in going_on}
        completed = {draw: record for draw, record in found.items() if record and record.status == "completed"}
        best = sorted(completed, key=lambda draw: -completed[draw].valid)[:places]  # a stable order
        going_on = [] if None in found.values() else sorted(best)
        chosen = completed[going_on[0]] if going_on else None
    finals = () if chosen is None else tuple(replace(chosen.trial, seed=seed) for seed in bracket.seeds)
    whole = all(trial.key in records for rung in rungs for trial in rung)
    return Halving(bracket, tuple(rungs), tuple(furthest), whole, chosen, finals)


class Search:
    """The search of a campaign, drawn once.

    Args:
        campaign: what is asked.
        digests: digest of each corpus, by its name.
        share: of the brackets, where other machines have the rest.

    Attributes:
        campaign, digests: as given.
        names: of the corpora, by digest.
        brackets: one for each corpus, variant and study, of the share.
        rungs: how many rungs the longest bracket has.
    """

    def __init__(self, campaign: Campaign, digests: Mapping[str, str], share: Share | None = None) -> None:
        self.campaign, self.digests = campaign, dict(digests)
        self.names = {digest: corpus for corpus, digest in digests.items()}
        asked = (
            (corpus, variant, study)
            for corpus, variants in campaign.variants.items()
            for variant in variants
            for study in range(campaign.studies)
        )
        self.brackets = tuple(
            _bracket(campaign, corpus, digests[corpus], variant, study)
            for place, (corpus, variant, study) in enumerate(asked)
            if share is None or share.has(place)
        )
        self.rungs = max((len(bracket.epochs) for bracket in self.brackets), default=0)

    def halvings(self, records: Records) -> list[Halving]:
        """How far each bracket has come, as far as the records tell."""
        return [halve(bracket, records) for bracket in self.brackets]

    def look(
        self, records_of: Callable[[Iterable[Trial]], Mapping[str, TrialRecord]]
    ) -> tuple[dict[str, TrialRecord], list[Halving]]:
        """What there is of the search, and how far each bracket has come.

        Rung by rung: which trials a rung has is told by the records of the one before.

        Args:
            records_of: gives those that are stored of some trials, by key.
        """
        found: dict[str, TrialRecord] = {}
        for number in range(self.rungs):
            found |= records_of(self.rung(number, found))
        return found, self.halvings(found)

    def rung(self, number: int, records: Records) -> list[Trial]:
        """The trials of a rung, of all brackets that have it and are so far."""
        return _of_rung(number, self.halvings(records))

    def trials(self, records: Records) -> list[Trial]:
        """All trials that are asked for, as far as the records tell; those of the first rung without any."""
        return [trial for each in self.halvings(records) for trial in each.trials]

    def finals(self, records: Records) -> list[Trial]:
        """The chosen configurations with fresh seeds."""
        return [trial for each in self.halvings(records) for trial in each.finals]

    def stage(self, number: int, halvings: Iterable[Halving]) -> tuple[list[Trial], Rung]:
        """The trials of a rung, and how they hang together with shorter and longer ones.

        Args:
            number: of the rung.
            halvings: how far each bracket has come.
        """
        trials = _of_rung(number, halvings)
        ends = {(each.digest, each.variant): each.epochs for each in self.brackets}
        epochs = {trial.key: ends[trial.corpus, trial.variant] for trial in trials}
        return trials, Rung(
            grows_from={trial.key: epochs[trial.key][number - 1] for trial in trials if number},
            keeps=frozenset(trial.key for trial in trials if trial.epochs < epochs[trial.key][-1]),
            label="search" if self.rungs == 1 else f"search, rung {number + 1} of {self.rungs}",
        )


def _of_rung(number: int, halvings: Iterable[Halving]) -> list[Trial]:
    return [trial for each in halvings for rung in each.rungs[number : number + 1] for trial in rung]


def _bracket(campaign: Campaign, corpus: str, digest: str, variant: str, study: int) -> Bracket:
    listed = campaign.spaces[corpus].rungs(variant)
    epochs = listed if len(listed) > 1 else rung_epochs(listed[0], campaign.rungs)
    return Bracket(
        corpus=corpus,
        digest=digest,
        variant=variant,
        study=study,
        draws=tuple(draw_trial(campaign, corpus, digest, variant, index, study) for index in range(campaign.trials)),
        epochs=epochs,
        sizes=rung_sizes(campaign.trials, len(epochs)),
        seeds=tuple(fresh_seed(campaign, corpus, number, study) for number in range(campaign.seeds)),
    )
