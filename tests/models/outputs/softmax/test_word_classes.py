"""Classes of words: what must hold for any counts, and a second way to the same classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.outputs.softmax.word_classes import assign_classes

any_counts = st.lists(st.integers(0, 50) | st.integers(0, 10**6), min_size=1, max_size=60).map(np.array)


def by_hand(counts: list[int], n_classes: int) -> list[int]:
    """Word by word, with lists."""
    order = sorted(range(len(counts)), key=lambda word: (-counts[word], word))
    classes = min(n_classes, len(counts))
    found = [0] * len(counts)
    for number in range(classes):
        left = classes - number
        share = sum(counts[word] for word in order) / left
        best = min(range(1, len(order) - left + 2), key=lambda n: abs(sum(counts[word] for word in order[:n]) - share))
        for word in order[: best if left > 1 else len(order)]:
            found[word] = number
        order = order[best:]
    return found


@given(any_counts, st.integers(1, 70))
def test_they_are_monotone_in_rank_and_none_is_empty(counts: np.ndarray, n_classes: int) -> None:
    classes = assign_classes(counts, n_classes)
    assert set(classes.tolist()) == set(range(min(n_classes, len(counts))))
    order = np.argsort(-counts, kind="stable")
    assert (np.diff(classes[order]) >= 0).all()
    assert classes.dtype == np.int64


@given(any_counts, st.integers(1, 12))
def test_they_are_those_found_by_hand(counts: np.ndarray, n_classes: int) -> None:
    assert assign_classes(counts, n_classes).tolist() == by_hand(counts.tolist(), n_classes)


@given(any_counts, st.integers(1, 12))
def test_a_class_that_is_too_heavy_is_one_word(counts: np.ndarray, n_classes: int) -> None:
    classes = assign_classes(counts, n_classes)
    left = counts.sum()
    for number in range(classes.max()):
        members = counts[classes == number]
        share = left / (classes.max() + 1 - number)
        if len(members) > 1:  # else it is a word of its own
            assert members.sum() - share <= members.min() / 2 + 1e-9
        left -= members.sum()


def test_a_vocabulary_like_that_of_a_text_gives_about_equal_classes() -> None:
    counts = (10**6 / np.arange(1, 10_001)).astype(int)
    masses = np.bincount(assign_classes(counts, 30), counts)
    share = counts.sum() / 30
    alone = counts[counts > share].sum()
    rest = masses[len(counts[counts > share]) :]
    wanted = (counts.sum() - alone) / len(rest)
    assert len(rest) > 20
    assert np.abs(rest / wanted - 1).max() < 0.3  # the first of them are a few heavy words
    assert np.abs(rest[10:] / wanted - 1).max() < 0.02


def test_equal_counts_go_by_number_and_few_words_each_have_a_class() -> None:
    assert assign_classes(np.array([5, 5, 5, 5]), 2).tolist() == [0, 0, 1, 1]
    assert assign_classes(np.array([1, 3, 2]), 30).tolist() == [2, 0, 1]
    assert assign_classes(np.zeros(3, int), 2).tolist() == [0, 1, 1]
    assert assign_classes(np.array([7]), 1).tolist() == [0]


@given(any_counts, st.integers(1, 12))
def test_shares_have_the_classes_of_their_counts(counts: np.ndarray, n_classes: int) -> None:
    shares = counts / 2.0**24  # exact
    assert assign_classes(shares, n_classes).tolist() == assign_classes(counts, n_classes).tolist()


def test_a_frequency_that_is_no_number() -> None:
    with pytest.raises(ValueError, match="classes of words"):
        assign_classes(np.array([1.0, np.nan]), 1)


@pytest.mark.parametrize(("counts", "n_classes"), [([], 3), ([1, -1], 1), ([1], 0), ([[1]], 1)])
def test_what_cannot_be_is_told(counts: list[int], n_classes: int) -> None:
    with pytest.raises(ValueError, match="classes of words"):
        assign_classes(np.array(counts, int), n_classes)
