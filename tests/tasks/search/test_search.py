"""The search: equal budgets, shared draws, the paper's intervals, the choice on validation, fresh seeds."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import pytest

from infra.settings import CampaignRequest
from infra.store import Store
from models.techniques import Clipping, Leaky, Nesterov, Rectifier
from models.trial import Trial
from tasks.campaign import Campaign, resolve
from tasks.campaign.drawing import draw_trial
from tasks.search.search import Bracket, Search, halve
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger
from tasks.trials.records import TrialRecord
from tests.tasks.conftest import by_key, record_of

CHORALES, CHARACTERS, WORDS = "bach-chorales", "folk-tunes-characters", "folk-tunes-words"
DIGESTS = {CHORALES: "a" * 64, CHARACTERS: "b" * 64, WORDS: "c" * 64}
_ALL = resolve(CampaignRequest(preset="thorough"))
THOROUGH = replace(
    _ALL,
    studies=1,
    trials=24,
    rungs=1,
    seeds=10,
    variants={
        corpus: tuple(name for name in variants if re.fullmatch(r"rnn/(bernoulli|softmax)/SGD(\+[CLRM]+)?", name))
        for corpus, variants in _ALL.variants.items()
    },
)
"""Its subsets of the techniques, without what is beside them, in one study by random search."""
OWN = {"output", "techniques"}
"""Fields in which two variants may differ."""


def _draws(corpus: str, letters: str = "", count: int = 300, campaign: Campaign = THOROUGH) -> list[Trial]:
    """Trials of one variant, by index."""
    output = "bernoulli" if corpus == CHORALES else "softmax"
    variant = f"rnn/{output}/SGD" + (f"+{letters}" if letters else "")
    return [draw_trial(campaign, corpus, DIGESTS[corpus], variant, index) for index in range(count)]


def _common(trial: Trial) -> dict[str, Any]:
    return {field.name: getattr(trial, field.name) for field in fields(trial) if field.name not in OWN}


def test_every_variant_gets_the_same_number_of_trials_of_its_own():
    trials = Search(THOROUGH, DIGESTS).trials({})
    counts = Counter((trial.corpus, trial.variant) for trial in trials)
    assert counts == {
        (DIGESTS[corpus], variant): 24 for corpus, variants in THOROUGH.variants.items() for variant in variants
    }
    assert len({trial.key for trial in trials}) == len(trials) == 24 * (16 + 4 + 4)


def test_trials_of_the_same_index_share_every_number_that_they_have_in_common():
    trials = Search(THOROUGH, DIGESTS).trials({})
    by_variant: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        by_variant.setdefault((trial.corpus, trial.variant), []).append(trial)
    for corpus, digest in DIGESTS.items():
        stacks = [row for (its_digest, _), row in by_variant.items() if its_digest == digest]
        assert len(stacks) == len(THOROUGH.variants[corpus])
        for same_index in zip(*stacks, strict=True):
            assert all(_common(trial) == _common(same_index[0]) for trial in same_index)
            for letter in "CLRM":
                used = {trial.technique(letter) for trial in same_index} - {None}
                assert len(used) <= 1, "one threshold, one share, one price, one momentum"
                assert used or corpus != CHORALES


@pytest.mark.parametrize("core", ["lstm", "gru"])
def test_a_gated_core_shares_all_but_the_activation_which_is_its_own(core):
    activations = set()
    for index in range(8):
        names = (f"{name}/bernoulli/SGD+CM" for name in ("rnn", core))
        plain, gated = (draw_trial(THOROUGH, CHORALES, DIGESTS[CHORALES], name, index) for name in names)
        activations.add(plain.activation)
        assert (gated.core, gated.activation) == (core, "tanh")
        assert gated == replace(plain, core=core, activation="tanh")
    assert activations == {"tanh", "sigmoid"}


def test_the_draws_differ_by_index_seed_and_corpus():
    trials = _draws(CHORALES, "M", 50)
    assert len({trial.seed for trial in trials}) == len({trial.learning_rate for trial in trials}) == 50
    assert len({trial.technique("M") for trial in trials}) == 50
    others = _draws(CHORALES, "M", 50, replace(THOROUGH, seed=1))
    assert {trial.seed for trial in trials}.isdisjoint(trial.seed for trial in others)
    assert {trial.learning_rate for trial in trials}.isdisjoint(trial.learning_rate for trial in others)
    assert {trial.seed for trial in trials}.isdisjoint(trial.seed for trial in _draws(WORDS, count=50))


def test_the_draws_are_the_same_every_time_and_do_not_depend_on_the_budget():
    assert _draws(CHORALES, "CLRM", 5) == _draws(CHORALES, "CLRM", 5)
    few, more = ({t.key for t in Search(replace(THOROUGH, trials=n), DIGESTS).trials({})} for n in (2, 3))
    assert few < more, "a larger budget goes on where a smaller one ended"


def _log_uniform(values: list[float], low: float, high: float) -> bool:
    """Whether all lie in the interval, and each third of it, on the scale of logarithms, has about a third."""
    step = (high / low) ** (1 / 3)
    edges = [low, low * step, low * step**2, high * (1 + 1e-9)]
    shares = [sum(start <= value < stop for value in values) / len(values) for start, stop in pairwise(edges)]
    return sum(shares) == pytest.approx(1) and all(abs(share - 1 / 3) < 0.1 for share in shares)


def test_music_is_searched_in_the_intervals_of_the_paper():
    trials = _draws(CHORALES, "CLRM")
    units = [trial.hidden_size for trial in trials]
    assert (min(units) >= 100, max(units) <= 400) == (True, True)
    assert min(units) < 115
    assert max(units) > 385
    assert _log_uniform([trial.learning_rate for trial in trials], 1e-4, 1e-1)
    assert {trial.activation for trial in trials} == {"tanh", "sigmoid"}
    assert {trial.technique("C") for trial in trials} == {Clipping(15.0), Clipping(60.0)}
    assert {trial.technique("L") for trial in trials} == {
        Leaky(share, reading, 0.02, 0.2) for share in (0.25, 0.5) for reading in ("retention", "update-rate")
    }
    prices = [t.l1 for trial in trials for t in trial.techniques if isinstance(t, Rectifier)]
    assert _log_uniform(prices, 1e-6, 1e-3)
    momenta = [t.momentum for trial in trials for t in trial.techniques if isinstance(t, Nesterov)]
    assert len(momenta) == len(prices) == len(trials)
    assert min(momenta) >= 1e-3
    assert max(momenta) <= 0.95
    assert max(momenta) - min(momenta) > 0.9


@pytest.mark.parametrize(
    ("corpus", "units", "chunk", "rates"),
    [(CHARACTERS, 500, 150, {0.5, 0.1, 0.01}), (WORDS, 200, 40, {0.1, 0.01, 0.001})],
)
def test_text_is_searched_on_the_values_of_the_paper(corpus, units, chunk, rates):
    trials = _draws(corpus, "C", 100)
    assert {(trial.hidden_size, trial.chunk, trial.output) for trial in trials} == {(units, chunk, "softmax")}
    assert {trial.learning_rate for trial in trials} == rates
    assert {trial.technique("C") for trial in trials} == {Clipping(30.0), Clipping(50.0)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("letters", ["", "C", "CL", "CLR"])
def test_the_smallest_search_of_text_tries_every_learning_rate(letters, seed):
    campaign = resolve(CampaignRequest(preset="thorough", seed=seed))
    for corpus in (CHARACTERS, WORDS):
        rates = [trial.learning_rate for trial in _draws(corpus, letters, 3, campaign)]
        assert sorted(rates) == sorted(campaign.spaces[corpus].to_json()["learning_rate"])


def test_a_trial_has_the_sizes_of_its_space_and_the_digest_of_its_corpus():
    for corpus in (CHORALES, CHARACTERS, WORDS):
        space, (trial,) = THOROUGH.spaces[corpus].to_json(), _draws(corpus, count=1)
        assert trial.corpus == DIGESTS[corpus]
        for name in ("chunk", "batch", "epochs", "patience"):
            assert getattr(trial, name) == space[name]


def _bracket(draws: list[Trial], epochs: tuple[int, ...] = (8,), sizes: tuple[int, ...] = (99,)) -> Bracket:
    trials = tuple(replace(draw, epochs=epochs[-1]) for draw in draws)
    return Bracket(CHORALES, DIGESTS[CHORALES], trials[0].variant, 0, trials, epochs, sizes, seeds=(1, 2))


def test_the_best_completed_trial_of_each_variant_is_chosen():
    search = Search(replace(THOROUGH, trials=4), DIGESTS)
    scores = [-3.0, -1.0, -2.0, -4.0]
    records = by_key(
        record_of(trial, valid)
        for number, bracket in enumerate(search.brackets)
        for trial, valid in zip(bracket.draws, scores if number % 2 else reversed(scores), strict=True)
    )
    for number, bracket in enumerate(search.brackets):
        best = halve(bracket, records).chosen
        assert best is not None
        assert best.trial == bracket.draws[1 if number % 2 else 2]


def test_of_equal_scores_the_first_drawn_is_chosen():
    bracket = _bracket(_draws(CHORALES, count=3))
    records = [record_of(trial, valid) for trial, valid in zip(bracket.draws, (-2, -1, -1), strict=True)]
    assert halve(bracket, by_key(records)).chosen == halve(bracket, by_key(reversed(records))).chosen == records[1]


@pytest.mark.parametrize("lost", [{"status": "diverged", "diverged_at": 9}, {"status": "untrained"}])
def test_what_diverged_or_never_learned_is_never_chosen_however_good_it_is(lost):
    drawn = _draws(CHORALES, count=2)
    for first, second in (drawn, drawn[::-1]):
        bracket = _bracket([first, second])
        better = record_of(bracket.draws[0], -0.1, **lost)
        completed = record_of(bracket.draws[1], -5.0)
        assert halve(bracket, by_key([better, completed])).chosen == completed
    alone = _bracket(drawn[:1])
    assert halve(alone, by_key([record_of(alone.draws[0], **lost)])).chosen is None


def test_the_best_third_of_a_rung_goes_on_to_the_next():
    """Nine draws, their scores by hand: the ranks of a short training are not those of a long one."""
    bracket = _bracket(_draws(CHORALES, count=9), (2, 6, 18), (9, 3, 1))
    first = list(halve(bracket, {}).rungs[0])
    assert [trial.epochs for trial in first] == [2] * 9
    assert [replace(trial, epochs=18) for trial in first] == list(bracket.draws)
    records = [record_of(t, v) for t, v in zip(first, (-9, -3, -8, -1, -7, -2, -6, -3, -5), strict=True)]
    assert list(halve(bracket, by_key(records[:-1])).rungs[1]) == [], "the rung before is not whole"
    assert halve(bracket, by_key(records[:-1])).trials == first
    second = list(halve(bracket, by_key(records)).rungs[1])
    assert second == [replace(bracket.draws[draw], epochs=6) for draw in (1, 3, 5)], "of two equal ones the first drawn"
    records += [record_of(t, v) for t, v in zip(second, (-0.5, -0.9, -0.7), strict=True)]
    assert list(halve(bracket, by_key(records)).rungs[2]) == [bracket.draws[1]]
    assert halve(bracket, by_key(records)).chosen is None
    records.append(record_of(bracket.draws[1], -0.4))
    assert halve(bracket, by_key(records)).chosen == records[-1]
    assert list(halve(bracket, by_key(records)).finals) == [replace(bracket.draws[1], seed=seed) for seed in (1, 2)]
    furthest = [trial.epochs for trial in list(halve(bracket, by_key(records)).furthest)]
    assert furthest == [2, 18, 2, 6, 2, 6, 2, 2, 2]
    assert len(halve(bracket, by_key(records)).trials) == 9 + 3 + 1


def test_what_diverged_does_not_go_on_and_none_may_be_left():
    bracket = _bracket(_draws(CHORALES, count=6), (3, 8), (6, 2))
    first = list(halve(bracket, {}).rungs[0])
    ended = [record_of(trial, status="diverged", diverged_at=3) for trial in first]
    assert list(halve(bracket, by_key(ended)).rungs[1]) == []
    assert halve(bracket, by_key(ended)).chosen is None
    ended[4] = record_of(first[4], -50.0)
    assert list(halve(bracket, by_key(ended)).rungs[1]) == [bracket.draws[4]], "one, where two might"


def test_the_rungs_are_known_by_the_records_of_those_before():
    search = Search(replace(THOROUGH, trials=6, rungs=2, studies=2), DIGESTS)
    asked: list[list[Trial]] = []

    def records_of(trials: Iterable[Trial]) -> dict[str, TrialRecord]:
        asked.append(list(trials))
        return by_key(record_of(trial, -trial.learning_rate) for trial in asked[-1])

    found, _ = search.look(records_of)
    assert [len(trials) for trials in asked] == [2 * 6 * 24, 2 * 2 * 24]
    assert list(found) == [trial.key for trials in asked for trial in trials]
    assert len(search.finals(found)) == 2 * 10 * 24
    first, second = (search.stage(number, search.halvings(found))[1] for number in range(2))
    assert {second.shorter(trial).key for trial in asked[1]} < {trial.key for trial in asked[0]} == first.keeps
    assert (first.grows_from, second.keeps) == ({}, frozenset())
    assert (first.label, second.label) == ("search, rung 1 of 2", "search, rung 2 of 2")
    ledger = Ledger(Store("memory://rungs"))
    ledger._records = found
    assert Standing(ledger, search).left_behind == asked[0]
    del found[asked[1][0].key]
    left = Standing(ledger, search).left_behind
    assert len(asked[0]) - len(left) == 6, "one bracket is not whole, and its ends are still of use"


def test_a_study_has_draws_and_seeds_of_its_own_and_the_first_is_that_of_a_single_one():
    one, three = (Search(replace(THOROUGH, trials=8, studies=number), DIGESTS) for number in (1, 3))
    by_study = [[bracket for bracket in three.brackets if bracket.study == study] for study in range(3)]
    assert by_study[0] == list(one.brackets)
    for variants in zip(*by_study, strict=True):
        assert len({bracket.variant for bracket in variants}) == 1
        for numbers in (
            [{draw.learning_rate for draw in bracket.draws} for bracket in variants if bracket.corpus == CHORALES],
            [{draw.seed for draw in bracket.draws} for bracket in variants],
            [set(bracket.seeds) for bracket in variants],
        ):
            assert len(set().union(*numbers)) == sum(map(len, numbers)), "no number comes twice"
    for brackets in by_study:
        for corpus in DIGESTS:
            drawn = [bracket for bracket in brackets if bracket.corpus == corpus]
            assert len({bracket.seeds for bracket in drawn}) == 1, "what a study's variants share, they share"
            assert len({tuple(draw.learning_rate for draw in bracket.draws) for bracket in drawn}) == 1


def test_a_variant_whose_search_is_not_complete_is_held_back():
    """A choice among fewer would not be one of the same budget, and the missing one might be better."""
    search = Search(THOROUGH, DIGESTS).trials({})
    records = by_key(record_of(trial) for trial in search)
    assert len(Search(THOROUGH, DIGESTS).finals(records)) == 10 * 24
    missing = search[30]
    del records[missing.key]
    finals = Search(THOROUGH, DIGESTS).finals(records)
    assert len(finals) == 10 * 23
    assert missing.variant not in {trial.variant for trial in finals if trial.corpus == missing.corpus}
    assert Search(THOROUGH, DIGESTS).finals({}) == []


def test_the_chosen_is_run_again_with_fresh_seeds_that_the_variants_share():
    search = Search(replace(THOROUGH, trials=4), DIGESTS)
    records = [record_of(trial, -index) for index, trial in enumerate(search.trials({}))]
    brackets = search.brackets
    finals = search.finals(by_key(records))
    seeds: dict[str, set[tuple[int, ...]]] = {digest: set() for digest in DIGESTS.values()}
    for bracket in brackets:
        best = halve(bracket, by_key(records)).chosen
        assert best is not None
        again = [trial for trial in finals if (trial.corpus, trial.variant) == (bracket.digest, bracket.variant)]
        assert len(again) == len({trial.seed for trial in again}) == THOROUGH.seeds == 10
        assert [replace(trial, seed=best.trial.seed) for trial in again] == [best.trial] * 10
        seeds[bracket.digest].add(tuple(trial.seed for trial in again))
    assert len(finals) == 10 * 24
    assert all(len(shared) == 1 for shared in seeds.values()), "the i-th seed is one for all variants of a corpus"
    used = {record.trial.seed for record in records}
    assert used.isdisjoint(trial.seed for trial in finals)
    assert len({trial.seed for trial in finals}) == 3 * 10, "and another on every corpus"


def test_more_seeds_go_on_where_fewer_ended():
    small = replace(THOROUGH, trials=4)
    records = by_key(record_of(trial) for trial in Search(small, DIGESTS).trials({}))
    few, more = ({t.key for t in Search(replace(small, seeds=n), DIGESTS).finals(records)} for n in (2, 3))
    reseeded = replace(small, seed=1)
    others = by_key(record_of(trial) for trial in Search(reseeded, DIGESTS).trials({}))
    other = {t.seed for t in Search(reseeded, DIGESTS).finals(others)}
    assert few < more
    assert other.isdisjoint(t.seed for t in Search(small, DIGESTS).finals(records))
