from collections import Counter
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ingest.building.splits import Likeness, Steps, assign_splits, group, linked_pairs
from tests.tasks.ingest.melodies import runs

LIKENESS = Likeness(long=4, short=2, share=0.5)
melodies = st.lists(st.lists(st.integers(-2, 2), max_size=9).map(tuple), max_size=12)


def alike(one: Steps, other: Steps) -> bool:
    """Both rules by comparing strings of every place with every place."""

    if runs(one, LIKENESS.long) & runs(other, LIKENESS.long):
        return True
    first, second = runs(one, LIKENESS.short), runs(other, LIKENESS.short)
    shared = len(first & second)
    return shared > 0 and shared / min(len(first), len(second)) >= LIKENESS.share


@given(melodies)
def test_pairs_are_linked_by_the_two_rules_and_no_other(tunes: list[Steps]) -> None:
    expected = {(i, j) for i, j in combinations(range(len(tunes)), 2) if alike(tunes[i], tunes[j])}
    pairs = linked_pairs(tunes, LIKENESS)
    assert pairs <= expected
    assert group(len(tunes), pairs) == group(len(tunes), expected)


@given(melodies, st.integers(1, 7), st.integers(1, 3))
def test_pieces_are_linked_by_runs_of_any_length(tunes: list[Steps], length: int, common: int) -> None:
    """Rule (a) for every length; and (b) with a share of 0, which links all that share a run that is rare enough."""
    having = Counter(run for tune in tunes for run in runs(tune, length))
    rare = {run for run, pieces in having.items() if pieces <= common}
    for likeness, kept in ((Likeness(length, 30, 2.0), set(having)), (Likeness(30, length, 0.0, common), rare)):
        pairs = combinations(range(len(tunes)), 2)
        whole = {(i, j) for i, j in pairs if tunes[i] == tunes[j]} if likeness.long == 30 else set()
        shared = {
            (i, j)
            for i, j in combinations(range(len(tunes)), 2)
            if kept & runs(tunes[i], length) & runs(tunes[j], length)
        }
        assert group(len(tunes), linked_pairs(tunes, likeness)) == group(len(tunes), shared | whole)


def test_a_scale_that_everybody_plays_links_nobody_where_it_is_common() -> None:
    tunes = [(2, 2, 1, 10 + piece) for piece in range(6)]
    assert linked_pairs(tunes, Likeness(long=4, short=2, share=0.5)) == set(combinations(range(6), 2))
    assert linked_pairs(tunes, Likeness(long=4, short=2, share=0.5, common=5)) == set()


@given(melodies)
def test_no_linked_pair_is_split(tunes: list[Steps]) -> None:
    splits = assign_splits(tunes, [10] * len(tunes), LIKENESS)
    assert all(splits[i] == splits[j] for i, j in combinations(range(len(tunes)), 2) if alike(tunes[i], tunes[j]))


@given(melodies, st.randoms())
def test_the_order_of_the_pieces_does_not_matter(tunes: list[Steps], random: Random) -> None:
    order = list(range(len(tunes)))
    random.shuffle(order)
    sizes = [5 + sum(map(abs, tune)) for tune in tunes]
    straight = assign_splits(tunes, sizes, LIKENESS)
    shuffled = assign_splits([tunes[place] for place in order], [sizes[place] for place in order], LIKENESS)
    assert shuffled == [straight[place] for place in order]


@given(st.integers(0, 14), st.data())
def test_groups_are_the_connected_components(count: int, data: st.DataObject) -> None:
    number = st.integers(0, max(count - 1, 0))
    pairs = data.draw(st.lists(st.tuples(number, number), max_size=12 if count else 0))
    reach = [{piece} for piece in range(count)]
    for _ in range(count):
        for i, j in pairs:
            reach[i] = reach[j] = reach[i] | reach[j]
        for piece in range(count):
            reach[piece] = set().union(*(reach[other] for other in reach[piece]))
    expected = sorted({tuple(sorted(members)) for members in reach})
    assert sorted(map(tuple, group(count, pairs))) == expected


@pytest.mark.parametrize("count", [50, 400])
def test_unlike_pieces_fill_the_splits_to_their_shares(count: int) -> None:
    tunes = [(piece, piece, piece, piece) for piece in range(count)]
    sizes = [1 + piece % 7 for piece in range(count)]
    splits = assign_splits(tunes, sizes, LIKENESS)
    filled = {name: sum(size for size, split in zip(sizes, splits, strict=True) if split == name) for name in splits}
    for name, share in (("train", 0.6), ("valid", 0.2), ("test", 0.2)):
        assert abs(filled[name] - share * sum(sizes)) <= max(sizes)


def test_large_groups_do_not_all_go_to_one_split() -> None:
    # 30 groups of 10: comparing the smallest of ten hashes with 0.6 would send nearly all of them to train
    tunes = [(kind, kind + 100, kind, kind + 100, 1000 + place) for kind in range(30) for place in range(10)]
    splits = assign_splits(tunes, [1] * len(tunes), LIKENESS)
    assert {name: splits.count(name) for name in ("train", "valid", "test")} == {"train": 180, "valid": 60, "test": 60}
