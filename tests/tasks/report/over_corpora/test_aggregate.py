"""Over all corpora: which runs and variants count, what 0 and 1 are, and what is said and shown of it."""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.publishing.artifact import score_markdown
from tasks.publishing.terminal import score_table
from tasks.report import Estimates, Findings, Results, estimate, results_json
from tasks.report.charts.colours import COLOURS
from tasks.report.numbers.metrics import METRICS
from tasks.report.numbers.portrait import Portrait
from tasks.report.numbers.results import CURVE_COLUMNS, DIAGNOSTIC_COLUMNS, PIECE_COLUMNS, TRIAL_COLUMNS
from tasks.report.over_corpora.aggregate import Aggregate, Compared, aggregate
from tasks.report.over_corpora.strata import interquartile_mean
from tasks.report.over_corpora.words import aggregate_json, aggregate_sentence
from tasks.report.pages.aggregate import aggregate_section, profile_panel
from tasks.report.pages.page import render_page
from tasks.report.published import OFFICIAL, literature, published_of
from tests.tasks.report.inert import EVIL, check_inert
from tests.tasks.report.pages_made import small_results, undrawn

KINDS = {"jsb-chorales": "music", "songs": "music", "novels": "characters", "letters": "words"}
OUTPUTS = {"music": "bernoulli", "characters": "softmax", "words": "softmax", "temporal-order": "softmax"}
# Of each kind what counting scores, nats a step; one nat more has the best variant.
COUNTING = {"music": ("note-probability", -11.0), "characters": ("unigram", -3.0), "words": ("unigram", -6.0)}
PARTS = {
    "SGD": [[0.40, 0.50, 0.45], [0.30, 0.20, 0.10], [0.80, 0.70, 0.60], [0.50, 0.52, 0.55]],
    "SGD+C": [[0.60, 0.55, 0.65], [0.35, 0.30, 0.25], [0.90, 0.85, 0.80], [0.60, 0.65, 0.70]],
    "SGD+L": [[0.45, 0.40, 0.55], [0.15, 0.25, 0.20], [0.70, 0.65, 0.75], [0.50, 0.60, 0.45]],
}
"""Of each variant a row a corpus of the normalised scores of the studies."""
LOST = "lost"


def campaign(
    parts: Mapping[str, Sequence[Sequence[float | str]]],
    kinds: Mapping[str, str] = KINDS,
    *,
    studies: int = 3,
    seeds: int = 1,
) -> Results:
    """A campaign in which a run is so far on the way from counting to one nat more; a text is the end of one without.

    Of several seeds a study has as many runs, one after the other.
    """
    pieces: list[dict[str, Any]] = []
    trials: list[dict[str, Any]] = []
    for (corpus, kind), place in zip(kinds.items(), range(len(kinds)), strict=True):
        name, counting = COUNTING.get(kind, ("uniform", 0.25))
        pieces += _pieces(corpus, kind, f"baseline/{name}", 0, 0, counting)
        # the best of another core: of a corpus without a published number it is 1
        pieces += _pieces(corpus, kind, f"lstm/{OUTPUTS[kind]}/SGD", 0, 0, counting + 1)
        for variant, rows in parts.items():
            whole = f"rnn/{OUTPUTS[kind]}/{variant}"
            for number, part in enumerate(rows[place]):
                study, seed = divmod(number, seeds)
                row = {
                    "corpus": corpus,
                    "kind": kind,
                    "variant": whole,
                    "study": study,
                    "seed": seed,
                    "purpose": "final",
                }
                trials.append(row | {"key": f"{corpus} {variant} {number}", "status": "completed", "techniques": {}})
                if isinstance(part, str):
                    trials[-1]["status"] = part
                else:
                    pieces += _pieces(corpus, kind, whole, study, seed, counting + part)
    official = {"steps": {"test": OFFICIAL["jsb-chorales"][1]}}
    return Results(
        trials=pd.DataFrame(trials, columns=list(TRIAL_COLUMNS)),
        curves=pd.DataFrame(columns=list(CURVE_COLUMNS)),
        diagnostics=pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS)),
        pieces=pd.DataFrame(pieces, columns=list(PIECE_COLUMNS)),
        corpora={corpus: {"kind": kind} | official for corpus, kind in kinds.items()},
        portraits={},
        campaign={
            "corpora": {corpus: [f"rnn/{OUTPUTS[kind]}/{name}" for name in parts] for corpus, kind in kinds.items()},
            "studies": studies,
            "seeds": seeds,
        },
        provenance={},
    )


def _pieces(corpus: str, kind: str, variant: str, study: int, seed: int, mean: float) -> list[dict[str, Any]]:
    """Two pieces of unequal length that pool to a mean."""
    shared = {"corpus": corpus, "variant": variant, "key": "", "study": study, "seed": seed}
    column = "success" if kind == "temporal-order" else "log_likelihood"
    return [
        shared | {"piece": name, "steps": steps, "log_likelihood": -1.0, column: (mean + off) * steps}
        for name, steps, off in (("a", 10, 0.3), ("b", 30, -0.1))
    ]


def made(results: Results) -> Aggregate | None:
    """From the mean of each variant alone, since the whole estimates take longest."""
    sums = results.pieces.groupby(["corpus", "variant"], as_index=False)[["steps", "log_likelihood", "success"]].sum()
    rows = []
    for row in sums.itertuples():
        kind = results.corpora[row.corpus]["kind"]
        metric = METRICS[kind][0]
        mean = metric.link(np.array(getattr(row, metric.column) / row.steps))
        named = {"corpus": row.corpus, "kind": kind, "variant": row.variant, "metric": metric.name}
        rows.append(named | {"mean": float(mean)})
    return aggregate(results, Estimates(pd.DataFrame(rows), pd.DataFrame(), resamples=200, seed=0))


@pytest.fixture(scope="module")
def found() -> Aggregate:
    told = made(campaign(PARTS))
    assert told is not None
    return told


def _scores(name: str) -> list[list[float]]:
    """The normalised scores by hand: of jsb-chorales 1 is the published −5.12, 5.88 above counting."""
    first, *others = PARTS[name]
    return [[part / 5.88 for part in first], *map(list, others)]


def _wins(mine: Sequence[Sequence[float]], its: Sequence[Sequence[float]]) -> float:
    return np.mean([
        np.mean([(x > y) + (x == y) / 2 for x in row for y in other]) for row, other in zip(mine, its, strict=True)
    ])  # fmt: skip


def _row(found: Aggregate | None, name: str) -> Compared:
    assert found is not None
    (row,) = (each for each in found.variants if each.variant == name)
    return row


def test_the_numbers_are_those_of_the_runs(found):
    assert [row.variant for row in found.variants] == ["SGD+C", "SGD", "SGD+L"]
    for row in found.variants:
        scores = np.array(_scores(row.variant)).ravel()
        assert row.iqm == pytest.approx(np.sort(scores)[3:9].mean())
        assert row.iqm_ends[0] < row.iqm < row.iqm_ends[1]
        assert (row.runs, row.lost) == (12, 0)
        shares, low, high = row.profile
        assert shares == pytest.approx([np.mean(scores > tau) for tau in found.thresholds])
        assert (low >= 0).all()
        assert (high <= 1).all()
        assert (low < high).all()


def test_each_variant_is_compared_with_plain_sgd(found):
    best, other, plain = (_row(found, name) for name in ("SGD+C", "SGD+L", "SGD"))
    assert best.improvement == pytest.approx(_wins(_scores("SGD+C"), _scores("SGD")))
    assert other.improvement == pytest.approx(_wins(_scores("SGD+L"), _scores("SGD")))
    assert np.isnan(plain.improvement)
    assert (best.said, other.said, plain.said) == ("better", "undecided", "")
    low, high = best.improvement_ends
    assert 0.5 < best.improvement_at_once[0] < low < high <= best.improvement_at_once[1] <= 1


def test_one_is_the_published_number_of_an_official_corpus_and_else_the_best_of_the_campaign(found):
    told = [(scale.corpus, scale.zero_of, scale.one_of, bool(scale.source), scale.is_own) for scale in found.scales]
    own = "{}/SGD, the best of this campaign"
    assert told == [
        ("jsb-chorales", "note-probability", "DMM-Aug-NADE (importance-sampled), the best published", True, False),
        ("songs", "note-probability", own.format("lstm/bernoulli"), False, True),
        ("novels", "unigram", own.format("lstm/softmax"), False, True),
        ("letters", "unigram", own.format("lstm/softmax"), False, True),
    ]
    ends = [(scale.zero, scale.one) for scale in found.scales]
    assert ends == [
        (pytest.approx(-11), -5.12), (pytest.approx(-11), pytest.approx(-10)),
        (pytest.approx(3 / np.log(2)), pytest.approx(2 / np.log(2))),
        (pytest.approx(np.exp(6)), pytest.approx(np.exp(5))),
    ]  # fmt: skip


def test_a_part_of_an_official_corpus_is_not_measured_by_its_number():
    results = campaign(PARTS)
    corpora = {name: facts | {"steps": {"test": 40}} for name, facts in results.corpora.items()}
    told = made(dataclasses.replace(results, corpora=corpora))
    assert told is not None
    assert told.scales[0].is_own


@pytest.mark.parametrize(("corpus", "kind", "value", "model", "steps"), [
    ("penn-treebank-characters", "characters", 1.27, "RRU, RRU 2021", 442_423),
    ("penn-treebank-words", "words", 78.93, "LSTM, Bai 2018", 82_430),
    ("nottingham", "music", -2.31, "RNN-NADE (HF)", 44_463),
    ("piano-midi.de", "music", -7.05, "RNN-NADE (HF)", 19_036),
    ("musedata", "music", -5.60, "RNN-NADE (HF)", 64_339),
    ("jsb-chorales", "music", -5.12, "DMM-Aug-NADE (importance-sampled)", 4_725),
])  # fmt: skip
def test_the_best_published_number_was_read_in_its_source(corpus, kind, value, model, steps):
    """Better ones that are quoted by others, or of another protocol, are none: 57.3 and 50.1, 1.175 and 1.12."""
    row = published_of(corpus, {"kind": kind, "steps": {"test": steps}})
    assert row is not None
    assert (row.value, row.model, row.confidence) == (value, model, "exact")
    assert published_of(corpus, {"kind": kind, "steps": {"test": steps - 1}}) is None


def test_right_answers_go_from_chance_to_all():
    parts = {name: [[0.15 * part for part in row] for row in rows] for name, rows in PARTS.items()}
    told = made(campaign(parts, dict.fromkeys(("order-10", "order-20", "order-30", "order-40"), "temporal-order")))
    assert told is not None
    assert [(scale.zero, scale.one) for scale in told.scales] == [(pytest.approx(25.0), 100.0)] * 4
    scores = [[0.15 * part / 0.75 for part in row] for row in PARTS["SGD+C"]]
    assert told.variants[0].iqm == pytest.approx(interquartile_mean([[np.array([s]) for s in row] for row in scores]))
    assert "1 is every answer right, " in aggregate_sentence(told)


def test_a_run_that_diverged_or_never_learned_is_the_worst_and_one_that_failed_is_none():
    parts = {name: [list(row) for row in rows] for name, rows in PARTS.items()}
    parts["SGD+C"][0][0], parts["SGD+C"][1][2], parts["SGD+C"][3][1] = "diverged", "untrained", "failed"
    row = _row(made(campaign(parts)), "SGD+C")
    assert (row.runs, row.lost) == (11, 2)
    mine, plain = _scores("SGD+C"), _scores("SGD")
    mine[0], mine[1] = [-np.inf, *mine[0][1:]], [*mine[1][:2], -np.inf]
    del mine[3][1]
    assert row.improvement == pytest.approx(_wins(mine, [*plain[:3], [plain[3][0], plain[3][2]]]))


def test_a_search_without_a_survivor_costs_its_study_a_run_and_one_that_is_not_whole_none():
    results = campaign(PARTS)
    finals = results.trials
    rest = finals[(finals["variant"] != "rnn/bernoulli/SGD+C") | (finals["study"] != 0)]
    searched = finals[~finals.index.isin(rest.index)].assign(purpose="search", status="diverged")
    gone = results.pieces["variant"].eq("rnn/bernoulli/SGD+C") & results.pieces["study"].eq(0)
    without = dataclasses.replace(results, pieces=results.pieces[~gone])
    all_lost = dataclasses.replace(without, trials=pd.concat([rest, searched]))
    held_back = dataclasses.replace(without, trials=pd.concat([rest, searched.assign(status="failed")]))
    rows = [_row(made(each), "SGD+C") for each in (all_lost, held_back)]
    assert [(row.runs, row.lost) for row in rows] == [(12, 2), (10, 0)]


def test_fewer_than_four_corpora_or_one_variant_have_no_such_section():
    three = {corpus: KINDS[corpus] for corpus in ("songs", "novels", "letters")}
    results = campaign({name: rows[1:] for name, rows in PARTS.items()}, three)
    assert made(results) is None
    assert made(campaign({"SGD": PARTS["SGD"]})) is None
    assert aggregate_section(None) is None
    assert aggregate_sentence(None) == ""
    assert aggregate_json(None) is None


def test_a_corpus_on_which_nothing_beats_counting_has_no_scale():
    kinds = KINDS | {"noise": "music"}
    parts = {name: [*rows, [-0.1, -0.2, -0.3]] for name, rows in PARTS.items()}
    results = campaign(parts, kinds)
    worse = results.pieces.query("not (corpus == 'noise' and variant == 'lstm/bernoulli/SGD')")
    told = made(dataclasses.replace(results, pieces=worse))
    assert told is not None
    assert told.left_out == ("noise",)
    with undrawn():
        part = aggregate_section(told)
    assert part is not None
    assert "Without a scale, and left out: noise, where nothing is better than counting." in part.notes


def test_a_variant_without_a_run_on_a_corpus_is_left_out_by_name():
    parts = {**PARTS, "SGD+CL": [*PARTS["SGD+C"][:3], ["failed"] * 3]}
    told = made(campaign(parts))
    assert told is not None
    assert told.missing == {"SGD+CL": ("letters",)}
    with undrawn():
        part = aggregate_section(told)
    assert part is not None
    assert part.notes == ("SGD+CL has no run on letters, and is left out.",)


def test_one_study_has_intervals_over_seeds_and_no_word():
    told = made(campaign(PARTS, studies=1, seeds=3))
    assert told is not None
    best = told.variants[0]
    assert (best.said, best.runs) == ("unreplicated", 12)
    assert best.iqm_ends[0] < best.iqm < best.iqm_ends[1]
    assert "One study is too little to say what is more often better than plain SGD." in aggregate_sentence(told)


def test_seeds_of_a_study_are_one_unit():
    """Twice the same run in every study tells no more of the studies than once."""
    twice = {name: [[part for part in row for _ in range(2)] for row in rows] for name, rows in PARTS.items()}
    once, again = made(campaign(PARTS)), made(campaign(twice, seeds=2))
    assert once is not None
    assert again is not None
    for one, two in zip(once.variants, again.variants, strict=True):
        assert two.iqm_ends == pytest.approx(one.iqm_ends)
        assert two.runs == 2 * one.runs


def test_the_sentence_names_the_best_and_what_beats_plain_sgd(found):
    best, plain, _ = found.variants
    low, high = best.improvement_at_once
    assert aggregate_sentence(found) == (
        "Over 4 corpora, where 0 is counting and 1 is the best published score on jsb-chorales and the best of this"
        f" campaign elsewhere, SGD+C has the highest interquartile mean, {best.iqm:.2f} [{best.iqm_ends[0]:.2f},"
        f" {best.iqm_ends[1]:.2f}]; plain SGD has {plain.iqm:.2f} [{plain.iqm_ends[0]:.2f}, {plain.iqm_ends[1]:.2f}]."
        f" SGD+C (probability {best.improvement:.2f} [{low:.2f}, {high:.2f}]) is more often better than plain SGD than"
        " not."
    )


def test_nothing_is_said_to_be_better_that_chance_explains():
    told = made(campaign({name: PARTS[name] for name in ("SGD", "SGD+L")}))
    assert told is not None
    assert aggregate_sentence(told).endswith(
        "No variant is more often better than plain SGD, or more often worse, that can be told from chance."
    )


def test_where_most_runs_are_lost_there_is_no_mean():
    lost = {name: [["diverged", "diverged", 0.5]] * 4 for name in ("SGD", "SGD+C")}
    told = made(campaign(lost))
    assert told is not None
    assert all(np.isnan(row.iqm) for row in told.variants)
    assert aggregate_sentence(told).endswith("more than a quarter of the runs of every variant have no score.")


def test_json_has_what_the_page_says(found):
    document = aggregate_json(found)
    assert document is not None
    best = document["variants"][0]
    assert set(best) == {
        "variant", "iqm", "iqm_low", "iqm_high", "improvement", "improvement_low", "improvement_high",
        "improvement_sim_low", "improvement_sim_high", "verdict", "runs", "lost",
    }  # fmt: skip
    assert (best["iqm"], best["verdict"]) == (found.variants[0].iqm, "better")
    assert len(document["profile"]["threshold"]) == len(document["profile"]["SGD"]["share"])
    assert document["corpora"][0]["source"] == next(
        each.source for each in literature("jsb-chorales") if each.value == -5.12
    )


def test_a_panel_draws_both_profiles_with_their_bands(found):
    best, plain = found.variants[:2]
    chart = profile_panel(found.thresholds, best, plain)
    layers = [json.loads(layer.to_dict(validate=False)["data"]["values"]) for layer in chart.layer]
    *_, plain_line, _, band, line, _ = layers
    assert [row["share"] for row in line] == pytest.approx((100 * best.profile[0]).tolist())
    assert [row["share"] for row in plain_line] == pytest.approx((100 * plain.profile[0]).tolist())
    assert [row["high"] for row in band] == pytest.approx((100 * best.profile[2]).tolist())


def test_one_run_a_corpus_has_profiles_without_bands():
    told = made(campaign({name: [row[:1] for row in rows] for name, rows in PARTS.items()}, studies=1))
    assert told is not None
    assert np.isnan(told.variants[0].iqm_ends).all()
    kinds = [
        layer.to_dict(validate=False)["mark"]["type"]
        for layer in profile_panel(told.thresholds, *told.variants[:2]).layer
    ]
    assert "area" not in kinds
    assert kinds.count("line") == 2


def test_page_terminal_and_artifact_say_it_and_are_inert():
    kinds = {f"{name} {EVIL}" if name == "letters" else name: kind for name, kind in KINDS.items()}
    base, results = small_results("bach-chorales", "folk-tunes-characters", "folk-tunes-words"), campaign(PARTS, kinds)
    of_kind = {facts["kind"]: facts for facts in base.corpora.values()}
    facts = {name: {**of_kind[told["kind"]], **told} for name, told in results.corpora.items()}
    asked = {**base.campaign, **results.campaign}
    results = dataclasses.replace(results, corpora=facts, campaign=asked, provenance=base.provenance)
    estimates = estimate(results, resamples=50)
    document = json.loads(results_json(Findings(results, estimates)))
    line = document["aggregate"]["line"]
    assert line.startswith("Over 4 corpora, where 0 is counting")
    assert line in " ".join(score_table(document).split())
    assert "## Over all corpora" in score_markdown(document, "somewhere")
    with undrawn():
        html = render_page(
            Findings(dataclasses.replace(results, portraits=dict.fromkeys(facts, Portrait())), estimates)
        )
    check_inert(html)
    (section,) = re.findall(r'<section id="aggregate".*?</section>', html, re.DOTALL)
    assert section.count('role="img"') == len(document["aggregate"]["variants"]) - 1
    assert '<a href="#aggregate">' in html


def test_the_drawings_have_known_colours_and_are_described(found):
    part = aggregate_section(dataclasses.replace(found, variants=found.variants[:2]))
    assert part is not None
    ((_, first),) = part.panels
    assert set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', first)) <= COLOURS
    assert re.search(r'aria-label="Performance profile of SGD\+C: 100 % above', first)
