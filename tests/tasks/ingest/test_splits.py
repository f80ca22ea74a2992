from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ingest.splits import Likeness, Steps, assign_splits, group, linked_pairs

LIKENESS = Likeness(long=4, short=2, share=0.5)
melodies = st.lists(st.lists(st.integers(-2, 2), max_size=9).map(tuple), max_size=12)


def alike(one: Steps, other: Steps) -> bool:
    """Both rules by comparing strings of every place with every place."""

    def pieces(steps: Steps, length: int) -> set[Steps]:
        if len(steps) < length:
            return {steps}
        return {steps[at : at + length] for at in range(len(steps) - length + 1)}

    if pieces(one, LIKENESS.long) & pieces(other, LIKENESS.long):
        return True
    first, second = pieces(one, LIKENESS.short), pieces(other, LIKENESS.short)
    shared = len(first & second)
    return shared > 0 and shared / min(len(first), len(second)) >= LIKENESS.share


@given(melodies)
def test_pairs_are_linked_by_the_two_rules_and_no_other(tunes: list[Steps]) -> None:
    expected = {(i, j) for i, j in combinations(range(len(tunes)), 2) if alike(tunes[i], tunes[j])}
    assert linked_pairs(tunes, LIKENESS) == expected


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
