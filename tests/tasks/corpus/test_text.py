from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.corpus.text import build_vocabulary, characters, decode, encode, encode_characters, readable, words

lines = st.lists(st.text(alphabet="ab <|", max_size=8), max_size=6)


@given(lines)
def test_characters_are_the_text_with_a_newline_a_line(text: list[str]) -> None:
    assert "".join(characters(text)) == "".join(line + "\n" for line in text)


@given(lines)
def test_words_are_the_tokens_and_an_end_a_line(text: list[str]) -> None:
    stream = words(text)
    assert stream.count("<eos>") == len(text)
    assert [word for word in stream if word != "<eos>"] == " ".join(text).split()


@given(lines, lines, st.integers(1, 3))
def test_the_vocabulary_knows_train_alone(train: list[str], other: list[str], fewest: int) -> None:
    vocabulary = build_vocabulary([words(train)], fewest)
    counts = Counter(words(train))
    assert set(vocabulary[1:]) == {word for word, count in counts.items() if count >= fewest}
    assert [counts[word] for word in vocabulary[1:]] == sorted((counts[w] for w in vocabulary[1:]), reverse=True)
    numbers = encode(words(other), {word: number for number, word in enumerate(vocabulary)})
    for number, word in zip(numbers.tolist(), words(other), strict=True):
        assert vocabulary[number] == (word if counts[word] >= fewest else "<unk>")


def test_a_text_that_spells_the_unknown_symbol_does_not_get_two_of_it() -> None:
    assert build_vocabulary([["<unk>", "<unk>", "a"]], fewest=1) == ("<unk>", "a")


@pytest.mark.parametrize(("data", "text"), [("é\n".encode(), "é\n"), (b"\xe9\r\n\r", "é\n\n"), (b"\xef\xbb\xbfX", "X")])
def test_any_bytes_are_decoded(data: bytes, text: str) -> None:
    assert decode(data) == text


@given(st.text(max_size=20), st.lists(st.text(max_size=2), max_size=5, unique=True))
def test_characters_in_a_row_have_the_numbers_that_they_have_one_by_one(text: str, symbols: list[str]) -> None:
    vocabulary = ("<unk>", *symbols)
    numbers = encode_characters(text, vocabulary)
    one_by_one = encode(text, {symbol: number for number, symbol in enumerate(vocabulary)})
    assert np.array_equal(numbers, one_by_one)
    assert numbers.dtype == np.int32


@given(lines)
def test_characters_are_read_again_as_they_were(text: list[str]) -> None:
    assert readable("characters", characters(text)) == "".join(line + "\n" for line in text)


@given(lines)
def test_words_are_read_again_with_one_blank_between(text: list[str]) -> None:
    assert readable("words", words(text)) == "".join(" ".join(line.split()) + "\n" for line in text)
