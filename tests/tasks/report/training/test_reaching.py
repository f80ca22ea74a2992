"""How long a run takes to a score: first epochs, pairs at the score that both reach, runs that learned nothing."""

from math import inf, log

import numpy as np
import pytest

from tasks.report.training.reaching import Run, by_study, compare, plain_best, ratio, runs_of
from tests.tasks.report.campaigns import COUNTING, SGD, campaign_by_hand

C = f"{SGD}+C"


def _run(*valid: float, updates: int = 5, seconds: float = 2.0) -> Run:
    epochs = np.arange(1.0, len(valid) + 1)
    return Run(np.array(valid), np.stack([epochs, updates * epochs, seconds * epochs], axis=1))


def test_the_first_epoch_that_reaches_a_score_counts():
    run = _run(-10.0, -9.0, -9.5, -8.0)
    assert [run.taken(score)[0] for score in (-12.0, -9.0, -8.9, -7.9)] == [1, 2, 4, inf]
    assert run.taken(-9.0).tolist() == [2, 10, 4.0]
    assert run.best == -8.0


def test_two_runs_are_compared_at_the_highest_score_that_both_reach():
    slow, fast = _run(-10.0, -9.5, -9.2, -9.0), _run(-9.0, -8.5)
    assert ratio(fast, slow, 10).logs == pytest.approx([log(1 / 4)] * 3)
    assert ratio(slow, fast, 10).logs == pytest.approx([log(4)] * 3)
    better_late = _run(-10.0, -9.5, -9.0, -8.0)
    early = _run(-9.4, -9.5)
    assert ratio(better_late, early, 10).logs[0] == pytest.approx(log(3 / 1)), "the worse one sets the score"


def test_the_three_units_are_measured_apart():
    cheap, dear = _run(-10.0, -9.0, updates=5, seconds=1.0), _run(-9.0, updates=20, seconds=6.0)
    assert ratio(dear, cheap, 10).logs == pytest.approx([log(1 / 2), log(20 / 10), log(6 / 2)])


def test_a_run_that_learned_nothing_counts_as_if_it_had_taken_all_epochs():
    learned = _run(-10.0, -9.0)
    assert ratio(None, learned, 8).logs == pytest.approx([log(8 / 2)] * 3)
    assert ratio(learned, None, 8).logs == pytest.approx([-log(8 / 2)] * 3)
    assert ratio(None, None, 8) is None


def test_the_rounding_of_a_ratio_is_that_of_an_even_error_of_an_epoch():
    """Brute force: true times anywhere within the epoch that is seen."""
    rng = np.random.default_rng(0)
    mine, theirs = 12 + rng.uniform(-0.5, 0.5, 200_000), 20 + rng.uniform(-0.5, 0.5, 200_000)
    slow, fast = _run(*[-10.0] * 19, -9.0), _run(*[-10.0] * 11, -9.0)
    assert ratio(fast, slow, 30).rounding == pytest.approx(np.var(np.log(mine / theirs)), rel=0.02)


def test_runs_are_read_from_epoch_one_on_and_below_counting_is_none():
    finals = {
        SGD: {(0, 1): [-10.0, -9.0], (1, 1): "diverged", (2, 1): "failed"},
        C: {(0, 1): [COUNTING - 0.5, COUNTING], (1, 1): "untrained"},
    }
    runs = runs_of(campaign_by_hand(finals), "songs")
    assert runs[SGD][0, 1].taken_EU.tolist() == [[1, 5, 2.0], [2, 10, 4.0]]
    assert (runs[SGD][1, 1], (2, 1) in runs[SGD]) == (None, False)
    assert runs[C] == {(0, 1): None, (1, 1): None}


def test_a_pair_has_the_places_that_both_have_and_counts_what_learned_nothing():
    runs = {
        SGD: {(0, 1): _run(-9.0), (0, 2): None, (1, 1): None, (2, 1): _run(-9.0)},
        C: {(0, 1): _run(-9.5, -9.0), (0, 2): _run(-9.0), (1, 1): None, (3, 1): _run(-9.0)},
    }
    pair = compare(runs, SGD, C, 10)
    assert {place: each.logs[0] for place, each in pair.ratios.items()} == {(0, 1): log(2), (0, 2): -log(10)}
    assert (pair.never, pair.dropped, pair.studies) == (1, 1, 1)


def test_a_study_is_the_mean_over_its_pairs_of_the_means_over_their_seeds():
    one, two, four = _run(-9.0), _run(-9.5, -9.0), _run(-9.9, -9.8, -9.7, -9.0)
    runs = {
        "a/SGD": {(0, 1): one, (0, 2): one, (1, 1): one},
        "a/SGD+C": {(0, 1): two, (0, 2): four, (1, 1): two},
        "a/SGD+L": {(0, 1): one},
        "a/SGD+CL": {(0, 1): four},
    }
    pairs = [compare(runs, "a/SGD", "a/SGD+C", 10), compare(runs, "a/SGD+L", "a/SGD+CL", 10)]
    first, second = by_study(pairs)
    assert first[0] == pytest.approx([((log(2) + log(4)) / 2 + log(4)) / 2] * 3)
    assert second[0] == pytest.approx([log(2)] * 3)
    v2, v4 = (1 + 1 / e**2 for e in (2, 4))
    assert first[1] == pytest.approx(((v2 + v4) / 4 + v4) / 4 / 12)


def test_what_plain_sgd_reaches_is_the_mean_over_the_seeds_of_a_study():
    runs = {SGD: {(0, 1): _run(-9.0), (0, 2): _run(-8.0), (1, 1): None}}
    assert plain_best(runs, SGD) == {0: -8.5}
    assert plain_best(runs, C) == {}


def test_a_comparison_of_equals_favours_neither():
    """Two variants that differ by chance alone: on average no time is saved, at the score that both reach."""
    rng = np.random.default_rng(3)
    curves = -9 - np.exp(-0.3 * np.arange(20)) + rng.normal(0, 0.03, (4000, 20))
    runs = [_run(*curve) for curve in curves]
    logs = [ratio(mine, theirs, 20).logs[0] for mine, theirs in zip(runs[::2], runs[1::2], strict=True)]
    assert abs(np.mean(logs)) < 2.6 * np.std(logs) / len(logs) ** 0.5
