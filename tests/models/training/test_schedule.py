"""Schedule and patience against a plain restatement over whole series of scores."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.schedule import Verdict, is_over, judge, next_rate


def _followed(scores: list[float], patience: int, epochs: int, decay: float) -> list[tuple[float, bool, int]]:
    """Of each epoch its rate, whether it is a new best, and what was waited, until training ends."""
    rows: list[tuple[float, bool, int]] = []
    rate, best, waited = 1.0, scores[0], 0
    for before, valid in zip(scores, scores[1:], strict=False):
        if is_over(len(rows) + 1, epochs, waited, patience):
            break
        verdict = judge(valid, best, before, waited)
        rows.append((rate, *verdict))
        best, waited = max(best, valid), verdict.waited
        rate = next_rate(rate, decay, verdict.new_best)
    return rows


@settings(max_examples=60, deadline=None)
@given(
    scores=st.lists(st.sampled_from([-4.0, -3.0, -2.5, -2.0, -1.0]), min_size=1, max_size=30),
    patience=st.integers(1, 5),
    epochs=st.integers(1, 30),
)
def test_a_series_of_scores_is_followed_as_its_words_say(scores, patience, epochs):
    expected = []
    for n in range(1, len(scores)):
        best_place = max(range(n), key=lambda i: (scores[i], -i))
        waited = sum(scores[i] <= scores[i - 1] for i in range(best_place + 1, n))
        if n > epochs or waited >= patience:
            break
        misses = sum(scores[i] <= max(scores[:i]) for i in range(1, n))
        new_best = scores[n] > max(scores[:n])
        after = 0 if new_best else waited + (scores[n] <= scores[n - 1])
        expected.append((pytest.approx(0.5**misses), new_best, after))
    assert _followed(scores, patience, epochs, 0.5) == expected


def test_a_score_that_is_only_as_good_as_the_best_is_no_new_best():
    assert judge(-1.0, best=-1.0, before=-1.0, waited=0) == Verdict(False, 1)
    assert judge(-1.0, best=-1.0, before=-2.0, waited=1) == Verdict(False, 1)


def test_the_last_epoch_and_patience_end_it():
    assert [is_over(epoch, 3, 0, 2) for epoch in (1, 3, 4)] == [False, False, True]
    assert [is_over(1, 3, waited, 2) for waited in (1, 2, 3)] == [False, True, True]
