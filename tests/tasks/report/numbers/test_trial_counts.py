"""How trials ended, counted over studies, and the gap of a search: by hand."""

import numpy as np
import pytest

from tasks.report.numbers.metrics import METRICS
from tasks.report.numbers.trial_counts import TrialsOf
from tests.tasks.report.campaigns import CORPUS, DIVERGED, SGD, campaign_by_hand

LOG_LIKELIHOOD, ACCURACY, _ = METRICS["music"]
C = f"{SGD}+C"
ASKED = {"studies": 3, "trials_per_study": 2, "trials_per_variant": 6, "seeds": 2}


def _trials(finals=None, draws=None, **campaign) -> TrialsOf:
    return TrialsOf(campaign_by_hand(finals, draws, **{**ASKED, **campaign}), CORPUS)


def test_what_ended_is_counted_over_all_studies():
    finals = {C: {(0, 1): [-9.0], (0, 2): DIVERGED, (1, 1): "untrained", (1, 2): "failed", (2, 1): [-9.0]}}
    draws = {C: [[-9.0, DIVERGED], ["untrained", -9.0], [-9.0, -9.1]]}
    assert _trials(finals, draws).counts(C) == {
        "studies_asked": 3, "seeds_asked": 6, "seeds_diverged": 1, "seeds_untrained": 1, "seeds_failed": 1,
        "search_asked": 6, "search_ended": 6, "held_back": False,
    }  # fmt: skip


def test_a_study_whose_search_is_not_whole_is_asked_for_no_seeds():
    finals, whole = {C: {(s, seed): [-9.0] for s in (0, 2) for seed in (1, 2)}}, [-9.0, -9.1]
    counts = _trials(finals, {C: [whole, [-9.0, "failed"], whole]}).counts(C)
    assert (counts["seeds_asked"], counts["search_ended"], counts["held_back"]) == (4, 5, False)
    none = _trials(None, {C: [["failed", -9.0]] * 3}).counts(C)
    assert (none["seeds_asked"], none["search_ended"], none["held_back"]) == (0, 3, True)


def test_what_has_no_trial_yet_is_held_back_and_a_baseline_never_is():
    assert _trials(None, {C: [[-9.0, -9.1]]}).counts(SGD)["held_back"]
    counts = _trials().counts("baseline/uniform")
    assert (counts["studies_asked"], counts["seeds_asked"], counts["held_back"]) == (1, 1, False)


def test_a_campaign_of_older_days_has_one_study():
    older = {"studies": None, "trials_per_study": None, "trials_per_variant": 2, "seeds": 1}
    counts = _trials({C: {(0, 1): [-9.0]}}, {C: [[-9.0, "failed"]]}, **older).counts(C)
    assert (counts["studies_asked"], counts["search_asked"], counts["search_ended"]) == (1, 2, 1)
    assert (counts["seeds_asked"], counts["held_back"]) == (1, False), "it has its finals"


def test_the_gap_of_a_search_is_the_median_over_studies():
    draws = {C: [[-9.0, -9.5, -9.1], [-8.0, -10.0, DIVERGED], [-9.0, -9.3, "failed"], [-9.0, DIVERGED, DIVERGED]]}
    trials = _trials(None, draws)
    assert trials.search_gap(C, LOG_LIKELIHOOD) == pytest.approx(np.median([0.1, 2.0, 0.3]))
    assert np.isnan(trials.search_gap(C, ACCURACY))
    assert np.isnan(trials.search_gap(SGD, LOG_LIKELIHOOD))


def test_the_gap_is_between_draws_that_came_to_the_last_rung():
    results = campaign_by_hand(None, {C: [[-9.0, -9.1, -9.5]]}, **ASKED)
    results.trials["ended_early"] = [False, True, False]
    assert TrialsOf(results, CORPUS).search_gap(C, LOG_LIKELIHOOD) == pytest.approx(0.5)
