"""A corpus: what it refuses, and what its digest stands for."""

from dataclasses import replace

import numpy as np
import pytest

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS, Corpus
from tests.tasks.conftest import tiny_music, tiny_text

ROLL = np.zeros((4, 88), np.uint8)
LINE = np.zeros(4, np.int32)


def _with(corpus: Corpus, split: str, index: int, piece: object) -> Corpus:
    """The same corpus with another piece in one place."""
    pieces = list(corpus.splits[split])
    pieces[index] = piece
    return replace(corpus, splits={**corpus.splits, split: tuple(pieces)})


@pytest.mark.parametrize(
    "piece",
    [
        ROLL.astype(np.int32),
        ROLL.astype(bool),
        ROLL.astype(np.float32),
        ROLL + np.uint8(2),
        np.zeros((4, 87), np.uint8),
        np.zeros((88, 4), np.uint8),
        np.zeros(88, np.uint8),
        np.zeros((1, 4, 88), np.uint8),
        np.zeros((0, 88), np.uint8),
        np.array(1, np.uint8),
    ],
    ids=lambda piece: f"{piece.dtype}{piece.shape}",
)
def test_music_takes_rolls_of_zeros_and_ones_alone(piece):
    with pytest.raises(CorpusError) as caught:
        _with(tiny_music(), "valid", 1, piece)
    assert str(caught.value).startswith("corpus bach-chorales, valid/valid 1: not uint8 (T, 88) of zeros and ones")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "piece",
    [
        LINE.astype(np.int64),
        LINE.astype(np.float32),
        LINE - np.int32(1),
        LINE + np.int32(5),
        np.zeros((4, 1), np.int32),
        np.zeros(0, np.int32),
        np.array(1, np.int32),
    ],
    ids=lambda piece: f"{piece.dtype}{piece.shape}",
)
def test_text_takes_symbols_of_its_vocabulary_alone(piece):
    with pytest.raises(CorpusError) as caught:
        _with(tiny_text(), "test", 2, piece)
    assert str(caught.value).startswith("corpus folk-tunes-characters, test/test 2: not int32 (T,) of symbols under 5")
    assert "\n" not in str(caught.value)


def test_the_last_symbol_and_the_shortest_piece_are_good():
    assert _with(tiny_text(), "train", 0, np.array([4], np.int32)).width == 5
    assert _with(tiny_music(), "train", 0, np.ones((1, 88), np.uint8)).width == 88


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_has_pieces_and_as_many_titles(split):
    music = tiny_music()
    with pytest.raises(CorpusError, match=f"no piece in the {split} split"):
        replace(music, splits={**music.splits, split: ()})
    with pytest.raises(CorpusError, match=f"no piece in the {split} split"):
        replace(music, splits={name: pieces for name, pieces in music.splits.items() if name != split})
    with pytest.raises(CorpusError, match=f"{split} has . pieces, but not as many titles"):
        replace(music, titles={**music.titles, split: music.titles[split][:-1]})


def test_steps_are_those_of_all_pieces():
    music = tiny_music()
    assert {split: music.steps(split) for split in SPLITS} == {
        split: sum(piece.shape[0] for piece in music.splits[split]) for split in SPLITS
    }


def _changed(corpus: Corpus, split: str, index: int) -> Corpus:
    """One number of one piece changed."""
    piece = corpus.splits[split][index].copy()
    piece.flat[-1] = 1 - piece.flat[-1] if corpus.kind == "music" else (piece.flat[-1] + 1) % 5
    return _with(corpus, split, index, piece)


def _joined(corpus: Corpus) -> Corpus:
    """The same numbers in the same order, but the first step of the second piece is the last of the first."""
    first, second, *rest = corpus.splits["train"]
    moved = (np.concatenate([first, second[:1]]), second[1:], *rest)
    return replace(corpus, splits={**corpus.splits, "train": moved})


def _swapped(corpus: Corpus) -> Corpus:
    first, second, *rest = corpus.splits["train"]
    return replace(corpus, splits={**corpus.splits, "train": (second, first, *rest)})


def _splits_swapped(corpus: Corpus) -> Corpus:
    return replace(corpus, splits={**corpus.splits, "valid": corpus.splits["test"], "test": corpus.splits["valid"]})


@pytest.mark.parametrize("make", [tiny_music, tiny_text])
def test_the_digest_tells_any_change_of_the_data(make):
    corpus = make()
    others = [_changed(corpus, split, index) for split in SPLITS for index in range(len(corpus.splits[split]))]
    others += [_joined(corpus), _swapped(corpus), _splits_swapped(corpus)]
    digests = {other.digest for other in (corpus, *others)}
    assert len(digests) == 1 + len(others)
    assert all(len(digest) == 64 for digest in digests)


def test_the_digest_tells_the_vocabulary_and_the_kind():
    text = tiny_text()
    others = [
        replace(text, vocabulary=tuple("abcdf")),
        replace(text, vocabulary=tuple("bacde")),
        replace(text, vocabulary=tuple("abcdef")),
        replace(text, kind="words"),
    ]
    assert len({other.digest for other in (text, *others)}) == 5


@pytest.mark.parametrize("make", [tiny_music, tiny_text])
def test_the_digest_does_not_depend_on_names_or_memory(make):
    corpus = make()
    titles = {split: tuple(f"other {title}" for title in titles) for split, titles in corpus.titles.items()}
    strided = {split: tuple(np.repeat(p, 2, axis=0)[::2] for p in pieces) for split, pieces in corpus.splits.items()}
    assert not strided["train"][0].flags.c_contiguous
    assert make().digest == corpus.digest
    assert replace(corpus, titles=titles, source={"from": "elsewhere"}).digest == corpus.digest
    assert replace(corpus, splits=strided).digest == corpus.digest


def test_the_digest_is_pinned():
    """Every stored trial names its corpus by it: a change makes all of them unreachable."""
    assert tiny_text().digest[:16] == "e5e5d6fb01ab49fc"
