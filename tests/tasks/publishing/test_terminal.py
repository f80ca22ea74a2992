"""Tables for a terminal: everything is in them, nothing is cut off, and nothing is too wide."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.publishing.collect import collect
from tasks.publishing.terminal import WIDTH, plan_table, score_table
from tasks.report import Findings, estimate, results_json
from tasks.search.plan import Plan, PlanRow
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger
from tests.tasks.conftest import Finished, tiny_campaign

PLAIN, RICH, COUNT = "rnn/bernoulli/SGD", "rnn/bernoulli/SGD+CLRM", "baseline/note-probability"


def _score(variant: str, metric: str = "log_likelihood", **values: Any) -> dict[str, Any]:
    """A row of `scores` in results.json; without values nothing was scored."""
    names = ("mean", "low", "high", "difference", "diff_low", "diff_high", "diff_sim_low", "diff_sim_high")
    row = {"corpus": "bach-chorales", "variant": variant, "metric": metric, "n_seeds": 3, "seeds_asked": 3}
    row |= {"held_back": False, "diff_studies": 3}
    sims = {f"diff_sim_{end}": values[f"diff_{end}"] for end in ("low", "high") if f"diff_{end}" in values}
    return row | dict.fromkeys(names) | sims | values


def _document(
    *scores: dict[str, Any], failures: tuple[dict[str, str], ...] = (), warnings: tuple[str, ...] = ()
) -> dict[str, Any]:
    answers = {
        row["corpus"]: {
            "best": f"{row['corpus']}: the answer.",
            "techniques": "Nothing helped.",
            "warnings": [*(f"{row['corpus']}: {text}" for text in warnings), "Few seeds."],
        }
        for row in scores
    }
    return {"scores": list(scores), "answers": answers, "failures": list(failures)}


def _row(text: str, variant: str) -> list[str]:
    """The cells of the row of a variant, which are two blanks apart."""
    (line,) = (line for line in text.splitlines() if line.split() and line.split()[0] == variant)
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def _widest(text: str) -> int:
    return max(map(len, text.splitlines()))


def test_a_real_campaign_is_shown_whole(finished: Finished):
    results = collect(
        Standing(Ledger(finished.store), Search(finished.campaign, finished.digests)), {}, datetime.now(UTC)
    )
    document = json.loads(results_json(Findings(results, estimate(results, resamples=50))))
    text = score_table(document)
    music, _, rest = text.partition("folk-tunes-characters, test split")
    assert rest
    for variant in ("SGD", "SGD+C", "SGD+LM"):
        assert _row(music, f"rnn/bernoulli/{variant}")[-1] == "2/2"
        assert _row(rest, f"rnn/softmax/{variant}")[-1] == "2/2"
    for name, part in (("uniform", music), ("one-probability", music), ("note-probability", music), ("unigram", rest)):
        assert _row(part, f"baseline/{name}")
    assert "log-likelihood" in music
    assert _row(music, "log-likelihood") == ["log-likelihood", "accuracy"]
    assert _row(music, "variant") == ["variant", "nats per frame", "%", "better than plain SGD by", "seeds"]
    assert "bits per character" in rest
    for answer in document["answers"].values():
        assert f"{answer['best']} {answer['techniques']}" in " ".join(text.split())
    assert _widest(text) <= WIDTH


def test_a_score_has_its_interval_its_difference_and_its_seeds():
    scores = [
        _score(RICH, mean=-6.12345, low=-6.5, high=-5.75, difference=0.5, diff_low=0.25, diff_high=0.75, n_seeds=2),
        _score(RICH, "accuracy", mean=31.456, low=30.0, high=33.0),
        _score(PLAIN, mean=-6.62345, low=-7, high=-6),
        _score(PLAIN, "accuracy", mean=30.0, low=29.0, high=31.0),
        _score(COUNT, mean=-11.06, low=-11.5, high=-10.5, n_seeds=1, seeds_asked=1),
        _score(COUNT, "accuracy", mean=15.0, low=14.0, high=16.0),
    ]
    text = score_table(_document(*scores))
    improved = ["−6.123 [−6.500, −5.750]", "31.46 [30.00, 33.00]", "+0.500 [0.250, 0.750] *", "2/3"]
    assert _row(text, RICH) == [RICH, *improved]
    assert _row(text, PLAIN) == [PLAIN, "−6.623 [−7.000, −6.000]", "30.00 [29.00, 31.00]", "3/3"]
    assert _row(text, COUNT) == [COUNT, "−11.060 [−11.500, −10.500]", "15.00 [14.00, 16.00]"], "counting has no seeds"
    order = [text.index(name) for name in (RICH, f"{PLAIN} ", COUNT)]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("low", "high", "mark"), [(0.1, 0.3, " *"), (-0.3, -0.1, " *"), (-0.1, 0.3, ""), (0.0, 0.3, ""), (-0.3, 0.0, "")]
)
def test_the_star_is_for_intervals_on_one_side_of_zero(low, high, mark):
    text = score_table(_document(_score(PLAIN, mean=-1.0, difference=(low + high) / 2, diff_low=low, diff_high=high)))
    expected = f"{(low + high) / 2:+.3f} [{low:.3f}, {high:.3f}]{mark}"
    assert _row(text, PLAIN)[-2] == expected.replace("-", "−")


def test_an_estimated_score_is_marked_and_one_of_an_older_report_is_exact():
    scored = {"mean": -6.59, "low": -6.7, "high": -6.5}
    text = score_table(_document(_score("rnn/rbm/SGD", **scored, estimated=True), _score(PLAIN, **scored)))
    assert _row(text, "rnn/rbm/SGD")[1] == "≈ −6.590 [−6.700, −6.500]"
    assert _row(text, PLAIN)[1] == "−6.590 [−6.700, −6.500]"


def test_a_difference_that_is_printed_as_nothing_has_no_star():
    row = _score(PLAIN, mean=-1.0, difference=-0.0, diff_low=-0.0, diff_high=-0.0001)
    assert _row(score_table(_document(row)), PLAIN)[-2] == "0.000 [0.000, 0.000]"


def test_what_does_not_exist_is_left_out_or_named():
    nothing = _score(RICH, n_seeds=0)
    one_of_one = _score(PLAIN, mean=-6.5, difference=0.125, n_seeds=1, seeds_asked=1)
    text = score_table(_document(nothing, one_of_one))
    assert _row(text, RICH) == [RICH, "–", "0/3"]
    assert _row(text, PLAIN) == [PLAIN, "−6.500", "+0.125", "1/1"]
    assert "None" not in text
    assert "nan" not in text


def test_wide_numbers_are_not_cut():
    wide = {"mean": -60.997, "low": -60.997, "high": -60.997}
    gain = {"difference": 10.125, "diff_low": 10.125, "diff_high": 10.125}
    accuracy = {"mean": 99.99, "low": 99.99, "high": 99.99}
    scores = [_score(RICH, **wide, **gain, n_seeds=10, seeds_asked=10), _score(RICH, "accuracy", **accuracy)]
    scores += [_score(COUNT, **wide), _score(COUNT, "accuracy", **accuracy)]
    text = score_table(_document(*scores))
    cells = ["−60.997 [−60.997, −60.997]", "99.99 [99.99, 99.99]", "+10.125 [10.125, 10.125] *", "10/10"]
    assert _row(text, RICH) == [RICH, *cells]
    assert _row(text, COUNT) == [COUNT, *cells[:2]]
    assert _widest(text) <= WIDTH


def test_the_third_metric_has_no_room():
    rows = [_score(PLAIN, metric, mean=1.0) for metric in ("log_likelihood", "accuracy", "union_accuracy")]
    text = score_table(_document(*rows))
    assert "union" not in text
    assert _row(text, PLAIN) == [PLAIN, "1.000", "1.00", "3/3"]


def test_every_corpus_is_a_table_with_its_own_metric():
    rows = [
        _score(PLAIN, mean=-6.0),
        _score("rnn/softmax/SGD", "perplexity", mean=134.56, low=130.0, high=140.0) | {"corpus": "folk-tunes-words"},
    ]
    music, _, words = score_table(_document(*rows)).partition("folk-tunes-words, test split")
    assert "bach-chorales: the answer" in music
    assert "perplexity" not in music
    assert "perplexity" in words
    assert _row(words, "rnn/softmax/SGD")[1] == "134.56 [130.00, 140.00]"


def test_every_failure_is_told_whole_in_lines_that_are_not_too_wide():
    reason = "its worker was lost: " + " ".join(f"word{number}" for number in range(60))
    failures = tuple(
        {"corpus": "bach-chorales", "variant": variant, "key": key * 64, "reason": why}
        for variant, key, why in ((PLAIN, "a", "RuntimeError: [broken] pipe"), (RICH, "b", reason))
    )
    text = score_table(_document(_score(PLAIN, mean=-1.0), failures=failures))
    assert f"failed: bach-chorales {PLAIN} {'a' * 12}: RuntimeError: [broken] pipe" in text.splitlines()
    assert f"failed: bach-chorales {RICH} {'b' * 12}: {reason}" in " ".join(text.split())
    assert _widest(text) <= WIDTH


def test_without_failures_there_is_no_line_of_them():
    assert "failed" not in score_table(_document(_score(PLAIN, mean=-1.0)))


def test_the_plan_has_a_row_a_variant_and_the_minutes():
    campaign = tiny_campaign("SGD+C")
    rows = (PlanRow("bach-chorales", PLAIN, 4, 1, 360.0), PlanRow("bach-chorales", RICH, 4, 4, 0))
    text = plan_table(campaign, Plan(rows), workers=2)
    first, *_, last = text.splitlines()
    assert first == "plan, preset smoke, changed: 1 study of 2 draws and 2 fresh seeds for each variant"
    body = [line.split() for line in text.splitlines() if line.startswith("bach-chorales")]
    assert body == [["bach-chorales", PLAIN, "4", "1", "3:00"], ["bach-chorales", RICH, "4", "4", "-"]]
    assert last.startswith("8 trials, 5 stored; about 3:00 of training on 2 processes")
    assert _widest(text) <= WIDTH


def test_the_plan_names_what_is_left_out_and_what_an_older_version_stored():
    campaign = replace(tiny_campaign("SGD+C"), left_out={"folk-tunes-words": "wants softmax or classes"})
    rows = (PlanRow("bach-chorales", PLAIN, 4, 0, 360.0),)
    *_, left_out, outdated = plan_table(campaign, Plan(rows, outdated=2), workers=2).splitlines()
    assert left_out == "folk-tunes-words is left out: wants softmax or classes"
    assert outdated == "2 search trials of an older version are stored and not used: its numbers were others"
    assert "older" not in plan_table(campaign, Plan(rows), workers=2)


def test_what_a_plan_can_tell_stands_last_and_fits(monkeypatch):
    monkeypatch.setattr("tasks.publishing.terminal.columns", lambda: 80)
    line = "bach-chorales: a difference to plain SGD under 0.090 nats per frame cannot be told (from 5 studies in it)"
    text = plan_table(tiny_campaign("SGD+C"), Plan(()), 2, [line, "another line"])
    *_, first, second, last = text.splitlines()
    assert f"{first} {second}" == line
    assert last == "another line"
    assert _widest(text) <= 80


def test_a_plan_of_nothing_says_so():
    rows = (PlanRow("folk-tunes-characters", "rnn/softmax/SGD", 4, 4, 0.0),)
    text = plan_table(tiny_campaign("SGD"), Plan(rows), workers=2)
    assert text.splitlines()[-1] == "all 4 trials are stored: nothing to train"


def test_a_large_plan_is_not_too_wide():
    rows = [PlanRow("folk-tunes-characters", f"{RICH}{number}", 34, 34, 86400.0) for number in range(24)]
    rows.append(PlanRow("folk-tunes-characters", RICH, 34, 0, 86400.0))
    text = plan_table(tiny_campaign("SGD"), Plan(tuple(rows)), workers=2)
    assert "about 300:00:00" in text
    assert _widest(text) <= WIDTH


def test_a_variant_that_is_held_back_has_no_seeds_that_failed():
    held_back = _score(RICH, n_seeds=0, seeds_asked=0, held_back=True)
    text = score_table(_document(_score(PLAIN, mean=-6.5), held_back))
    assert _row(text, RICH) == [RICH, "–", "held back"]


def test_warnings_stand_under_their_corpus_and_those_of_all_corpora_once():
    words = _score("rnn/softmax/SGD", "perplexity", mean=134.56) | {"corpus": "folk-tunes-words"}
    text = score_table(_document(_score(PLAIN, mean=-6.0), words, warnings=("SGD+L lost a seed.",)))
    music, _, rest = text.partition("folk-tunes-words, test split")
    assert "bach-chorales: SGD+L lost a seed." in music.splitlines()
    assert "folk-tunes-words: SGD+L lost a seed." in rest.splitlines()
    assert [line for line in text.splitlines() if "Few seeds" in line] == ["Few seeds."]


def _wide_scores() -> list[dict[str, Any]]:
    values = {"mean": -11.011, "low": -11.159, "high": -10.87, "difference": 0.701, "diff_low": 0.555, "diff_high": 0.8}
    return [_score(name, metric, **values) for name in (RICH, COUNT) for metric in ("log_likelihood", "accuracy")]


@pytest.mark.parametrize(
    ("number", "two_metrics", "lines_a_row"), [(200, True, 1), (118, True, 1), (100, False, 1), (80, False, 2)]
)
def test_scores_fit_the_terminal(columns, number, two_metrics, lines_a_row):
    columns(number)
    failure = {"corpus": "bach-chorales", "variant": RICH, "key": "0" * 64, "reason": "MemoryError: " + "much " * 40}
    text = score_table(_document(*_wide_scores(), failures=(failure,)))
    assert _widest(text) <= min(number, WIDTH)
    assert ("accuracy" in text) == two_metrics
    row = text.partition(RICH)[2].partition(COUNT)[0]
    assert len(row.splitlines()) == lines_a_row
    assert "[−11.159, −10.870]" in row
    assert "0.800] *" in row


@pytest.mark.parametrize("number", [80, 100, 200])
def test_plans_fit_the_terminal(columns, number):
    columns(number)
    plan = plan_table(tiny_campaign("SGD"), Plan((PlanRow("folk-tunes-characters", RICH, 4, 1, 36_000.0),)), workers=2)
    assert _widest(plan) <= number
