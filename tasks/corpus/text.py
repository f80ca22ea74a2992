"""Bytes to text, text to symbols, and back; the vocabulary comes from the training split.

Characters are the symbols of the text, with one newline symbol after each line. Words are separated by whitespace, with
`<eos>` after each line. A symbol outside of the vocabulary becomes `<unk>`, which is always symbol 0. The other symbols
are ordered by descending count in the training split, ties by code point. Specification, section 3.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from models.data_kinds import Kind

UNKNOWN, END_OF_LINE, NEWLINE = "<unk>", "<eos>", "\n"


def decode(data: bytes) -> str:
    r"""Text from UTF-8, or from Latin-1 if the bytes are not UTF-8, with `\n` line ends; never fails.

    >>> decode(b"X:1\r\nT:\xe9t\xe9")
    'X:1\nT:été'
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def characters(lines: Iterable[str]) -> list[str]:
    r"""The character stream of a text.

    >>> characters(["ab", "c"])
    ['a', 'b', '\n', 'c', '\n']
    """
    return [symbol for line in lines for symbol in (*line, NEWLINE)]


def words(lines: Iterable[str]) -> list[str]:
    """The word stream of a text.

    >>> words(["a  b", "c"])
    ['a', 'b', '<eos>', 'c', '<eos>']
    """
    return [symbol for line in lines for symbol in (*line.split(), END_OF_LINE)]


def readable(kind: Kind, symbols: Iterable[str]) -> str:
    r"""Symbols joined to a text: characters without gaps, words with blanks between them, `<eos>` as a newline.

    >>> readable("characters", ["a", " ", "b", "\n"]), readable("words", ["a", "<unk>", "<eos>", "b"])
    ('a b\n', 'a <unk>\nb')
    """
    if kind == "characters":
        return "".join(symbols)
    text = " ".join(NEWLINE if symbol == END_OF_LINE else symbol for symbol in symbols)
    return text.replace(f" {NEWLINE}", NEWLINE).replace(f"{NEWLINE} ", NEWLINE)


def build_vocabulary(train: Iterable[Sequence[str]], fewest: int) -> tuple[str, ...]:
    """The vocabulary: `<unk>`, then the symbols that occur at least `fewest` times in the training split.

    >>> build_vocabulary([["b", "a"], ["b", "c", "a"]], fewest=2)
    ('<unk>', 'a', 'b')
    """
    counts = Counter(symbol for stream in train for symbol in stream)
    counts.pop(UNKNOWN, None)
    kept = [symbol for symbol, count in counts.items() if count >= fewest]
    return (UNKNOWN, *sorted(kept, key=lambda symbol: (-counts[symbol], symbol)))


def encode(stream: Iterable[str], index: Mapping[str, int]) -> np.ndarray:
    """The symbols' numbers, int32 (T,).

    Args:
        stream: symbols.
        index: number of each symbol of the vocabulary; all other symbols become 0, `<unk>`.

    >>> encode(["a", "x"], {"<unk>": 0, "a": 1})
    array([1, 0], dtype=int32)
    """
    return np.array([index.get(symbol, 0) for symbol in stream], np.int32)


def encode_characters(text: str, vocabulary: Sequence[str]) -> np.ndarray:
    """The numbers of a text's characters, int32 (T,): `encode`, vectorised; a tenth of a second for millions of them.

    Args:
        text: any text.
        vocabulary: symbols; only those of one character are used. All other characters become 0, `<unk>`.

    >>> encode_characters("axb", ("<unk>", "a", "b"))
    array([1, 0, 2], dtype=int32)
    """
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    singles = {ord(symbol): number for number, symbol in enumerate(vocabulary) if len(symbol) == 1}
    table = np.zeros(max(int(codes.max(initial=0)), *singles, 0) + 1, np.int32)
    table[list(singles)] = list(singles.values())
    return table[codes]
