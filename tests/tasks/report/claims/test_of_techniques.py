"""Claims on techniques against rows by hand: a true one, a false one, one that cannot be told."""

import pytest

from tasks.report.claims.by_study import Asked, compare_by_study
from tasks.report.claims.of_techniques import leaky, momentum, on_text, reading, rectifier, sparse, test_score, training
from tasks.report.numbers.closed_forms import mean_interval
from tests.tasks.report.claims.hand import ease, effect, measured, score, told

score_claim = test_score
del test_score  # so that pytest does not take it for a test
PLAIN, RECTIFIED = "rnn/bernoulli/SGD", "rnn/bernoulli/SGD+R"


@pytest.mark.parametrize(("claim", "letter"), [(leaky, "L"), (rectifier, "R"), (momentum, "M")])
def test_a_technique_helps_by_its_effect_and_its_epochs(claim, letter):
    true, false, unclear = effect(letter, 0.1, 0.2), effect(letter, -0.2, -0.1), effect(letter, -0.1, 0.2)
    assert told(claim(measured(effects=[true]))) == ("supported", ["for"])
    assert told(claim(measured(effects=[false]))) == ("contradicted", ["against"])
    assert told(claim(measured(effects=[unclear]))) == ("cannot be told", ["unclear"])
    assert told(claim(measured(effects=[true | {"fewest_studies": 1}])))[0] == "cannot be told"
    both = measured(effects=[true], techniques=[ease("epochs", letter, 1.5, "worse")])
    assert told(claim(both)) == ("mixed", ["for", "against"])
    other = "C" if letter != "C" else "M"
    assert told(claim(measured(effects=[effect(other, 0.1, 0.2)])))[0] == "not tried"


def test_together_is_about_several_techniques_of_the_paper_on_its_own_kind_of_data():
    rows = [
        score("SGD+CLRM", 0.1, 0.3), score("SGD+C", 0.1, 0.3), score("Adam+CL", 0.1, 0.3),
        score("SGD+CLR", -0.3, -0.1, "novels"),
    ]  # fmt: skip
    assert told(score_claim(measured(scores=rows))) == ("supported", ["for"])
    assert told(on_text(measured(scores=rows))) == ("contradicted", ["against"])
    assert told(score_claim(measured(scores=[score("SGD+CR", -0.1, 0.3)]))) == ("cannot be told", ["unclear"])
    assert told(score_claim(measured(scores=[score("SGD+CR", 0.1, 0.3, studies=1)])))[0] == "cannot be told"


def _final(variant, study, **changed):
    key = f"{variant} {study}"
    row = {"key": key, "corpus": "songs", "kind": "music", "variant": variant, "purpose": "final", "seed": 7}
    return row | {"study": study, "status": "completed", "best_epoch": 2, "techniques": {}} | changed


def test_training_is_the_score_on_train_in_the_best_epoch():
    both = f"{PLAIN}+CLRM"
    trials = [_final(name, study) for name in (PLAIN, both) for study in range(3)]
    gains = [0.5, 0.6, 0.8]
    curves = [
        {"key": trial["key"], "corpus": "songs", "variant": trial["variant"], "epoch": epoch,
         "train": -8.0 + (gains[trial["study"]] if trial["variant"] == both else 0) * (epoch == 2)}
        for trial in trials for epoch in (1, 2, 3)
    ]  # fmt: skip
    frames = {"trials": trials, "curves": curves}
    (row,) = training(measured(frames=frames, asked={"songs": [PLAIN, both]})).evidence
    assert (row.value, row.low, row.high) == pytest.approx(mean_interval(gains, 0.95))
    assert (row.said, row.basis) == ("for", "1 pair, 3 studies")
    sooner = ease("epochs", "", 1.4, "worse") | {"variant": both, "n_pairs": 1}
    assert told(training(measured(frames=frames, asked={"songs": [PLAIN, both]}, variants=[sooner])))[0] == "mixed"


@pytest.mark.parametrize(("shares", "verdict"), [
    ([0.2, 0.3, 0.25], "supported"), ([-0.2, -0.3, -0.25], "contradicted"), ([0.3, -0.3, 0.1], "cannot be told"),
    ([0.3], "cannot be told"), ([0.25, 0.25, 0.25], "cannot be told"),
])  # fmt: skip
def test_gradients_are_sparser_by_what_is_exactly_zero(shares, verdict):
    studies = range(len(shares))
    trials = [_final(name, study) for name in (PLAIN, RECTIFIED) for study in studies]
    numbers = [
        {"key": trial["key"], "corpus": "songs", "variant": trial["variant"], "moment": moment, "index": 0,
         "quantity": "zero_gradients", "value": 0.5 + (trial["variant"] == RECTIFIED) * moved}
        for trial in trials for moment, moved in (("start", 0.4), ("best", shares[trial["study"]]))
    ]  # fmt: skip
    frames = {"trials": trials, "diagnostics": numbers}
    claim = sparse(measured(frames=frames, asked={"songs": [PLAIN, RECTIFIED]}))
    assert claim.verdict == verdict
    assert claim.evidence[0].value == pytest.approx(100 * sum(shares) / len(shares))


def test_studies_are_means_over_pairs_of_means_over_seeds():
    values = {
        "a": {(0, 1): 1.0, (0, 2): 3.0, (1, 1): 0.0}, "b": {(0, 1): 2.0, (0, 2): 6.0, (1, 1): 5.0, (2, 1): 9.0},
        "c": {(0, 1): 4.0},
    }  # fmt: skip
    asked = Asked("songs", "x", 2, "t", values, [("a", "b"), ("a", "c"), ("a", "d")])
    (row,) = compare_by_study([asked, Asked("novels", "x", 2, "t", {}, [("a", "b")])])
    assert (row.value, row.low, row.high) == pytest.approx(mean_interval([(2.0 + 3.0) / 2, 5.0], 0.95))
    assert row.basis == "2 pairs, 2 studies"
    two = compare_by_study([asked, asked])
    assert (two[0].low, two[0].high) == pytest.approx(mean_interval([2.5, 5.0], 0.975)[1:])


@pytest.mark.parametrize(("slow", "verdict"), [(8, "supported"), (0, "contradicted"), (4, "cannot be told")])
def test_the_reading_is_that_of_most_choices(slow, verdict):
    trials = [
        _final(f"{PLAIN}+L", study, key=f"{study} {chosen}", purpose="search", selected=chosen,
               techniques={"L": {"reading": "update-rate" if chosen == (study < slow) else "retention"}})
        for study in range(8) for chosen in (True, False)
    ]  # fmt: skip
    claim = reading(measured(frames={"trials": trials}))
    assert claim.verdict == verdict
    assert claim.evidence[0].value == pytest.approx(100 * slow / 8 - 50)
    fixed = [trial | {"techniques": {"L": {"reading": "update-rate"}}} for trial in trials]
    assert reading(measured(frames={"trials": fixed})).verdict == "not tried"
