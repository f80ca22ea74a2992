"""The expected best of so many draws: against all choices, by hand, and as often within its interval as promised."""

import json
from itertools import combinations
from math import comb, isnan

import numpy as np
import pytest

from tasks.report.charts.tuning import tuning_chart
from tasks.report.numbers.closed_forms import mean_interval
from tasks.report.training.tuning import _differences, _weights_KN, draw_scores, expected_best, order_warning, tunings
from tests.tasks.report.campaigns import COUNTING, DIVERGED, SGD, campaign_by_hand

C, L = f"{SGD}+C", f"{SGD}+L"


def test_it_is_the_mean_of_the_best_over_all_choices():
    scores = np.random.default_rng(0).normal(size=7)
    brute = [np.mean([max(chosen) for chosen in combinations(scores, k)]) for k in range(1, 8)]
    assert expected_best(scores, 7) == pytest.approx(brute)
    assert expected_best(scores, 3) == pytest.approx(brute[:3])


@pytest.mark.parametrize(("most", "number"), [(1, 1), (4, 4), (7, 12), (60, 300)])
def test_its_weights_are_the_exact_shares_rounded_once(most, number):
    shares = [[comb(i, k) / comb(number, k + 1) for i in range(number)] for k in range(most)]
    assert (_weights_KN(most, number) == np.array(shares)).all()


def test_of_many_draws_few_binomials_are_computed_from_their_factors(monkeypatch):
    made = []
    monkeypatch.setattr("tasks.report.training.tuning.comb", lambda n, k: made.append(k) or comb(n, k))
    _weights_KN(50, 211)
    assert len(made) <= 50, "from factors, each of the 10,550 takes as long as its digits"


def test_it_is_without_bias():
    """The best of k uniform numbers is k / (k + 1) in the mean."""
    rng = np.random.default_rng(1)
    means = np.mean([expected_best(rng.random(12), 4) for _ in range(3000)], axis=0)
    assert means == pytest.approx([k / (k + 1) for k in range(1, 5)], abs=0.006)


def test_what_diverged_or_is_below_counting_counts_as_counting():
    draws = {SGD: [[-9.0, DIVERGED, "untrained", COUNTING - 3], [-8.0, "failed", -8.5, -9.5]]}
    scores = draw_scores(campaign_by_hand(draws=draws), "songs")[SGD]
    assert {study: each.tolist() for study, each in scores.items()} == {0: [-9.0, -11, -11, -11], 1: [-8.0, -8.5, -9.5]}
    (told,) = tunings(campaign_by_hand(draws=draws), "songs")
    assert (told.draws, len(told.expected_K)) == (7, 3), "a study with a failed draw has fewer to choose from"
    assert told.expected_K[0] == pytest.approx(np.mean([-9, -11, -11, -11, -8, -8.5, -9.5]))


def test_a_difference_is_paired_and_its_interval_is_the_jackknife_over_studies():
    rng = np.random.default_rng(2)
    plain = -9.5 + rng.normal(0, 0.3, (4, 5))
    clipped = plain + 0.2 + rng.normal(0, 0.05, (4, 5))
    told = {each.variant: each for each in tunings(campaign_by_hand(draws={SGD: plain, C: clipped}), "songs")}
    assert np.isnan(told[SGD].difference_K).all()
    mine = told[C]

    def difference(studies: list[int], k: int) -> float:
        best = [np.mean([max(some) for some in combinations(each[studies].ravel(), k)]) for each in (clipped, plain)]
        return float(best[0] - best[1])

    for k in (1, 2):
        whole = difference([0, 1, 2, 3], k)
        pseudo = [4 * whole - 3 * difference([o for o in range(4) if o != left], k) for left in range(4)]
        _, low, high = mean_interval(pseudo, 0.95)
        assert mine.difference_K[k - 1] == pytest.approx(whole)
        assert mine.high_K[k - 1] - mine.low_K[k - 1] == pytest.approx(high - low)
        assert mine.low_K[k - 1] + mine.high_K[k - 1] == pytest.approx(2 * whole)
    of_means = mean_interval((clipped - plain).mean(1).tolist(), 0.95)
    assert (mine.low_K[0], mine.high_K[0]) == pytest.approx(of_means[1:]), "of one draw it is the t interval of means"


def test_one_study_has_a_difference_without_an_interval():
    _, clipped = tunings(campaign_by_hand(draws={SGD: [[-9.0, -10.0]], C: [[-9.0, -9.0]]}), "songs")
    assert clipped.difference_K.tolist() == [0.5, 0.0]
    assert np.isnan(clipped.low_K).all()
    row = clipped.to_json()[0]
    assert (row["k"], row["expected"], row["difference"], isnan(row["low"])) == (1, -9.0, 0.5, True)


def test_the_interval_holds_the_truth_about_as_often_as_promised():
    """Five studies of six draws of two variants that share most of their luck, one of which is better by 0.1."""
    rng, held = np.random.default_rng(3), np.zeros(6)
    for _ in range(150):
        shared, apart = rng.gamma(2, 1, (5, 6)), rng.gamma(1, 0.5, (2, 5, 6))
        mine, theirs = (dict(enumerate(-shared - each)) for each in apart)
        _, low_K, high_K = _differences({study: each + 0.1 for study, each in mine.items()}, theirs, 6)
        held += (low_K <= 0.1) & (high_K >= 0.1)
    assert (held >= 0.9 * 150).all()


def test_an_order_that_turns_is_said():
    sure, lucky = [[-9.5, -9.5, -9.5]], [[-11.0, -11.0, -8.9]]
    told = tunings(campaign_by_hand(draws={SGD: sure, C: lucky, L: [[-10.0, -10.0, -10.0]]}), "songs")
    assert order_warning(told) == (
        "The order depends on how many configurations are tried: with one draw SGD is expected to be best, with 3"
        " SGD+C; SGD+C changes sides with plain SGD."
    )
    beside = [*told, *tunings(campaign_by_hand(draws={"gru/nade/SGD": sure}), "songs")]
    assert order_warning(beside) == order_warning(told).replace("The order", "The order of rnn/bernoulli")
    same = tunings(campaign_by_hand(draws={SGD: sure, C: [[-9.0, -9.0, -9.1]]}), "songs")
    assert order_warning(same) == ""
    assert order_warning(told[:1]) == ""


def test_the_chart_names_plain_sgd_and_the_best_and_no_name_is_on_another():
    sure, lucky = [[-9.5, -9.5, -9.5]], [[-11.0, -11.0, -9.5]]
    told = tunings(campaign_by_hand(draws={SGD: sure, C: lucky, L: [[-10.0, -10.0, -9.4]]}), "songs")
    chart = tuning_chart(told, "frame")
    names = chart.to_dict(validate=False)["layer"][-1]
    rows = json.loads(names["data"]["values"])
    assert [row["label"] for row in rows] == ["SGD+L", "SGD"]
    assert rows[0]["valid"] - rows[1]["valid"] >= (11 - 9.4) / 30
    assert tuning_chart(tunings(campaign_by_hand(draws={SGD: [[-9.0]]}), "songs"), "frame") is None
