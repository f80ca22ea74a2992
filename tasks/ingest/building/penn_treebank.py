"""penn-treebank-words, penn-treebank-characters: the Penn Treebank as Mikolov prepared it for language models.

Source: a folder with `ptb.train.txt`, `ptb.valid.txt`, `ptb.test.txt`, with `ptb.char.*.txt` beside them or instead, or
Mikolov's `simple-examples.tgz`; the files may lie in any subfolder. Specification, sections 3 and 4.

    words: separated by whitespace, with `<eos>` after each line. The vocabulary has 10,000 words, including `<eos>` and
        `<unk>`, which the text already has in place of every rare word.
    characters: the words of a line with one blank between them, and one newline after each line: 50 symbols. `<unk>`
        is five characters of the text. In `ptb.char.*.txt` characters are separated by blanks, and a blank is `_`.
        Both files give the same stream; if both are present, this is checked.
    vocabulary: from the training split alone. Every character of valid and test also occurs in train. A character that
        did not would be replaced by `<unk>`, which would then be a symbol of its own.

Pieces: each split is cut into `PARTS` contiguous parts of about equal length, between lines (`parts.py`). The usual
protocol carries the state through a whole split. Here it is carried through a part, across sentences: some 29,000 words
of train and 2,600 of test. It is reset at the start of a part, for 32 of the 82,430 words of test. With parts, training
can batch the text and the report's bootstrap can resample it; a single stream would allow neither.

Licence: the text belongs to the Linguistic Data Consortium (LDC99T42), and its users need a licence. This module never
fetches it from an address that the user did not give.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import Literal

import numpy as np

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.corpus.text import NEWLINE, UNKNOWN, build_vocabulary, decode, encode, encode_characters, words
from tasks.ingest.building.parts import cut_parts

PARTS = 32
"""Number of parts of each split, which is also the widest batch of training."""
FILE_BYTES = 64 * 2**20
"""Largest size of a file in bytes; `ptb.char.train.txt` has 10,034,964."""

TextKind = Literal["words", "characters"]


def is_penn_treebank_file(name: str) -> bool:
    """Whether a file is one of the six; the others of `simple-examples.tgz` need not be unpacked.

    >>> is_penn_treebank_file("simple-examples/data/ptb.char.test.txt"), is_penn_treebank_file("data/README")
    (True, False)
    """
    return _base(name) in {f"ptb.{form}{split}.txt" for form in ("", "char.") for split in SPLITS}


def build_penn_treebank(name: str, kind: TextKind, files: Mapping[str, bytes]) -> Corpus:
    """The corpus of these files.

    Args:
        name: of the corpus.
        kind: `words` or `characters`.
        files: contents by name; files that are not of the Penn Treebank are ignored.

    Raises:
        CorpusError: a file is missing, present twice, empty or not text, or its word and character forms differ.
    """
    lines = {split: _lines(name, kind, files, split) for split in SPLITS}
    if kind == "words":
        splits, ends, vocabulary = _words(lines)
    else:
        splits, ends, vocabulary = _characters(lines)
    parts = {split: cut_parts(ends[split], PARTS) for split in SPLITS}
    return Corpus(
        name=name,
        kind=kind,
        splits={split: tuple(splits[split][start:end] for start, end in parts[split]) for split in SPLITS},
        titles={
            split: tuple(f"{split} {place} of {len(parts[split])}" for place in range(1, len(parts[split]) + 1))
            for split in SPLITS
        },
        vocabulary=vocabulary,
        source={
            "origin": "Penn Treebank (LDC99T42) as prepared by T. Mikolov, files ptb.*.txt",
            "unknown": f"{UNKNOWN}: as the text has it",
            "quarantined": {},
            "statistics": {
                split: {"pieces": len(parts[split]), "steps": len(splits[split]), "lines": len(lines[split])}
                for split in SPLITS
            },
        },
    )


def _words(lines: Mapping[str, list[str]]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], tuple[str, ...]]:
    streams = {split: words(lines[split]) for split in SPLITS}
    vocabulary = build_vocabulary([streams["train"]], 1)
    index = {symbol: number for number, symbol in enumerate(vocabulary)}
    ends = {split: _ends([len(line.split()) + 1 for line in lines[split]]) for split in SPLITS}
    return {split: encode(stream, index) for split, stream in streams.items()}, ends, vocabulary


def _characters(
    lines: Mapping[str, list[str]],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], tuple[str, ...]]:
    texts = {split: "".join(line + NEWLINE for line in lines[split]) for split in SPLITS}
    vocabulary = build_vocabulary([texts["train"]], 1)
    if all(set(texts[split]) <= set(vocabulary) for split in SPLITS):
        vocabulary = vocabulary[1:]  # nothing is unknown, and a symbol for it would be one of 51
    ends = {split: _ends([len(line) + 1 for line in lines[split]]) for split in SPLITS}
    return {split: encode_characters(text, vocabulary) for split, text in texts.items()}, ends, vocabulary


def _ends(lengths: list[int]) -> np.ndarray:
    return np.array(list(accumulate(lengths)), np.int64)


def _lines(name: str, kind: TextKind, files: Mapping[str, bytes], split: str) -> list[str]:
    """The lines of a split, their words with one blank between them."""
    from_words = _find(name, files, f"ptb.{split}.txt")
    from_characters = _find(name, files, f"ptb.char.{split}.txt") if kind == "characters" else None
    if from_words is None and from_characters is None:
        wanted = "the folder or the simple-examples.tgz that holds it, which its licence has you bring yourself"
        raise CorpusError(f"{name}: ptb.{split}.txt is not there; give the address of {wanted}")
    spelled = None if from_characters is None else [_spelled(line) for line in from_characters]
    if from_words is None:
        return spelled or []
    lines = [" ".join(line.split()) for line in from_words]
    if spelled is not None and spelled != lines:
        raise CorpusError(f"{name}: ptb.{split}.txt and ptb.char.{split}.txt are not the same text; fetch them again")
    return lines


def _spelled(line: str) -> str:
    return "".join(line.split()).replace("_", " ")


def _find(name: str, files: Mapping[str, bytes], base: str) -> list[str] | None:
    found = [file for file in files if _base(file) == base]
    if not found:
        return None
    if len(found) > 1:
        raise CorpusError(f"{name}: {base} is there {len(found)} times, {found[0]} and {found[1]}; give one folder")
    data = files[found[0]]
    if len(data) > FILE_BYTES or b"\0" in data:
        raise CorpusError(f"{name}: {found[0]} is over {FILE_BYTES:,} bytes or no text; fetch it again")
    text = decode(data).rstrip(" ")  # behind the last newline ptb.char.*.txt has a blank, which is no line
    lines = text.removesuffix(NEWLINE).split(NEWLINE)
    if not text.strip():
        raise CorpusError(f"{name}: {found[0]} is empty; fetch it again")
    return lines


def _base(name: str) -> str:
    return name.rpartition("/")[2]
