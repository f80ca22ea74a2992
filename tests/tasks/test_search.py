"""The search: equal budgets, shared draws, the paper's intervals, the choice on validation, fresh seeds."""

import re
from collections import Counter
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import pytest

from infra.settings import CampaignRequest
from models.techniques import Clipping, Leaky, Nesterov, Rectifier
from models.trial import Trial
from tasks.campaign import Campaign, resolve
from tasks.search import choose, draw_trial, final_trials, search_trials
from tests.tasks.conftest import by_key, record_of

CHORALES, CHARACTERS, WORDS = "bach-chorales", "folk-tunes-characters", "folk-tunes-words"
DIGESTS = {CHORALES: "a" * 64, CHARACTERS: "b" * 64, WORDS: "c" * 64}
_ALL = resolve(CampaignRequest(preset="thorough"))
THOROUGH = replace(
    _ALL,
    variants={
        corpus: tuple(name for name in variants if re.fullmatch(r"rnn/(bernoulli|softmax)/SGD(\+[CLRM]+)?", name))
        for corpus, variants in _ALL.variants.items()
    },
)
"""Its subsets of the techniques, without what is beside them."""
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
    trials = search_trials(THOROUGH, DIGESTS)
    counts = Counter((trial.corpus, trial.variant) for trial in trials)
    assert counts == {
        (DIGESTS[corpus], variant): 24 for corpus, variants in THOROUGH.variants.items() for variant in variants
    }
    assert len({trial.key for trial in trials}) == len(trials) == 24 * (16 + 4 + 4)


def test_trials_of_the_same_index_share_every_number_that_they_have_in_common():
    trials = search_trials(THOROUGH, DIGESTS)
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
    few, more = ({t.key for t in search_trials(replace(THOROUGH, trials=n), DIGESTS)} for n in (2, 3))
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
    campaign = resolve(CampaignRequest(seed=seed))
    for corpus in (CHARACTERS, WORDS):
        rates = [trial.learning_rate for trial in _draws(corpus, letters, 3, campaign)]
        assert sorted(rates) == sorted(campaign.spaces[corpus.split("-")[-1]].learning_rates)


def test_a_trial_has_the_sizes_of_its_space_and_the_digest_of_its_corpus():
    for corpus, kind in ((CHORALES, "music"), (CHARACTERS, "characters"), (WORDS, "words")):
        space, (trial,) = THOROUGH.spaces[kind], _draws(corpus, count=1)
        assert trial.corpus == DIGESTS[corpus]
        assert (trial.chunk, trial.batch, trial.epochs) == (space.chunk, space.batch, space.epochs)
        assert trial.patience == space.patience


def test_the_best_completed_trial_of_each_variant_is_chosen():
    plain, clipped, text = _draws(CHORALES, count=4), _draws(CHORALES, "C", 4), _draws(CHARACTERS, count=4)
    scores = [-3.0, -1.0, -2.0, -4.0]
    records = [record_of(trial, valid) for stack in (plain, text) for trial, valid in zip(stack, scores, strict=True)]
    records += [record_of(trial, valid) for trial, valid in zip(clipped, reversed(scores), strict=True)]
    drawn = [*plain, *text, *clipped]
    best = {place: record.trial for place, record in choose(drawn, by_key(records)).items()}
    assert best == {
        (DIGESTS[CHORALES], "rnn/bernoulli/SGD"): plain[1],
        (DIGESTS[CHORALES], "rnn/bernoulli/SGD+C"): clipped[2],
        (DIGESTS[CHARACTERS], "rnn/softmax/SGD"): text[1],
    }


def test_of_equal_scores_the_first_drawn_is_chosen():
    drawn = _draws(CHORALES, count=3)
    records = [record_of(trial, valid) for trial, valid in zip(drawn, (-2, -1, -1), strict=True)]
    assert list(choose(drawn, by_key(records)).values()) == [records[1]]
    assert list(choose(drawn, by_key(reversed(records))).values()) == [records[1]]


def test_what_diverged_is_never_chosen_however_good_it_was_before():
    first, second = _draws(CHORALES, count=2)
    diverged = record_of(first, -0.1, status="diverged", diverged_at=9)
    completed = record_of(second, -5.0)
    assert list(choose([first, second], by_key([diverged, completed])).values()) == [completed]
    assert list(choose([second, first], by_key([completed, diverged])).values()) == [completed]
    assert choose([first], by_key([diverged])) == {}


def test_a_variant_whose_search_is_not_complete_is_held_back():
    """A choice among fewer would not be one of the same budget, and the missing one might be better."""
    search = search_trials(THOROUGH, DIGESTS)
    records = by_key(record_of(trial) for trial in search)
    assert len(final_trials(THOROUGH, DIGESTS, records)) == 10 * 24
    missing = search[30]
    del records[missing.key]
    finals = final_trials(THOROUGH, DIGESTS, records)
    assert len(finals) == 10 * 23
    assert missing.variant not in {trial.variant for trial in finals if trial.corpus == missing.corpus}
    assert final_trials(THOROUGH, DIGESTS, {}) == []


def test_the_chosen_is_run_again_with_fresh_seeds_that_the_variants_share():
    records = [record_of(trial, -index) for index, trial in enumerate(search_trials(THOROUGH, DIGESTS))]
    chosen = choose(search_trials(THOROUGH, DIGESTS), by_key(records))
    finals = final_trials(THOROUGH, DIGESTS, by_key(records))
    seeds: dict[str, set[tuple[int, ...]]] = {digest: set() for digest in DIGESTS.values()}
    for place, best in chosen.items():
        again = [trial for trial in finals if (trial.corpus, trial.variant) == place]
        assert len(again) == len({trial.seed for trial in again}) == THOROUGH.seeds == 10
        assert [replace(trial, seed=best.trial.seed) for trial in again] == [best.trial] * 10
        seeds[place[0]].add(tuple(trial.seed for trial in again))
    assert len(finals) == 10 * 24
    assert all(len(shared) == 1 for shared in seeds.values()), "the i-th seed is one for all variants of a corpus"
    used = {record.trial.seed for record in records}
    assert used.isdisjoint(trial.seed for trial in finals)
    assert len({trial.seed for trial in finals}) == 3 * 10, "and another on every corpus"


def test_more_seeds_go_on_where_fewer_ended():
    records = by_key(record_of(trial) for trial in search_trials(THOROUGH, DIGESTS))
    few, more = ({t.key for t in final_trials(replace(THOROUGH, seeds=n), DIGESTS, records)} for n in (2, 3))
    reseeded = replace(THOROUGH, seed=1)
    others = by_key(record_of(trial) for trial in search_trials(reseeded, DIGESTS))
    other = {t.seed for t in final_trials(reseeded, DIGESTS, others)}
    assert few < more
    assert other.isdisjoint(t.seed for t in final_trials(THOROUGH, DIGESTS, records))
