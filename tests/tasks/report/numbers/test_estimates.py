"""The tables of numbers: known effects are found, counts are right, ties and edges are told."""

import dataclasses

import numpy as np
import pytest

from tasks.report import estimate
from tasks.report.numbers.estimates import EFFECT_COLUMNS, SCORE_COLUMNS
from tasks.report.numbers.formatting import number
from tasks.report.words import tables
from tasks.report.words.answer import answer
from tests.tasks.report.synthetic import EFFECTS, estimated_results, synthetic_results

CHORALES = "bach-chorales"


@pytest.fixture(scope="module")
def music(results):
    """Of the results those on music, for who looks at no other: estimates take half as long."""
    return dataclasses.replace(results, corpora={CHORALES: results.corpora[CHORALES]})


def _without(results, **wanted):
    """The results without the test scores of some variants."""
    frame = results.pieces
    return dataclasses.replace(results, pieces=frame[~frame["variant"].isin(wanted["variants"])])


def _row(estimates, variant, metric="log_likelihood"):
    rows = estimates.scores[(estimates.scores["variant"] == variant) & (estimates.scores["metric"] == metric)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_every_variant_baseline_and_metric_has_a_row(estimates):
    assert tuple(estimates.scores) == SCORE_COLUMNS
    assert tuple(estimates.effects) == EFFECT_COLUMNS
    sizes = estimates.scores.groupby(["corpus", "metric"]).size().to_dict()
    assert sizes == {
        (CHORALES, "accuracy"): 22, (CHORALES, "log_likelihood"): 22, (CHORALES, "union_accuracy"): 22,
        ("folk-tunes-characters", "bits_per_character"): 6, ("folk-tunes-words", "perplexity"): 8,
    }  # fmt: skip


def test_the_effects_that_were_put_in_are_found(estimates):
    effects = estimates.effects[estimates.effects["metric"] == "log_likelihood"].set_index("technique")
    for letter, effect in EFFECTS["music"].items():
        row = effects.loc[letter]
        assert row["pairs_asked"] == 8
        assert row["n_pairs"] == len(row["pairs"]) == 7, "LR is held back: the pair that it is in is missed"
        assert row["effect"] == pytest.approx(effect, abs=0.05)
        assert row["sim_low"] < row["low"] < row["effect"] < row["high"] < row["sim_high"]
        assert (row["fewest_studies"], row["most_studies"], row["fewest_seeds"], row["most_seeds"]) == (4, 4, 7, 8)
    assert effects.loc["C", "sim_low"] > 0
    assert effects.loc["L", "low"] < 0 < effects.loc["L", "high"]


def test_the_effects_on_all_corpora_are_one_family(results):
    """Beside the effect of C on words, those on music reach as far as before, and their intervals at once farther."""
    alone = dataclasses.replace(results, corpora={CHORALES: results.corpora[CHORALES]})
    music, both = (estimate(each, resamples=1000).effects for each in (alone, results))
    for metric, wider in (("log_likelihood", True), ("accuracy", False)):
        mine, other = (table[table["metric"] == metric].reset_index(drop=True) for table in (music, both))
        assert mine[["effect", "low", "high"]].equals(other[["effect", "low", "high"]])
        assert ((other["sim_high"] > mine["sim_high"]) & (other["sim_low"] < mine["sim_low"])).all() == wider


def test_what_can_have_no_word_makes_no_other_interval_wider(results):
    """A variant with one study is no member: the others' intervals are those without it."""
    pieces, name = results.pieces, "rnn/softmax/SGD+CL"
    words = {"folk-tunes-words": results.corpora["folk-tunes-words"]}
    mine = pieces["variant"] == name
    lost, absent = (
        dataclasses.replace(results, corpora=words, pieces=pieces[~mine | kept])
        for kept in (pieces["study"] == 0, pieces["study"] < 0)
    )
    columns = ["diff_low", "diff_sim_low", "diff_sim_high", "diff_studies"]
    one, none = (estimate(each, resamples=1000).scores.set_index("variant")[columns] for each in (lost, absent))
    assert (one.loc[name, "diff_studies"], none.loc[name, "diff_studies"]) == (1, 0)
    assert one.drop(name).sort_index().equals(none.drop(name).sort_index())


def test_metrics_are_pooled_as_pinned(results, estimates):
    pieces = results.pieces.groupby("variant").sum(numeric_only=True)
    music, text = pieces.loc["rnn/bernoulli/SGD+C"], results.pieces[results.pieces["variant"] == "rnn/softmax/SGD+C"]
    assert _row(estimates, "rnn/bernoulli/SGD+C")["mean"] == pytest.approx(music["log_likelihood"] / music["steps"])
    accuracy = _row(estimates, "rnn/bernoulli/SGD+C", "accuracy")["mean"]
    assert accuracy == pytest.approx(100 * music["accuracy"] / music["steps"])
    nats = text.groupby("corpus")[["log_likelihood", "steps"]].sum().eval("-log_likelihood / steps")
    bits, perplexity = (_row(estimates, "rnn/softmax/SGD+C", m)["mean"] for m in ("bits_per_character", "perplexity"))
    assert bits == pytest.approx(nats["folk-tunes-characters"] / np.log(2))
    assert perplexity == pytest.approx(np.exp(nats["folk-tunes-words"]))


def test_positive_is_better_whichever_way_a_metric_runs(estimates):
    for _, rows in estimates.scores[estimates.scores["n_seeds"] == 8].groupby(["corpus", "metric"]):
        others = rows[rows["reference"] != ""]
        plain = rows.set_index("variant").loc[others["reference"], "mean"].to_numpy()
        sign = np.where(others["higher_is_better"], 1, -1)
        assert np.allclose(others["difference"], sign * (others["mean"] - plain))


def test_best_comes_first_and_baselines_last(estimates):
    for corpus, kind_first in ((CHORALES, -1), ("folk-tunes-characters", 1)):
        rows = estimates.primary(corpus)
        trained = rows[~rows["variant"].str.startswith("baseline/")]
        assert (np.diff(trained["mean"].dropna()) * kind_first >= 0).all()
        assert rows["variant"].iloc[len(trained) :].str.startswith("baseline/").all()
        assert trained["tied_with_best"].iloc[0]
        assert not rows["tied_with_best"].iloc[len(trained) :].any()


def test_a_diverged_seed_is_counted_and_left_out(estimates):
    row = _row(estimates, "rnn/bernoulli/SGD+M")
    assert (row["n_seeds"], row["seeds_asked"], row["seeds_diverged"], row["seeds_failed"]) == (7, 8, 1, 0)
    assert (row["n_studies"], row["studies_asked"]) == (4, 4)
    assert (row["diff_studies"], row["diff_seeds"], row["diff_dropped"]) == (4, 7, 1)


def test_a_trial_that_failed_is_no_budget_and_holds_its_variant_back(estimates):
    row = _row(estimates, "rnn/bernoulli/SGD+LR")
    assert (row["search_asked"], row["search_ended"], row["held_back"]) == (16, 12, True)
    assert (row["n_seeds"], row["seeds_asked"], row["seeds_failed"], row["tied_with_best"]) == (0, 0, 0, False)
    others = estimates.scores[estimates.scores["variant"] != "rnn/bernoulli/SGD+LR"]
    assert not others["held_back"].any()
    assert (others["search_asked"] == others["search_ended"]).all()
    said = answer(estimates, CHORALES).warnings
    assert (
        "rnn/bernoulli/SGD+LR is held back: 12 of 16 search trials ended. The same campaign, run again, completes it."
        in said
    )
    assert not any("Without a test score" in warning for warning in said)


def test_a_variant_that_was_scored_after_an_incomplete_search_is_told(music):
    trials = music.trials.copy()
    search = trials[(trials["variant"] == "rnn/bernoulli/SGD+C") & (trials["purpose"] == "search")]
    trials.loc[search[~search["selected"]].index[:2], "status"] = "failed"
    estimates = estimate(dataclasses.replace(music, trials=trials), resamples=50)
    row = _row(estimates, "rnn/bernoulli/SGD+C")
    assert (row["search_asked"], row["search_ended"], row["held_back"]) == (16, 14, False)
    assert (row["n_seeds"], row["seeds_asked"]) == (8, 8)
    told = "rnn/bernoulli/SGD+C was chosen among fewer: 14 of 16 search trials ended; not on equal terms."
    assert told in answer(estimates, CHORALES).warnings


def test_variants_that_are_held_back_alike_share_a_sentence(music):
    trials = music.trials[(music.trials["purpose"] == "search") | (music.trials["corpus"] != CHORALES)]
    estimates = estimate(dataclasses.replace(music, trials=trials), resamples=50)
    scores = estimates.scores.copy()
    trained = (scores["corpus"] == CHORALES) & ~scores["variant"].str.startswith("baseline/")
    scores.loc[trained, ["search_ended", "held_back"]] = 7, True
    scores.loc[trained, "search_asked"] = 8
    scores.loc[trained, ["mean", "low", "high"]] = np.nan
    said = answer(dataclasses.replace(estimates, scores=scores), CHORALES)
    assert said.line == f"{CHORALES}: no test score"
    (told,) = said.warnings
    assert told.count("SGD") + told.count("Adam") == 19
    assert told.endswith(" are held back: 7 of 8 search trials ended. The same campaign, run again, completes it.")


def test_a_search_of_which_everything_diverged_is_whole(music):
    trials = music.trials[(music.trials["variant"] != "rnn/bernoulli/SGD+M") | (music.trials["purpose"] != "final")]
    trials = trials.assign(status=trials["status"].where(trials["variant"] != "rnn/bernoulli/SGD+M", "diverged"))
    kept = _without(music, variants=["rnn/bernoulli/SGD+M"])
    estimates = estimate(dataclasses.replace(kept, trials=trials), resamples=50)
    row = _row(estimates, "rnn/bernoulli/SGD+M")
    assert (row["search_ended"], row["held_back"], row["n_seeds"], row["seeds_asked"]) == (16, False, 0, 8)
    assert "Without a test score: rnn/bernoulli/SGD+M." in answer(estimates, CHORALES).warnings


def test_the_best_variant_is_not_praised_for_the_seeds_it_lost(estimates):
    rows = estimates.primary(CHORALES)
    best = rows[rows["variant"].str.startswith("rnn/bernoulli/")].iloc[0]
    assert (best["variant"], best["seeds_failed"]) == ("rnn/bernoulli/SGD+CR", 1)
    (told,) = (warning for warning in answer(estimates, CHORALES).warnings if "survivors" in warning)
    assert told == (
        "rnn/bernoulli/SGD+CR is best over the 7 of 8 seeds that have a score; 1 failed:"
        " the score of the survivors may flatter it."
    )
    scores = estimates.scores.copy()
    scores.loc[scores["variant"] == best["variant"], ["n_seeds", "seeds_asked"]] = 2, 6
    scores.loc[scores["variant"] == best["variant"], ["seeds_diverged", "seeds_untrained"]] = 2, 1
    said = answer(dataclasses.replace(estimates, scores=scores), CHORALES).warnings
    assert any(
        "over the 2 of 6 seeds that have a score; 2 diverged, 1 learned nothing and 1 failed" in warning
        for warning in said
    )
    assert not any("survivors" in warning for warning in answer(estimates, "folk-tunes-characters").warnings)


def test_seeds_that_never_learned_are_counted_left_out_and_told(music):
    trials = music.trials.copy()
    finals = (trials["variant"] == "rnn/bernoulli/SGD+CL") & (trials["purpose"] == "final")
    key = trials.loc[finals, "key"].iloc[0]
    trials.loc[trials["key"] == key, "status"] = "untrained"
    lost = dataclasses.replace(music, trials=trials, pieces=music.pieces[music.pieces["key"] != key])
    estimates = estimate(lost, resamples=100)
    row = _row(estimates, "rnn/bernoulli/SGD+CL")
    ends = ("seeds_asked", "n_seeds", "seeds_diverged", "seeds_untrained", "seeds_failed")
    assert [row[name] for name in ends] == [8, 7, 0, 1, 0]
    (told,) = (line for line in answer(estimates, CHORALES).warnings if line.startswith("Seeds without a score"))
    assert "1 learned nothing of rnn/bernoulli/SGD+CL" in told
    assert "1 diverged of rnn/bernoulli/SGD+M" in told
    cells = {row.label: (row.diverged, row.untrained) for row in tables.score_rows(lost, estimates, CHORALES)}
    assert cells["rnn/bernoulli/SGD+CL"][1] == "0 + 1"
    assert cells["rnn/bernoulli/SGD+M"] == ("3 + 1", "0 + 0")
    budget = tables.budget_table(lost)
    assert dict(zip(budget.columns, budget.rows[0], strict=True))["learned nothing"] == "1"


def test_a_variant_without_a_score_keeps_its_row_and_its_pairs_are_missed(music):
    estimates = estimate(_without(music, variants=["rnn/bernoulli/SGD+C"]), resamples=100)
    row = _row(estimates, "rnn/bernoulli/SGD+C")
    assert np.isnan(row["mean"])
    assert np.isnan(row["difference"])
    effects = estimates.effects[estimates.effects["metric"] == "log_likelihood"].set_index("technique")
    assert effects["n_pairs"].to_dict() == {"C": 6, "L": 6, "R": 6, "M": 6}, "and LR is held back"
    assert "Without a test score: rnn/bernoulli/SGD+C." in answer(estimates, CHORALES).warnings


def test_the_answer_names_best_techniques_and_ties(estimates):
    music, words = answer(estimates, CHORALES), answer(estimates, "folk-tunes-words")
    assert music.best.startswith(f"On {CHORALES} the best variant of rnn/bernoulli on the test split was SGD+C")
    assert "better than rnn/bernoulli/SGD by 0." in music.best
    assert "C helped (+0.3" in music.techniques
    assert "L made no difference that can be told from chance" in music.techniques
    assert "no technique" in words.techniques
    assert "cannot be told apart" in words.best


def _said_of_difference(estimates, variant, difference, low, high):
    """The answer if a variant were the best and its difference to plain SGD had this interval."""
    scores = estimates.scores.copy()
    row = (scores["variant"] == variant) & (scores["metric"] == "log_likelihood")
    scores.loc[row, ["difference", "diff_sim_low", "diff_sim_high"]] = difference, low, high
    order = scores.index[row].append(scores.index[~row])
    return answer(dataclasses.replace(estimates, scores=scores.loc[order]), CHORALES)


def test_a_best_variant_is_called_better_only_if_its_interval_says_so(estimates):
    clear = _said_of_difference(estimates, "rnn/bernoulli/SGD+CR", 0.2, 0.001, 0.4)
    assert ", better than rnn/bernoulli/SGD by 0.200 [0.001, 0.400]" in clear.best
    unclear = _said_of_difference(estimates, "rnn/bernoulli/SGD+CR", 0.2, -0.001, 0.4)
    assert "which cannot be told apart from rnn/bernoulli/SGD" in unclear.best
    assert ", better than rnn/bernoulli/SGD" not in unclear.best
    unknown = _said_of_difference(estimates, "rnn/bernoulli/SGD+CR", 0.2, np.nan, np.nan)
    assert "which cannot be told apart from rnn/bernoulli/SGD" in unknown.best


def test_single_techniques_are_judged_by_their_intervals(estimates):
    assert answer(estimates, CHORALES).alone == (
        "Added alone, C and R improved on rnn/bernoulli/SGD; L and M cannot be told apart from rnn/bernoulli/SGD."
    )
    worse = _said_of_difference(estimates, "rnn/bernoulli/SGD+L", -0.2, -0.3, -0.1)
    assert worse.alone == (
        "Added alone, C and R improved on rnn/bernoulli/SGD; L did worse than rnn/bernoulli/SGD;"
        " M cannot be told apart from rnn/bernoulli/SGD."
    )


def test_the_answer_without_plain_or_without_anything(music):
    no_plain = answer(estimate(_without(music, variants=["rnn/bernoulli/SGD"]), resamples=50), CHORALES)
    assert "rnn/bernoulli/SGD has no test score to compare with" in no_plain.best
    assert no_plain.alone == ""
    trained = [name for name in music.pieces["variant"].unique() if not name.startswith("baseline/")]
    nothing = answer(estimate(_without(music, variants=trained), resamples=50), CHORALES)
    assert "nothing can be said" in nothing.best
    assert nothing.line == f"{CHORALES}: no test score"


def test_the_answer_admits_that_counting_is_better(music):
    pieces = music.pieces.copy()
    pieces.loc[pieces["variant"] == "baseline/uniform", "log_likelihood"] *= 0.01
    said = answer(estimate(dataclasses.replace(music, pieces=pieces), resamples=50), CHORALES)
    assert any("No variant beats counting: the baseline uniform" in warning for warning in said.warnings)


def test_an_estimated_score_says_so_wherever_it_stands(music, estimates):
    music = _without(music, variants=["rnn/nade/SGD", "rnn/nade/SGD+CM"])
    best = "rnn/bernoulli/SGD+CR"
    changed = estimate(estimated_results(music, best, 0.05), resamples=300)
    name = best.replace("bernoulli", "rbm")
    marked = changed.scores[changed.scores["estimated"]]
    assert marked[["corpus", "variant", "metric"]].to_numpy().tolist() == [[CHORALES, name, "log_likelihood"]]
    assert not estimates.scores["estimated"].any()
    mine, exact = _row(changed, name), _row(estimate(music, resamples=300), best)
    assert mine["mean"] == exact["mean"]
    assert mine["high"] - mine["low"] > 1.01 * (exact["high"] - exact["low"])
    said = answer(changed, CHORALES)
    assert f"with ≈ {number(mine['mean'], 3)} nats per frame [" in said.others
    assert "], estimated by annealed importance sampling" in said.others
    assert said.line == f"{CHORALES}: {name} ≈ {number(mine['mean'], 3)} nats per frame"
    assert any(warning.startswith(f"≈: the log-likelihood of {name} is estimated by") for warning in said.warnings)
    assert not any(
        "estimated" in text for text in (answer(estimates, CHORALES).others, answer(estimates, CHORALES).line)
    )


def test_one_seed_is_warned_of():
    said = answer(estimate(synthetic_results(studies=1, seeds=1, trials=3, epochs=3), resamples=50), CHORALES)
    assert any("over pieces only" in warning for warning in said.warnings)
