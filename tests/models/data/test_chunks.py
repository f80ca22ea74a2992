"""Chunks: every step of every piece exactly once, in order, with the state fresh where a piece begins."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.data.chunks import Pieces, chunks, shuffled
from tests.models import examples


def _numbered(lengths: list[int], notes: bool) -> Pieces:
    """Pieces whose steps are numbered from 1, so that every step is known and none looks like padding."""
    number, arrays = 1, []
    for length in lengths:
        steps = np.arange(number, number + length)
        arrays.append(np.stack([steps, -steps], axis=1) if notes else steps)
        number += length
    return Pieces.from_arrays(arrays, torch.float64)


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    lanes=st.integers(1, 10),
    length=st.integers(1, 14),
    notes=st.booleans(),
    mixer=st.randoms(use_true_random=False),
)
def test_every_step_once_in_order_fresh_at_the_start_carried_elsewhere(lengths, lanes, length, notes, mixer):
    pieces = _numbered(lengths, notes)
    order = list(range(len(lengths)))
    mixer.shuffle(order)
    begins = [1 + sum(lengths[:i]) for i in range(len(lengths))]
    waiting, left = list(order), [[] for _ in range(min(lanes, len(lengths)))]
    seen: list[int] = []
    taken: dict[int, int] = {}
    for chunk in chunks(pieces, order, lanes, length):
        T, B = chunk.unpadded_TB.shape
        assert 1 <= T <= length
        assert B == len(left) == len(chunk.fresh) == len(chunk.piece_B)
        assert chunk.unpadded_TB.any(1).all(), "no row is padding alone"
        data = chunk.data if not notes else chunk.data[..., 0]
        if notes:
            assert torch.equal(chunk.data[..., 1], -chunk.data[..., 0])
        for lane in range(B):
            steps = int(chunk.unpadded_TB[:, lane].sum())
            assert chunk.unpadded_TB[:, lane].tolist() == [True] * steps + [False] * (T - steps)
            assert not data[steps:, lane].any(), "padding is zero"
            idle = not left[lane]
            assert chunk.fresh[lane].item() == (idle and bool(waiting))
            if idle and waiting:
                piece = taken[lane] = waiting.pop(0)
                left[lane] = list(range(begins[piece], begins[piece] + lengths[piece]))
            assert chunk.piece_B[lane] == taken[lane]
            assert steps == min(len(left[lane]), length), "as long as it can be"
            got = [int(x) for x in data[:steps, lane]]
            assert got == left[lane][:steps]
            left[lane] = left[lane][steps:]
            seen += got
    assert not waiting
    assert sorted(seen) == list(range(1, sum(lengths) + 1))


def test_a_chosen_few_pieces():
    pieces = _numbered([2, 3, 4], notes=False)
    (chunk,) = chunks(pieces, [2, 0], lanes=5, length=10)
    assert chunk.data.T.tolist() == [[6, 7, 8, 9], [1, 2, 0, 0]]
    assert list(chunks(pieces, [], lanes=2, length=3)) == []
    # Chunks that are kept do not change as the lane goes on.
    assert [int(chunk.piece_B[0]) for chunk in list(chunks(pieces, [2, 0], lanes=1, length=2))] == [2, 2, 0]


def test_the_pieces_stay_as_they_are():
    pieces = _numbered([5, 1, 3], notes=True)
    before = pieces.data.clone()
    for chunk in chunks(pieces, [0, 1, 2], lanes=3, length=2):
        chunk.data.fill_(99)
    assert torch.equal(pieces.data, before)


def test_joining_arrays():
    notes = Pieces.from_arrays(examples.music([3, 1, 2]))
    assert (notes.data.dtype, tuple(notes.data.shape), len(notes)) == (torch.float32, (6, 5), 3)
    assert notes.lengths.tolist() == [3, 1, 2]
    symbols = Pieces.from_arrays(examples.text([4, 2]))
    assert (symbols.data.dtype, tuple(symbols.data.shape), len(symbols)) == (torch.int64, (6,), 2)
    assert symbols.starts.tolist() == [0, 4, 6]


@pytest.mark.parametrize("arrays", [[], [np.zeros((3, 5), np.uint8), np.zeros((0, 5), np.uint8)]])
def test_no_piece_or_an_empty_one_is_refused(arrays):
    with pytest.raises(ValueError, match="^pieces: "):
        Pieces.from_arrays(arrays)


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=40), lanes=st.integers(1, 5), seed=st.integers(0, 3))
def test_a_shuffled_order_has_every_piece_once(lengths, lanes, seed):
    pieces = Pieces.from_arrays([np.zeros(length, np.int32) for length in lengths])
    order = shuffled(pieces, lanes, torch.Generator().manual_seed(seed))
    assert sorted(order) == list(range(len(lengths)))


def test_a_shuffled_order_is_random_and_its_batches_are_of_like_length():
    lengths = np.random.default_rng(0).integers(1, 200, 256)
    pieces = Pieces.from_arrays([np.zeros(length, np.int32) for length in lengths])
    first, again, other = (shuffled(pieces, 4, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert first == again != other
    spread = np.ptp(lengths[first].reshape(-1, 4), axis=1).mean()
    assert spread < np.ptp(lengths.reshape(-1, 4), axis=1).mean() / 4
    # Short and long batches alternate: no drift from the start of an epoch to its end.
    assert abs(lengths[first][:128].mean() - lengths[first][128:].mean()) < 20
