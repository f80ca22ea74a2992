"""Any text, one file or many, as characters or words.

Text: UTF-8, or Latin-1 where it is not that. A file with NUL bytes, or without a visible character, is set aside with
its reason; where more than `MOST_LOST` of the files are, the corpus fails.

Pieces: the files, where there are `FEWEST_FILES` or more; else blocks of the files of about `BLOCK` characters, cut
between lines, or at blanks where a line is longer than a block; one of blanks alone is left out. They are the same for
characters and for words.

Splits: those that the names give, a folder `train`, `valid` or `test` or a file `train.txt`, `mine.valid.txt`; then
every file must be in one, and each split is made into pieces on its own. Else by content: pieces of the same text are
together, in the order of their sha256, 60, 20 and 20 % of the characters (`fill_splits`). Texts that are nearly the
same are not looked for.

Symbols: characters with a newline after each line; words with `<eos>` after each line. The vocabulary is that of the
training split: every character, and the words that are there `fewest` times; the others are `<unk>`.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from infra.errors import CorpusError
from tasks.corpus import SPLITS, Corpus
from tasks.ingest.parts import cut_parts
from tasks.ingest.splits import fill_splits
from tasks.ingest.text import (
    NEWLINE,
    UNKNOWN,
    build_vocabulary,
    decode,
    encode,
    encode_characters,
    words,
)

FEWEST_FILES = 30
"""From so many files on, each is a piece."""
BLOCK = 2_000
"""Characters of a block, about."""
MOST_LOST = 0.05
"""Most files that may be set aside, of all."""
FEWEST_WORDS = 3
"""How often a word must be in train, unless the caller says otherwise."""

Kind = Literal["words", "characters"]
Piece = tuple[str, str]  # title, text


def build_text_corpus(name: str, kind: Kind, files: Mapping[str, bytes], fewest: int = FEWEST_WORDS) -> Corpus:
    """The corpus of some text files.

    Args:
        name: of the corpus.
        kind: `characters` or `words`.
        files: contents by name.
        fewest: how often a word must be in train to be a symbol; of characters all are.

    Raises:
        CorpusError: too many files are no text, only some of them are in a split, or there is too little text.
    """
    texts, quarantined = _texts(name, files)
    by_split = _by_split(name, texts)
    streams = {split: [_stream(kind, text) for _, text in pieces] for split, pieces in by_split.items()}
    vocabulary = build_vocabulary(streams["train"], fewest if kind == "words" else 1)
    index = {symbol: number for number, symbol in enumerate(vocabulary)}
    splits = {
        split: tuple(
            encode_characters(stream, vocabulary) if isinstance(stream, str) else encode(stream, index) for stream in of
        )
        for split, of in streams.items()
    }
    return Corpus(
        name=name,
        kind=kind,
        splits=splits,
        titles={split: tuple(title for title, _ in pieces) for split, pieces in by_split.items()},
        vocabulary=vocabulary,
        source={
            "origin": f"{len(texts)} text files",
            "unknown": f"{UNKNOWN}: seen fewer than {fewest if kind == 'words' else 1} times in train",
            "quarantined": quarantined,
            "statistics": {
                split: {
                    "pieces": len(pieces),
                    "steps": sum(map(len, pieces)),
                    "unknown": sum(int((piece == 0).sum()) for piece in pieces),
                }
                for split, pieces in splits.items()
            },
        },
    )


def given_split(name: str) -> str | None:
    """The split that a name says: a folder of that name, or the end of the file's name before its ending.

    >>> given_split("a/valid/b.txt"), given_split("mine.train.txt"), given_split("a test.txt"), given_split("b.txt")
    ('valid', 'train', None, None)
    """
    *folders, file = name.split("/")
    stem = re.sub(r"\.[^.]*$", "", file)
    found = {part for part in (*folders, stem, stem.rpartition(".")[2]) if part in SPLITS}
    return found.pop() if len(found) == 1 else None


def _texts(name: str, files: Mapping[str, bytes]) -> tuple[dict[str, str], dict[str, str]]:
    """The text of each file that has one, and why the others have none."""
    texts: dict[str, str] = {}
    quarantined: dict[str, str] = {}
    for file, data in files.items():
        text = decode(data)
        if b"\0" in data:
            quarantined[file] = "NUL bytes: no text, or UTF-16; save it as UTF-8"
        elif not text.strip():
            quarantined[file] = "no visible character"
        else:
            texts[file] = text if text.endswith(NEWLINE) else text + NEWLINE
    if len(quarantined) > MOST_LOST * len(files) or not texts:
        first = next(iter(quarantined.items()), ("nothing", "no file"))
        raise CorpusError(
            f"{name}: {len(quarantined)} of {len(files)} files are no text, over {MOST_LOST:.0%} of them;"
            f" take them out, first {first[0]!r}: {first[1]}"
        )
    return texts, quarantined


def _by_split(name: str, texts: Mapping[str, str]) -> dict[str, list[Piece]]:
    by_split: defaultdict[str, list[Piece]] = defaultdict(list)
    given = {file: split for file in texts if (split := given_split(file)) is not None}
    if given:
        for file in texts:
            if file not in given:
                raise CorpusError(f"{name}: {file!r} is in no split, and others are; move it to train, valid or test")
        for split in SPLITS:
            by_split[split] = _pieces({file: texts[file] for file in texts if given[file] == split})
    else:
        pieces = _pieces(texts)
        for piece, split in zip(pieces, _assign([text for _, text in pieces]), strict=True):
            by_split[split].append(piece)
    for split in SPLITS:
        if not by_split[split]:
            raise CorpusError(f"{name}: no text for the {split} split; give more, or folders train, valid and test")
    return dict(by_split)


def _pieces(texts: Mapping[str, str]) -> list[Piece]:
    if len(texts) >= FEWEST_FILES:
        return list(texts.items())
    return [piece for file, text in texts.items() for piece in _blocks(file, text)]


def _blocks(file: str, text: str) -> list[Piece]:
    ends = [match.end() for match in re.finditer(NEWLINE, text)]
    if max(np.diff([0, *ends])) > BLOCK:
        ends = [match.end() for match in re.finditer(r"\s", text)]
    parts = cut_parts(np.array(ends), max(1, round(len(text) / BLOCK)))
    blocks = [block for start, end in parts if (block := text[start:end]).strip()]
    return [(f"{file} {place} of {len(blocks)}", block) for place, block in enumerate(blocks, 1)]


def _assign(texts: Sequence[str]) -> list[str]:
    digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, digest in enumerate(digests):
        groups[digest].append(place)
    return fill_splits(list(groups.values()), [len(text) for text in texts], digests)


def _stream(kind: Kind, text: str) -> str | list[str]:
    if kind == "characters":
        return text
    *whole, rest = text.split(NEWLINE)
    return words(whole) + rest.split()  # a block may end within a line
