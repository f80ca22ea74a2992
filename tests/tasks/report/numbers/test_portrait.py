"""What is counted and chosen of a corpus, against plain loops."""

import numpy as np
import pytest

from tasks.corpus.corpus import SPLITS, Corpus
from tasks.corpus.piano_roll import find_runs
from tasks.report.numbers.portrait import COMMON, FRAMES, LINES, SYMBOLS, choose_pieces, portray, split_statistics


def _music(*rolls: np.ndarray) -> Corpus:
    return Corpus("m", "music", dict.fromkeys(SPLITS, rolls), dict.fromkeys(SPLITS, tuple(map(str, range(len(rolls))))))


def _text(kind, *texts: str, vocabulary: tuple[str, ...]) -> Corpus:
    index = {symbol: number for number, symbol in enumerate(vocabulary)}
    streams = texts if kind == "characters" else [text.split(" ") for text in texts]
    pieces = tuple(np.array([index[symbol] for symbol in stream], np.int32) for stream in streams)
    return Corpus("t", kind, dict.fromkeys(SPLITS, pieces), dict.fromkeys(SPLITS, texts), vocabulary)


def _random_roll(frames: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((frames, 88)) < 0.2).astype(np.uint8)


@pytest.mark.parametrize(
    ("lengths", "places"),
    [([3, 3, 3], [0, 1]), ([9, 1, 5], [0, 2]), ([1, 2, 3, 4], [0, 1, 3]), ([4, 9, 6, 5, 7], [0, 2, 1])],
)
def test_the_pieces_are_chosen_by_place_and_length_alone(lengths, places):
    assert list(choose_pieces(lengths)) == places


def test_a_portrait_of_music_holds_the_beginning_of_three_pieces():
    rolls = [_random_roll(frames, frames) for frames in (50, FRAMES + 70, 60)]
    portrait = portray(_music(*rolls))
    assert [(roll.title, roll.frames) for roll in portrait.rolls] == [("0", 50), ("2", 60), ("1", FRAMES + 70)]
    assert portrait.rolls[2].runs == find_runs(rolls[1][:FRAMES])
    assert portrait.shares == pytest.approx(np.concatenate(rolls).mean(axis=0))
    assert (portrait.sample, portrait.common) == (None, ())


def test_a_portrait_of_text_holds_its_first_lines():
    text = "".join(f"line {n}\n" for n in range(LINES + 2))
    sample = portray(_text("characters", text, "x", vocabulary=tuple(sorted({*text, "x"})))).sample
    assert "".join(sample.symbols) == "".join(f"line {n}\n" for n in range(LINES))
    assert (sample.title, sample.more) == (text, True)
    whole = portray(_text("words", "a <eos>", vocabulary=("a", "<eos>"))).sample
    assert (whole.symbols, whole.more) == (("a", "<eos>"), False)


@pytest.mark.parametrize("kind", ["characters", "words"])
def test_a_long_line_is_cut(kind):
    text = "ab" * 1000 if kind == "characters" else " ".join(["a", "b"] * 1000)
    sample = portray(_text(kind, text, vocabulary=("a", "b"))).sample
    assert (len(sample.symbols), sample.more) == (SYMBOLS[kind], True)


def test_the_most_frequent_symbols_are_counted_and_fall():
    vocabulary = tuple("abcdefghijklmnopqrstuvwxyz")
    text = "".join(letter * (n % 20) for n, letter in enumerate(vocabulary))
    common = portray(_text("characters", text, vocabulary=vocabulary)).common
    assert list(common) == sorted(((c, text.count(c)) for c in vocabulary), key=lambda pair: -pair[1])[:COMMON]
    assert portray(_text("characters", "ba", vocabulary=vocabulary)).common == (("a", 1), ("b", 1))


def test_statistics_of_music_are_those_of_plain_loops():
    rolls = [_random_roll(frames, frames) for frames in (4, 9, 6, 5)]
    rolls[0][1] = 0
    told = split_statistics(_music(*rolls))["test"]
    frames = [set(np.flatnonzero(frame) + 21) for roll in rolls for frame in roll]
    assert told == {
        "pieces": 4,
        "steps": 24,
        "shortest": 4,
        "median": 5.5,
        "longest": 9,
        "silent_frames": sum(not frame for frame in frames),
        "polyphony": pytest.approx(sum(map(len, frames)) / 24, abs=1e-4),
        "polyphony_max": max(map(len, frames)),
        "lowest": min(set.union(*frames)),
        "highest": max(set.union(*frames)),
    }


def test_silent_music_has_no_range():
    told = split_statistics(_music(np.zeros((3, 88), np.uint8)))["train"]
    assert (told["lowest"], told["highest"], told["silent_frames"], told["polyphony"]) == (None, None, 3, 0.0)


def test_statistics_of_text_count_what_is_unknown_where_it_can_be():
    told = split_statistics(_text("words", "a <unk> a b", "<unk>", vocabulary=("c", "<unk>", "b", "a")))["valid"]
    lengths = {"pieces": 2, "steps": 5, "shortest": 1, "median": 2.5, "longest": 4}
    assert told == lengths | {"symbols": 3, "unknown": 2}
    assert "unknown" not in split_statistics(_text("characters", "ab", vocabulary=("a", "b")))["train"]
