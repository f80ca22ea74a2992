"""What is easier to train: both tables from campaigns by hand, their words, the page, and the sentence."""

import json
from math import exp, inf, isnan, log

import numpy as np
import pytest

from tasks.publishing.artifact import escape, score_markdown
from tasks.publishing.terminal import score_table
from tasks.report.findings import Findings
from tasks.report.numbers.closed_forms import mean_interval, paired_share_interval
from tasks.report.numbers.estimates import estimate
from tasks.report.numbers.formatting import interval, signed
from tasks.report.pages.ease import ease_section
from tasks.report.training.drawn import decades, draws_of
from tasks.report.training.ease import measure_ease
from tasks.report.training.measures import MEASURES, Logs, fill
from tasks.report.training.words import ease_sentences
from tests.tasks.report.campaigns import COUNTING, DIVERGED, SGD, campaign_by_hand

C, L, CL, M = (f"{SGD}+{letters}" for letters in ("C", "L", "CL", "M"))


def _curve(epochs: int) -> list[float]:
    """A curve that reaches -9 after so many epochs, and no more."""
    return [*([-10.0] * (epochs - 1)), -9.0]


def _technique(results, letter: str, measure: str):
    (row,) = (r for r in measure_ease(results).techniques if (r["technique"], r["measure"]) == (letter, measure))
    return row


def _finals(**epochs: list[int]):
    """Variants by letters, each with the epochs that it takes in study 0, 1, ..."""
    names = {letters: SGD if letters == "plain" else f"{SGD}+{letters}" for letters in epochs}
    return {names[k]: {(study, 7): _curve(n) for study, n in enumerate(each)} for k, each in epochs.items()}


def test_a_technique_that_halves_the_epochs_helps():
    finals = _finals(plain=[8, 16, 20], C=[4, 9, 10], L=[8, 16, 20], CL=[4, 8, 9], M=[8, 8, 8])
    row = _technique(campaign_by_hand(finals, epochs=20), "C", "epochs")
    studies = [np.mean(np.log([4 / 8, 4 / 8])), np.mean(np.log([9 / 16, 8 / 16])), np.mean(np.log([10 / 20, 9 / 20]))]
    assert row["value"] == pytest.approx(exp(np.mean(studies)))
    expected = mean_interval(studies, 0.95)
    assert (row["low"], row["high"]) == pytest.approx(tuple(map(exp, expected[1:])))
    wider = mean_interval(studies, 1 - 0.05 / 3)  # L and M are judged too: three at once
    assert (row["sim_low"], row["sim_high"]) == pytest.approx(tuple(map(exp, wider[1:])))
    assert (row["verdict"], row["n_pairs"], row["fewest_studies"], row["most_seeds"]) == ("better", 2, 3, 3)


def test_what_takes_longer_hurts_and_equal_times_are_known_to_an_epoch_alone():
    finals = _finals(plain=[4, 4, 4, 4], C=[8, 8, 8, 8], L=[4, 4, 4, 4], CL=[8, 8, 8, 8])
    results = campaign_by_hand(finals, epochs=10)
    slow = _technique(results, "C", "epochs")
    assert (slow["value"], slow["verdict"]) == (pytest.approx(2.0), "worse")
    rounding = (1 / 4**2 + 1 / 8**2) / 12 / 2
    assert (slow["low"], slow["high"]) == pytest.approx(
        tuple(map(exp, mean_interval([log(2)] * 4, 0.95, rounding)[1:]))
    )
    same = _technique(results, "L", "epochs")
    assert (same["value"], same["verdict"]) == (pytest.approx(1.0), "undecided")
    assert same["low"] < 1 < same["high"]


def test_one_study_has_no_word():
    pair = _technique(campaign_by_hand(_finals(plain=[8, 16, 20], C=[2, 4, 5])), "C", "epochs")
    assert (pair["verdict"], pair["value"]) == ("better", pytest.approx(0.25))
    study = _technique(campaign_by_hand(_finals(plain=[8], C=[2], L=[8], CL=[2])), "C", "epochs")
    assert (study["verdict"], study["value"]) == ("unreplicated", pytest.approx(0.25))
    assert isnan(study["low"])
    assert isnan(study["sim_high"])


def test_a_seed_that_learned_nothing_is_counted():
    finals = _finals(plain=[4, 4], C=[4, 4])
    finals[SGD][1, 7] = DIVERGED
    row = _technique(campaign_by_hand(finals, epochs=16), "C", "epochs")
    assert row["value"] == pytest.approx(exp((0 + log(4 / 16)) / 2))
    assert (row["never"], row["dropped"]) == (1, 0)


def test_draws_are_compared_one_by_one():
    draws = {
        SGD: [[-9.0, DIVERGED, DIVERGED, -9.1], [DIVERGED, -9.0, -9.0, "failed"]],
        C: [[-9.0, -9.0, DIVERGED, -9.1], [-9.0, -9.0, -9.0, -9.0]],
        L: [[-9.0, DIVERGED, DIVERGED, -9.1], [DIVERGED, -9.0, -9.0, -9.0]],
        CL: [[-9.0, -9.0, -9.0, -9.1], [-9.0, -9.0, -9.0, -9.0]],
    }
    row = _technique(campaign_by_hand(draws=draws), "C", "diverged")
    means = [0, -1, -0.5, 0, -1, 0, 0, 0]
    expected = paired_share_interval(means, 0.95)
    assert (row["value"], row["low"], row["high"]) == pytest.approx(tuple(100 * each for each in expected))
    assert (row["fewest_seeds"], row["most_seeds"], row["n_pairs"]) == (7, 8, 2)


def test_fewer_divergences_help_and_are_said_so_from_one_study():
    gone, fine = [[DIVERGED] * 30 + [-9.0] * 10], [[-9.0] * 40]
    draws = {SGD: gone, C: fine, L: gone, CL: fine}
    results = campaign_by_hand(draws=draws)
    row = _technique(results, "C", "diverged")
    assert (row["value"], row["verdict"]) == (-75.0, "better")
    assert _technique(results, "C", "trained")["verdict"] == "better"
    assert _technique(results, "L", "diverged")["verdict"] == "undecided"
    said = ease_sentences(measure_ease(results), ["songs"])["songs"]
    bounds = f"[{-row['sim_high']:.1f}, {-row['sim_low']:.1f}]"
    assert said.startswith(
        f"Ease of training: with C 75.0 % fewer of the draws diverge {bounds} and 75.0 % more of the draws are good ["
    )
    assert said.endswith("; of L nothing can be told from chance.")
    early = {SGD: [["untrained"] * 30 + [-9.0] * 10], C: [["untrained"] * 30 + [-9.0] * 10]}
    instead = {**early, SGD: gone, L: gone, CL: early[C]}
    said = ease_sentences(measure_ease(campaign_by_hand(draws=instead)), ["songs"])["songs"]
    assert said.startswith(
        f"Ease of training: with C 75.0 % fewer of the draws diverge {bounds}, though it cannot be told"
    )
    assert "that more of them train and 75.0 % more of the draws learn nothing [" in said
    never = {name: [["untrained" if each == DIVERGED else each for each in of[0]]] for name, of in draws.items()}
    said = ease_sentences(measure_ease(campaign_by_hand(draws=never)), ["songs"])["songs"]
    assert said.startswith("Ease of training: with C 75.0 % fewer of the draws learn nothing [")
    assert "of the draws train" not in said


def test_a_draw_is_good_within_a_tenth_of_the_way_from_counting_to_the_best():
    """The best is -9, counting -11: good is -9.2 and better. Nine of ten draws a decade apart are three decades."""
    draws = {SGD: [[-9.0, -9.19, -9.21, DIVERGED, COUNTING, "untrained"]]}
    results = campaign_by_hand(draws=draws)
    assert [each.good for each in draws_of(results, "songs")[SGD].values()] == [True, True, False, False, False, False]
    assert [each.trained for each in draws_of(results, "songs")[SGD].values()] == [True] * 3 + [False] * 3
    (row,) = measure_ease(results).variants
    assert (row["good"], row["decades"]) == (pytest.approx(100 / 3), pytest.approx(1.0)), "a third of three decades"
    assert (row["trained"], row["diverged"], row["draws"]) == (50.0, pytest.approx(100 / 6), 6)
    assert row["untrained"] == pytest.approx(100 / 3), "no better than counting, whatever its status"


def test_the_width_of_the_good_range_is_the_share_of_evenly_drawn_rates():
    rates = [10 ** (-4 + 3 * (i + 0.5) / 30) for i in range(30)]
    draws = {SGD: [[-9.0 if 1e-3 < rate < 10**-1.5 else -10.0 for rate in rates]]}
    (row,) = measure_ease(campaign_by_hand(draws=draws, rates=rates)).variants
    assert row["decades"] == pytest.approx(1.5)


def test_rates_that_are_named_or_of_another_optimizer_have_no_decades():
    results = campaign_by_hand(draws={SGD: [[-9.0]]})
    assert decades(results, "songs", [SGD, C]) == pytest.approx(3.0)
    assert isnan(decades(results, "songs", ["rnn/bernoulli/Adam"]))
    named = campaign_by_hand(draws={SGD: [[-9.0]]}, spaces={"songs": {"learning_rate": [0.1, 0.01]}})
    assert isnan(decades(named, "songs", [SGD]))


def test_a_good_draw_goes_by_the_score_that_all_draws_had_the_epochs_for():
    results = campaign_by_hand(draws={SGD: [[-9.0, -9.0]]})
    results.trials.loc[1, "valid_first"] = -10.0
    assert [each.good for each in draws_of(results, "songs")[SGD].values()] == [True, False]


def test_variants_reach_targets_or_never():
    """Plain SGD gets from -11 to -9: two thirds of the way is -9.667, nine tenths -9.2."""
    finals = {
        SGD: {(0, 7): [-10.0, -9.0], (1, 7): [-9.5, -9.0]},
        C: {(0, 7): [-9.9, -9.6, -9.1], (1, 7): DIVERGED, (2, 7): [-9.0]},
    }
    plain, clipped = measure_ease(campaign_by_hand(finals)).variants
    assert [(t["reached"], t["finals"], t["epochs"]) for t in plain["targets"]] == [(2, 2, 1.5), (2, 2, 2), (2, 2, 2)]
    assert [(t["reached"], t["finals"], t["epochs"]) for t in clipped["targets"]] == [
        (1, 2, inf),
        (1, 2, inf),
        (0, 2, inf),
    ]
    finals[C][1, 7] = [-9.0]
    _, clipped = measure_ease(campaign_by_hand(finals)).variants
    assert [(t["reached"], t["epochs"], t["updates"]) for t in clipped["targets"]] == [
        (2, 1.5, 7.5),
        (2, 2, 10),
        (1, inf, inf),
    ]


def test_a_variant_is_compared_with_its_own_plain_sgd():
    finals = _finals(plain=[8, 8, 9], C=[4, 4, 4])
    finals |= {name.replace("rnn/", "gru/"): runs for name, runs in _finals(plain=[2, 2, 2], M=[4, 4, 4]).items()}
    rows = {row["variant"]: row for row in measure_ease(campaign_by_hand(finals)).variants}
    assert rows[C]["value"] == pytest.approx(exp((2 * log(4 / 8) + log(4 / 9)) / 3))
    assert rows["gru/bernoulli/SGD+M"]["value"] == pytest.approx(2.0)
    assert isnan(rows[SGD]["value"])


def test_nothing_at_all_makes_empty_tables():
    results = campaign_by_hand({SGD: {}, C: {}})
    ease = measure_ease(results)
    assert all(isnan(row["value"]) and row["verdict"] == "" for row in ease.techniques)
    assert all(isnan(row["trained"]) for row in ease.variants)
    assert ease_sentences(ease, ["songs"]) == {"songs": ""}
    section = ease_section(Findings(results, estimate(results, resamples=2)), "songs", "ease")
    assert {cell.value for cells in section.rows.values() for cell in cells} == {"–"}


def test_the_page_the_file_and_the_terminal_say_the_same(results, files):
    told, ease = json.loads(files["results.json"]), measure_ease(results)
    said = ease_sentences(ease, list(results.corpora))
    assert told["ease"]["answers"] == said
    html, terminal = (" ".join(text.split()) for text in (files["index.html"].decode(), score_table(told)))
    for sentence in said.values():
        assert sentence in html
        assert sentence in terminal
        assert escape(sentence) in score_markdown(told, "here")
    rows = {(row["corpus"], row["technique"], row["measure"]): row for row in told["ease"]["techniques"]}
    assert len(rows) == len(told["ease"]["techniques"]) == 3 * 4 * 7
    share, epochs = rows["bach-chorales", "C", "trained"], rows["bach-chorales", "C", "epochs"]
    bounds = interval(share["sim_low"], share["sim_high"], 1)
    assert f"{signed(share['value'], 1)} <small>{bounds}</small> <small>8 pairs, 16 draws" in html
    assert epochs["verdict"] == "better"
    bounds = interval(epochs["sim_low"], epochs["sim_high"], 2)
    basis = "<small>7 pairs, 4 studies, 1 seed never</small>"
    word = '<td class="better"><span class="word">helps</span>'
    assert f"{word} {epochs['value']:.2f} <small>{bounds}</small> {basis}</td>" in html
    assert f"with C the same validation score takes {epochs['value']:.2f} times the epochs {bounds}" in html
    first = told["ease"]["variants"][0]["targets"][0]
    assert f"<td>{first['epochs']:g} ({first['reached']} of {first['finals']})</td>" in html


def test_an_end_that_is_printed_as_no_change_is_one():
    rows = [{"n_pairs": 2, "fewest_studies": 3} for _ in range(2)]
    mean, half = -0.2, mean_interval([-1.0, 0.0, 1.0], 0.975).high
    told = [[mean + (mean - end) * step / half for step in (-1.0, 0.0, 1.0)] for end in (-0.004, -0.02)]
    fill(MEASURES["epochs"], [(row, Logs(values, 0.0)) for row, values in zip(rows, told, strict=True)])
    assert [row["sim_high"] for row in rows] == pytest.approx([exp(-0.004), exp(-0.02)])
    assert [row["verdict"] for row in rows] == ["undecided", "better"]
