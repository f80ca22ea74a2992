"""Why: what is told of the diagnostics of several seeds, and how it is drawn and written."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest

from tasks.report import Findings, build_report, estimate, results_json
from tasks.report.charts.why import clipping_chart, gradient_panels, time_constant_chart, zero_chart
from tasks.report.words.why import SMALLEST, diagnoses_of, reach_sentence, shown_variants, why_table
from tests.tasks.report.pages_made import of_variants, small_results, undrawn

MUSIC, FAMILY = "bach-chorales", "rnn/bernoulli/"


@pytest.fixture(scope="module")
def told(results):
    of_family = [each for each in diagnoses_of(results, MUSIC) if each.variant.startswith(FAMILY)]
    return {each.variant.removeprefix(FAMILY): each for each in of_family}


def _numbers(results, variant, quantity, moment):
    rows = results.diagnostics
    finals = results.trials.query("purpose == 'final' and status == 'completed'")["key"]
    mine = rows[(rows["corpus"] == MUSIC) & (rows["variant"] == f"{FAMILY}{variant}") & rows["key"].isin(finals)]
    return mine[(mine["quantity"] == quantity) & (mine["moment"] == moment)]


def test_what_is_left_is_the_geometric_mean_over_the_seeds_that_completed(results, told):
    for variant, seeds in (("SGD", 8), ("SGD+M", 7), ("SGD+CR", 7)):
        norms = _numbers(results, variant, "gradient_norm", "best").pivot(index="index", columns="key", values="value")
        ratios = (norms / norms.loc[0]).to_numpy(float)
        spread = told[variant].gradient_left["best"]
        assert (told[variant].seeds, ratios.shape) == (seeds, (51, seeds))
        assert spread.mean == pytest.approx(np.prod(ratios, axis=1) ** (1 / seeds))
        assert spread.low == pytest.approx(ratios.min(axis=1))
        assert spread.high == pytest.approx(ratios.max(axis=1))
        assert spread.mean[0] == 1


def test_the_other_numbers_are_means_over_seeds_and_epochs(results, told):
    curves = results.curves[(results.curves["corpus"] == MUSIC) & (results.curves["epoch"] > 0)]
    for variant in ("SGD", "SGD+CLR", "SGD+CLRM"):
        each = told[variant]
        for moment in ("start", "best"):
            radii = _numbers(results, variant, "spectral_radius", moment)["value"]
            assert each.spectral_radius[moment] == pytest.approx(radii.mean())
        assert each.zero_states == pytest.approx(0.4 if "R" in variant else 0)
        assert each.zero_gradients == pytest.approx(0.6 if "R" in variant else 0)
        constants = _numbers(results, variant, "time_constant", "start")["value"]
        assert each.time_constants == tuple(sorted(constants))
        keys = set(_numbers(results, variant, "zero_states", "best")["key"])
        mine = curves[curves["key"].isin(keys)]
        assert each.clipped_share[3] == pytest.approx(mine.loc[mine["epoch"] == 4, "clipped_share"].mean())
        assert len(each.clipped_share) == mine["epoch"].max()
        assert each.update_ratio == pytest.approx(0.002)


def _changed(results, change):
    rows = results.diagnostics.copy()
    rows["value"] = [change(row) for row in rows.itertuples()]
    return dataclasses.replace(results, diagnostics=rows)


def test_a_gradient_that_vanished_or_overflowed_has_a_place_on_the_axis_or_none():
    odd = {("gradient_norm", 7): 0.0, ("gradient_norm", 20): np.inf}
    few = of_variants(small_results(MUSIC), MUSIC, "rnn/bernoulli/SGD", "rnn/bernoulli/SGD+C")
    broken = _changed(few, lambda row: odd.get((row.quantity, row.index), row.value))
    told = diagnoses_of(broken, MUSIC)
    left = told[0].gradient_left["best"]
    assert left.mean[7] == pytest.approx(SMALLEST)
    assert len(left.mean) == 20, "nothing is told from where nothing is a number"
    assert [title for title, _ in gradient_panels(told, None)] == ["SGD and SGD+C"]
    assert "below 10⁻¹²" not in why_table(told).rows[0]
    assert json.loads(results_json(Findings(broken, estimate(broken, resamples=20))))["diagnostics"]


def test_what_is_drawn_is_the_smallest_of_each_technique_and_the_best(results, told):
    every = list(told.values())
    tails = [name.rpartition("/")[2] for name in shown_variants(every, "rnn/bernoulli/SGD+CLRM")]
    assert tails == ["SGD+C", "SGD+L", "SGD+R", "SGD+M", "SGD+CLRM"]
    assert [name.rpartition("/")[2] for name in shown_variants(every, "rnn/bernoulli/SGD")] == tails[:4]
    text = diagnoses_of(results, "folk-tunes-words")
    titles = [title for title, _ in gradient_panels(text, None)]
    assert titles == [f"rnn/softmax/SGD and rnn/softmax/SGD+{letters}" for letters in ("C", "CL", "CLR")]
    assert [title for title, _ in gradient_panels([told["SGD"]], None)] == ["SGD"]


def test_a_technique_is_shown_by_the_main_family_with_sgd_alone(results):
    told = diagnoses_of(results, MUSIC)
    names = [each.variant for each in told]
    assert {"rnn/bernoulli/Adam+C", "rnn/nade/SGD+CM"} <= set(names)
    singles = [f"{FAMILY}SGD+{letter}" for letter in "CLRM"]
    assert shown_variants(told, "rnn/nade/SGD+CM") == [*singles, "rnn/nade/SGD+CM"]
    without_c = [each for each in told if each.variant.startswith("rnn/nade") or "+C" not in each.variant]
    without_c += [each for each in told if each.variant == "rnn/bernoulli/Adam+C"]
    assert shown_variants(without_c, None) == [f"{FAMILY}SGD+{letter}" for letter in "LRM"]
    sentence = reach_sentence(told)
    assert "is left in rnn/bernoulli/SGD, " in sentence
    assert "nade" not in sentence
    assert "Adam" not in sentence


def test_there_is_no_chart_of_what_no_variant_has(told):
    charts = (zero_chart, time_constant_chart, clipping_chart)
    assert [chart([told["SGD"], told["SGD+M"]]) for chart in charts] == [None] * 3
    assert None not in [chart([told["SGD+CLR"]]) for chart in charts]


def test_the_table_and_the_sentence_say_it_in_words(told):
    table = why_table([told["SGD"], told["SGD+CLR"]])
    plain, other = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    assert (plain["variant"], plain["clipped updates"], plain["time constants, steps"]) == ("SGD", "–", "–")
    assert (other["zero states"], other["zero gradients"], other["update / weights"]) == ("40 %", "60 %", "0.002")
    assert re.fullmatch(r"1\.00 → 1\.\d\d", plain["spectral radius, start → best"])
    assert re.fullmatch(r"\d\.\d·10⁻⁵|\d\.\d·10⁻⁶", plain["gradient left after 50 steps"])
    left = told["SGD"].gradient_left["best"].mean[10]
    assert plain["gradient left after 10 steps"] in (f"{100 * left:.0f} %", f"{100 * left:.1f} %")
    sentence = reach_sentence(list(told.values())).replace("\u00a0", " ")
    assert sentence.startswith(
        f"After 10 steps {plain['gradient left after 10 steps']} of the gradient is left in SGD, "
    )
    most = max(told, key=lambda variant: told[variant].gradient_left["best"].mean[10])
    assert f"the most in {most} (" in sentence
    assert reach_sentence([told["SGD+C"]]) == ""


def test_results_json_has_the_numbers(files, results, told):
    diagnostics = json.loads(files["results.json"])["diagnostics"]
    assert {each["corpus"] for each in diagnostics} == set(results.corpora)
    (plain,) = [each for each in diagnostics if (each["corpus"], each["variant"]) == (MUSIC, "rnn/bernoulli/SGD")]
    assert plain["gradient_left"]["best"]["mean"] == list(told["SGD"].gradient_left["best"].mean)
    assert plain["time_constants"] == [None, None, None]
    (leaky,) = [each for each in diagnostics if (each["corpus"], each["variant"]) == (MUSIC, "rnn/bernoulli/SGD+L")]
    assert leaky["time_constants"] == [min(c := told["SGD+L"].time_constants), np.median(c), max(c)]


def test_cores_with_gates_have_no_radius(results):
    rows = results.diagnostics[results.diagnostics["quantity"] != "spectral_radius"]
    told = diagnoses_of(dataclasses.replace(results, diagnostics=rows), MUSIC)
    assert told[0].spectral_radius == {}
    assert why_table(told).rows[0][3] == "–"


def test_a_report_of_older_trials_says_that_nothing_was_measured():
    results = small_results("folk-tunes-words")
    results = dataclasses.replace(results, diagnostics=results.diagnostics.head(0))
    with undrawn():
        files = build_report(results)
    html = files["index.html"].decode()
    assert html.count("this was not measured") == 1
    assert "gradient left" not in html
    assert json.loads(files["results.json"])["diagnostics"] == []


def test_one_old_trial_beside_new_ones_is_left_out(results):
    (old,) = results.trials.query("purpose == 'final' and status == 'completed'").query(
        "corpus == @MUSIC and variant == 'rnn/bernoulli/SGD' and study == 0 and seed == 0"
    )["key"]
    rows = results.diagnostics[results.diagnostics["key"] != old]
    told = diagnoses_of(dataclasses.replace(results, diagnostics=pd.DataFrame(rows)), MUSIC)
    assert (told[0].variant, told[0].seeds) == ("rnn/bernoulli/SGD", 7)
