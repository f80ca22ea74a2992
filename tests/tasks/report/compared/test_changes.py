"""What is told of two versions with known truth: a variant made worse, the same trials, other draws, luck alone."""

import dataclasses

import numpy as np
import pytest

from infra.errors import CampaignError
from tasks.report.compared.changes import changes
from tasks.report.compared.together import study_numbers
from tasks.report.numbers.intervals import simultaneous
from tasks.report.numbers.metrics import METRICS
from tasks.report.numbers.results import Results
from tasks.report.numbers.scored import ScoredPieces
from tasks.report.numbers.statistics import Bootstrap, Term
from tests.tasks.report.compared.versions import CL, CORPUS, LEVELS, SGD, C, L, version

QUICK = 500
SIDES = ((1.0, "after"), (-1.0, "before"))


def _told(before: Results, after: Results) -> tuple[dict[str, dict], dict[str, dict]]:
    scores, effects = changes(before, after, [CORPUS], QUICK)
    return {row["variant"]: row for row in scores}, {row["technique"]: row for row in effects}


def _verdicts(rows: dict[str, dict]) -> dict[str, str]:
    return {name: row["verdict"] for name, row in rows.items()}


def test_a_variant_that_was_made_worse_regressed_and_of_others_nothing_can_be_told():
    scores, effects = _told(version(1), version(2, LEVELS | {C: -9.6}))
    assert _verdicts(scores) == dict.fromkeys((SGD, L, CL), "cannot be told") | {C: "regressed"}
    row = scores[C]
    assert row["sim_low"] <= row["low"] < row["change"] < row["high"] <= row["sim_high"] < 0
    assert row["change"] == pytest.approx(row["after"] - row["before"])
    assert (row["studies"], row["alike"], row["seeds"], row["lost"]) == ([5, 5], 0, [5, 5], ["", ""])
    assert effects["C"]["verdict"] == "regressed"
    assert _verdicts(_told(version(1, LEVELS | {C: -9.6}), version(2))[0])[C] == "improved"


def test_a_version_beside_itself_is_the_same():
    for rows in _told(version(1), version(1)):
        assert set(_verdicts(rows).values()) == {"the same"}
        for row in rows.values():
            assert [row[name] for name in ("change", "low", "high", "sim_low", "sim_high")] == [0.0] * 5


def test_one_other_trial_is_not_the_same_any_more():
    after = version(1)
    pieces = after.pieces.copy()
    pieces.loc[pieces["key"] == f"1 {C} 0", "key"] = "another"
    told, effects = _told(version(1), dataclasses.replace(after, pieces=pieces))
    assert _verdicts(told) == dict.fromkeys((SGD, L, CL), "the same") | {C: "cannot be told"}
    assert told[C]["change"] == 0
    assert _verdicts(effects) == {"C": "cannot be told", "L": "cannot be told"}  # both have the pair of C


def test_studies_of_the_same_draws_are_paired_and_tell_more():
    apart = _told(version(1), version(2, LEVELS | {C: -9.1}))[0][C]
    paired = _told(version(1), version(2, LEVELS | {C: -9.1}, draws=1))[0][C]
    assert (apart["alike"], paired["alike"]) == (0, 5)
    assert (apart["verdict"], paired["verdict"]) == ("cannot be told", "regressed")


def test_studies_that_were_added_are_new_ones_and_the_others_are_paired():
    row = _told(version(1, studies=range(3)), version(1, studies=range(6)))[0][SGD]
    assert (row["studies"], row["alike"], row["verdict"]) == ([3, 6], 3, "cannot be told")
    assert study_numbers(version(1), version(1, studies=[3, 4, 9]), CORPUS) == {3: 3, 4: 4, 9: 19}
    assert study_numbers(version(1), version(2, studies=[0, 1]), CORPUS) == {0: 5, 1: 6}


def test_one_study_has_a_change_and_no_word():
    row = _told(version(1, studies=[0]), version(2, LEVELS | {C: -12.0}))[0][C]
    assert row["verdict"] == "cannot be told"
    assert row["change"] < -2


def test_what_one_version_alone_has_is_not_compared():
    before, after = version(1, {SGD: -9.0, C: -9.0}), version(2, {SGD: -9.0, L: -9.0})
    scores, effects = _told(before, after)
    assert _verdicts(scores) == {SGD: "cannot be told", L: "only after", C: "only before"}
    assert np.isnan([scores[L]["before"], scores[L]["change"], scores[C]["after"]]).all()
    assert effects == {}
    gone = dataclasses.replace(before, pieces=before.pieces[before.pieces["variant"] != C])
    assert _verdicts(_told(gone, version(2, {SGD: -9.0, C: -9.0}))[0])[C] == "no score"


def test_an_effect_is_compared_over_the_pairs_that_both_have():
    before, after = version(1, {SGD: -9.0, C: -9.0}), version(2, LEVELS | {CL: -5.0})
    scores, effects = _told(before, after)
    assert list(effects) == ["C"]
    assert effects["C"]["pairs"] == 1
    for when in ("before", "after"):
        assert effects["C"][when] == pytest.approx(scores[C][when] - scores[SGD][when])


def test_a_file_that_was_renamed_is_the_same_piece_and_another_number_of_pieces_is_refused():
    before, after = version(1), version(2)
    renamed = dataclasses.replace(after, pieces=after.pieces.assign(piece="new " + after.pieces["piece"]))
    assert _told(before, renamed)[0][C]["change"] == pytest.approx(_told(before, after)[0][C]["change"])
    with pytest.raises(CampaignError, match="songs: scored on 12 test pieces before and on 9 after"):
        _told(before, version(2, pieces=9))


@pytest.mark.parametrize("shared", [False, True])
def test_two_versions_that_differ_by_luck_alone_seldom_have_a_word(shared):
    """Of 150 families of three variants 5 % are 7.5; more than 15 come in one of 200 such tests."""
    rng, names, told = np.random.default_rng(5), ("A", "B", "C"), 0
    for number in range(150):
        scored = _luck_alone(rng, names, shared=shared)
        bootstrap = Bootstrap(scored, str(number), resamples=300)
        family = [bootstrap.contrast(METRICS["music"][0], _change(scored, name), name) for name in names]
        told += any(low > 0 or high < 0 for low, high in simultaneous(family, [True] * len(names)))
    assert told <= 15


def _luck_alone(rng: np.random.Generator, names: tuple[str, ...], *, shared: bool) -> ScoredPieces:
    """Five studies of either version, of the same draws or not, whose luck all variants share."""
    later = 0 if shared else 9
    trials = [(f"before {name}", study, 0) for name in names for study in range(5)]
    trials += [(f"after {name}", study + later, 0) for name in names for study in range(5)]
    luck = rng.normal(0, 1, 5 + later)
    means_K = np.array([luck[study] for _, study, _ in trials]) + rng.normal(0, 0.5, len(trials))
    sums_KQ = 10 * (means_K[:, None] + rng.normal(0, 1, 8))
    return ScoredPieces(np.full(8, 10.0), tuple(trials), {"log_likelihood": sums_KQ}, np.zeros(sums_KQ.shape))


def _change(scored: ScoredPieces, name: str) -> list[Term]:
    return [(sign, f"{when} {name}", sorted(scored.places(f"{when} {name}"))) for sign, when in SIDES]


def test_the_interval_of_two_independent_means_is_students():
    """Of one piece, which is always drawn, only studies differ: t of 4 degrees of freedom, and both variances."""
    rng = np.random.default_rng(3)
    values = {"before": rng.normal(0, 1, 5), "after": rng.normal(0, 2, 5)}
    trials = tuple((when, 9 * (when == "after") + s, 0) for when in values for s in range(5))
    sums_KQ = np.concatenate(list(values.values()))[:, None]
    scored = ScoredPieces(np.ones(1), trials, {"log_likelihood": sums_KQ}, np.zeros((10, 1)))
    terms = [(sign, when, sorted(scored.places(when))) for sign, when in SIDES]
    made = Bootstrap(scored, "one", resamples=20_000).contrast(METRICS["music"][0], terms)
    wide = 2.7764 * np.sqrt(sum(each.var(ddof=1) for each in values.values()) / 5)
    assert made.value == pytest.approx(values["after"].mean() - values["before"].mean())
    assert [made.value - made.low, made.high - made.value] == pytest.approx([wide, wide], rel=0.05)


def test_no_score_at_all_is_no_row_with_a_word():
    empty = dataclasses.replace(version(1), pieces=version(1).pieces.head(0))
    scores, effects = _told(empty, empty)
    assert set(_verdicts(scores).values()) == {"no score"}
    assert effects == {}
