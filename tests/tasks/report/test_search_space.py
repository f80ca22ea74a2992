"""Chosen values at an edge, and which hyper-parameters mattered: by hand, and against other formulas."""

import json
from math import isnan

import numpy as np
import pandas as pd
import pytest

from tasks.report.training.edges import edge_rows, edge_sentences
from tasks.report.training.mattering import explained, mattering_rows, mattering_table
from tests.tasks.report.campaigns import COUNTING, DIVERGED, SGD, campaign_by_hand

C, M, ADAM = f"{SGD}+C", f"{SGD}+M", "rnn/bernoulli/Adam"
RATES = {"low": 1e-4, "high": 1e-1, "scale": "log"}
SPACE = {"songs": {"learning_rate": RATES, "hidden_size": {"low": 100, "high": 400}}}


def _chosen(rates: dict[str, list[float]], sizes: list[int] | None = None, spaces=SPACE):
    """A campaign in which each study chose one draw of each variant, with this learning rate and number of units."""
    results = campaign_by_hand(draws={name: [[-9.0]] * len(of) for name, of in rates.items()}, spaces=spaces)
    results.trials["learning_rate"] = [rate for of in rates.values() for rate in of]
    results.trials["hidden_size"] = (sizes or [250] * max(map(len, rates.values()))) * len(rates)
    results.trials["selected"] = True
    return results


def test_an_edge_is_the_outer_tenth_on_the_scale_that_is_drawn_on():
    """Three decades: a tenth of them is a factor of 10^0.3, which is 1.995."""
    results = _chosen({SGD: [1e-4, 1.99e-4, 1e-2], C: [2.0e-4, 2.0e-4, 1e-4]})
    (row,) = edge_rows(results, "songs")
    assert (row["variant"], row["hyper_parameter"], row["edge"]) == (SGD, "learning_rate", "lower")
    assert (row["studies"], row["of"], row["low"], row["high"]) == (2, 3, 1e-4, 1e-1)
    assert edge_sentences([row], [SGD, C]) == [
        "The learning rate chosen for SGD (2 of 3 studies) lies at the lower edge of what is drawn, 0.0001 to 0.1:"
        " a better one may lie beyond."
    ]


def test_numbers_of_units_have_an_even_scale():
    results = _chosen({SGD: [1e-2] * 3, C: [1e-2] * 3}, sizes=[370, 400, 369])
    rows = edge_rows(results, "songs")
    assert [(row["variant"], row["edge"], row["studies"]) for row in rows] == [(SGD, "upper", 2), (C, "upper", 2)]
    (sentence,) = edge_sentences(rows, [SGD, C])
    assert sentence.startswith(
        "The number of hidden units chosen for SGD (2 of 3 studies) and SGD+C (2 of 3 studies) lies"
    )
    assert "at the upper edge of what is drawn, 100 to 400:" in sentence


@pytest.mark.parametrize("rates", [[1e-4], [1e-4, 1e-2], [1e-4, 1e-4, 1e-2, 1e-2], [1e-4, 1e-1, 1e-4, 1e-1]])
def test_one_study_half_of_them_and_two_edges_are_not_told(rates):
    assert edge_rows(_chosen({SGD: rates}), "songs") == []


def test_named_values_have_edges_and_other_optimizers_or_one_value_have_none():
    rates = [0.5, 0.1, 0.01]
    named = {"songs": {"learning_rate": rates, "hidden_size": 250, ADAM: {"learning_rate": 0.5}}}
    results = _chosen({SGD: [0.5, 0.5], ADAM: [0.5, 0.5]}, spaces=named)
    assert [(row["variant"], row["edge"], row["high"]) for row in edge_rows(results, "songs")] == [(SGD, "upper", 0.5)]
    assert edge_rows(_chosen({SGD: [0.5, 0.5]}, spaces={}), "songs") == []


def _techniques(letter: str, **values: list[object]):
    """A campaign in which each study chose these numbers of one technique."""
    studies = len(next(iter(values.values())))
    results = _chosen({f"{SGD}+{letter}": [1e-2] * studies})
    told = zip(*values.values(), strict=True)
    results.trials["techniques"] = [{letter: dict(zip(values, each, strict=True))} for each in told]
    return results


def test_the_numbers_of_a_technique_have_edges_on_the_scale_that_it_draws_on():
    """Momentum is drawn by the logarithm of 1 - mu, from 0.05 to 0.999: a tenth is a factor of 19.98^0.1 = 1.349."""
    high, low = 1 - 0.05 * 1.349, 1 - 0.999 / 1.350
    (row,) = edge_rows(_techniques("M", momentum=[high, 0.95, 0.5]), "songs")
    assert (row["variant"], row["hyper_parameter"], row["edge"]) == (M, "M: momentum", "upper")
    assert (row["studies"], row["of"], row["low"], row["high"]) == (2, 3, 0.001, 0.95)
    assert edge_sentences([row], [M]) == [
        "The momentum of M chosen for SGD+M (2 of 3 studies) lies at the upper edge of what is drawn, 0.001 to 0.95:"
        " a better one may lie beyond."
    ]
    assert edge_rows(_techniques("M", momentum=[high - 0.001, 0.95, 0.5]), "songs") == []
    assert edge_rows(_techniques("M", momentum=[low, 0.001, 0.5]), "songs") == []
    (row,) = edge_rows(_techniques("M", momentum=[1 - 0.999 / 1.349, 0.001, 0.5]), "songs")
    assert row["edge"] == "lower"
    whole = _techniques("P", frame_epochs=[2, 2, 3], recurrent_epochs=[9, 9, 9])
    assert [(row["hyper_parameter"], row["low"], row["high"]) for row in edge_rows(whole, "songs")] == [
        ("P: frame epochs", 2, 10)
    ]


@pytest.mark.parametrize(
    "told",
    [
        ("C", {"threshold": [15.0, 15.0]}),
        ("L", {"share": [0.5, 0.5], "reading": ["retention"] * 2}),
        ("Z", {"salt": [0, 0]}),
    ],
)
def test_of_two_values_of_names_and_of_salts_none_is_at_an_edge(told):
    letter, values = told
    assert edge_rows(_techniques(letter, **values), "songs") == []


def test_a_parabola_explains_a_peak_in_the_middle_and_adjusted_noise_nothing():
    x = np.arange(31.0)
    assert explained(list(x), -((x - 15) ** 2)) > 0.9, "where the rank correlation is 0"
    rng = np.random.default_rng(0)
    noise = [explained(list(rng.random(20)), rng.random(20)) for _ in range(400)]
    assert abs(np.mean(noise)) < 0.02
    assert min(noise) < 0


def test_what_is_explained_is_the_adjusted_r_squared_of_ranks():
    rng = np.random.default_rng(1)
    x, y = rng.random(15), rng.random(15)
    rank_x, rank_y = (pd.Series(each).rank().to_numpy() for each in (x, y))
    left = rank_y - np.polyval(np.polyfit(rank_x, rank_y, 2), rank_x)
    assert explained(list(x), y) == pytest.approx(1 - (left @ left / 12) / np.var(rank_y, ddof=1))


def test_names_and_few_numbers_explain_what_their_means_do():
    values, score = [15.0, 15.0, 60.0, 60.0, 60.0], np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    within = 2 * 0.5**2 + 2 * 1.0
    expected = 1 - (within / 3) / (10 / 4)
    assert explained(values, score) == pytest.approx(expected)
    assert explained(["a", "a", "b", "b", "b"], score) == pytest.approx(expected)


@pytest.mark.parametrize(("values", "score"), [([1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0, 1.0], [3.0, 3.0, 3.0])])
def test_too_few_draws_or_equal_scores_explain_nothing_that_can_be_told(values, score):
    assert isnan(explained(values, np.array(score)))


def test_draws_that_diverged_count_and_what_was_not_drawn_has_no_row():
    rates = [1e-3, 3e-3, 1e-2, 3e-2, 6e-2, 1e-1]
    outcomes = [[-10.0, -9.8, -9.5, -9.0, COUNTING - 1, DIVERGED]]
    results = campaign_by_hand(draws={SGD: outcomes, C: outcomes}, rates=rates)
    results.trials["techniques"] = [
        {"C": {"threshold": 15.0 + 45 * (i % 2), "same": 1}} if i > 5 else {} for i in range(12)
    ]
    results.trials["hidden_size"] = 100
    rows = mattering_rows(results, "songs")
    assert [(row["variant"], row["hyper_parameter"]) for row in rows] == [
        (SGD, "learning rate"), (C, "learning rate"), (C, "C: threshold"),
    ]  # fmt: skip
    # ranks of the scores: 3, 4, 5, 6 and twice 1.5
    expected = np.corrcoef([1, 2, 3, 4, 5, 6], [3, 4, 5, 6, 1.5, 1.5])[0, 1]
    assert [row["rank_correlation"] for row in rows[:2]] == pytest.approx([expected] * 2)
    left = np.array([3, 4, 5, 6, 1.5, 1.5]) - np.polyval(np.polyfit(range(6), [3, 4, 5, 6, 1.5, 1.5], 2), range(6))
    assert rows[0]["explained"] == pytest.approx(1 - (left @ left / 3) / np.var([3, 4, 5, 6, 1.5, 1.5], ddof=1))
    table = mattering_table(rows)
    assert [row[0] for row in table.rows] == ["learning rate", "C: threshold"]
    assert table.rows[0][2:] == (f"{expected:.2f}".replace("-", "−"), "2", "6")
    assert table.rows[1][1] == "0 %", "below zero is nothing"


def test_the_page_and_the_file_have_both(results, files):
    """On the words all numbers of units are in the lowest tenth of what they are said to be drawn from."""
    told, html = json.loads(files["results.json"])["search_space"], " ".join(files["index.html"].decode().split())
    assert told["edges"] == [
        json.loads(json.dumps(row)) for corpus in results.corpora for row in edge_rows(results, corpus)
    ]
    sentences = edge_sentences(edge_rows(results, "folk-tunes-words"), results.variants("folk-tunes-words"))
    assert "(4 of 4 studies) lies at the lower edge of what is drawn, 100 to 4,000: a better" in sentences[0]
    assert f'<p class="warning">{sentences[0]}</p>' in html
    assert "What mattered in the search: how much of the order" in html
    assert '<th scope="row">hidden size</th>' in html
    assert {row["hyper_parameter"] for row in told["mattering"]} >= {"learning rate", "hidden size", "C: threshold"}
    assert len(told["mattering"]) == sum(len(mattering_rows(results, corpus)) for corpus in results.corpora)
