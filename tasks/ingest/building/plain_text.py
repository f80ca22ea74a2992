"""A corpus from any text, one file or many, as characters or words.

Decoding: `decoding.py` uses UTF-8, an encoding that the user names, or one that it recognises. A file is set aside with
its reason if it cannot be decoded, has NUL bytes, or has no visible character. The corpus fails if too many are
(`lost.py`).

Pieces: each file is a piece if there are `FEWEST_FILES` files or more. Otherwise the files are cut into blocks of about
`BLOCK` characters: between lines; at blanks if a line is longer than a block; at the block's length if there are no
blanks either, as in Chinese. Blocks of blanks alone are left out. Characters and words have the same pieces.

Splits: file names may give them, by a folder `train`, `valid` or `test` or by a file `train.txt`, `mine.valid.txt`
(`split_names.py`). Each split is then cut into pieces by itself. Otherwise the splits are made by content
(`fill_splits`): 60, 20 and 20 % of the characters, with pieces of identical text in one split. Near-duplicates are not
searched for.

Symbols: characters with a newline after each line, or words with `<eos>` after each line. The vocabulary is taken from
the training split: every character, or every word that occurs at least `fewest` times. All other words are `<unk>`. A
split that is mostly `<unk>` says nothing about words, and is refused.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.corpus.text import NEWLINE, UNKNOWN, build_vocabulary, encode, encode_characters, words
from tasks.ingest.building.lost import NO_WISHES, Selection, check_lost
from tasks.ingest.building.parts import cut_parts
from tasks.ingest.building.splits import fill_splits
from tasks.ingest.readers.decoding import Decoded, decode_own, told_of_encodings
from tasks.ingest.sources.split_names import NO_NAMED_SPLITS, splits_by_name
from tasks.ingest.sources.text_files import told_of_files
from tasks.ingest.sources.unread import Unread, by_ending, split_unread
from tasks.telling.wording import plural

FEWEST_FILES = 30
"""With at least so many files, each file is a piece."""
BLOCK = 2_000
"""Approximate number of characters in a block."""
FEWEST_WORDS = 3
"""How often a word must occur in train to be in the vocabulary, unless the caller gives another number."""

MOST_UNKNOWN = 0.5
"""Largest share of the symbols of a split that may be `<unk>`, 0..1."""

TextKind = Literal["words", "characters"]
Piece = tuple[str, str]  # title, text


def build_text_corpus(
    name: str,
    kind: TextKind,
    files: Mapping[str, bytes],
    fewest: int = FEWEST_WORDS,
    encoding: str | None = None,
    selection: Selection = NO_WISHES,
) -> Corpus:
    """The corpus of some text files.

    Args:
        name: of the corpus.
        kind: `characters` or `words`.
        files: contents by name. The list of unread files may be among them (`unread.py`).
        fewest: how often a word must occur in train to be a symbol; characters always are.
        encoding: of the files; None to detect it.
        selection: the user's choices for the set of files.

    Raises:
        CorpusError: too many files are not text, names give splits to only some of them, there is too little text, or
            the words of a split are mostly `<unk>`.
    """
    files, unread = split_unread(files)
    named = NO_NAMED_SPLITS
    if not selection.by_content:
        named = splits_by_name(name, [*files, *unread.refused], text=True)
    decoded, quarantined = _texts({file: files[file] for file in files if file not in named.set_aside}, encoding)
    quarantined |= {**unread.refused, **named.set_aside}
    _check_texts(name, len(decoded), quarantined, unread, selection)
    texts = {file: each.text for file, each in decoded.items()}
    by_split = _by_split(texts, named.split_of)
    _check_splits(name, by_split, bool(named.split_of), quarantined)
    splits, vocabulary = _encoded(kind, by_split, fewest)
    _check_unknown(name, kind, splits, fewest)
    return Corpus(
        name=name,
        kind=kind,
        splits=splits,
        titles={split: tuple(title for title, _ in pieces) for split, pieces in by_split.items()},
        vocabulary=vocabulary,
        source={
            "origin": plural(len(texts), "text file"),
            "unknown": f"{UNKNOWN}: seen fewer than {fewest if kind == 'words' else 1} times in train",
            "encodings": dict(Counter(each.encoding for each in decoded.values())),
            "told": [*told_of_files(decoded, unread.ignored), *named.told, *told_of_encodings(decoded, encoding)],
            "ignored": sum(unread.ignored.values()),
            "quarantined": quarantined,
            "statistics": {split: _statistics(pieces) for split, pieces in splits.items()},
        },
    )


def _encoded(
    kind: TextKind, by_split: Mapping[str, Sequence[Piece]], fewest: int
) -> tuple[dict[str, tuple[np.ndarray, ...]], tuple[str, ...]]:
    """The symbols of every piece, and the vocabulary of train."""
    streams = {split: [_stream(kind, text) for _, text in pieces] for split, pieces in by_split.items()}
    vocabulary = build_vocabulary(streams["train"], fewest if kind == "words" else 1)
    index = {symbol: number for number, symbol in enumerate(vocabulary)}
    splits = {
        split: tuple(
            encode_characters(stream, vocabulary) if isinstance(stream, str) else encode(stream, index) for stream in of
        )
        for split, of in streams.items()
    }
    return splits, vocabulary


def _statistics(pieces: Sequence[np.ndarray]) -> dict[str, int]:
    unknown = sum(int((piece == 0).sum()) for piece in pieces)
    return {"pieces": len(pieces), "steps": sum(map(len, pieces)), "unknown": unknown}


def _check_unknown(name: str, kind: TextKind, splits: Mapping[str, Sequence[np.ndarray]], fewest: int) -> None:
    shares = {split: float(np.mean(np.concatenate(pieces) == 0)) for split, pieces in splits.items()}
    if max(shares.values()) <= MOST_UNKNOWN:
        return
    told = ", ".join(f"{share:.0%} of {split}" for split, share in shares.items())
    if kind == "characters":
        raise CorpusError(
            f"{name}: {told} would be {UNKNOWN}, characters that train has not; give splits that are alike"
        )
    raise CorpusError(
        f"{name}: {told} would be {UNKNOWN}, words that train has fewer than {fewest} times; take --characters, above"
        " all where nothing stands between words, or give more text, or a smaller --fewest"
    )


def _check_texts(name: str, read: int, quarantined: Mapping[str, str], unread: Unread, selection: Selection) -> None:
    if not (read or quarantined):
        found = by_ending(unread.ignored) or "no file"
        raise CorpusError(f"{name}: {found}, and nothing that may be text by its ending; give a folder of text files")
    check_lost(name, "text files", read + len(quarantined), quarantined, selection.most_lost)


def _texts(files: Mapping[str, bytes], encoding: str | None) -> tuple[dict[str, Decoded], dict[str, str]]:
    """The text of each file that can be decoded, and the reason for every other file."""
    texts: dict[str, Decoded] = {}
    quarantined: dict[str, str] = {}
    for file, data in files.items():
        try:
            texts[file] = _text(data, encoding)
        except CorpusError as error:
            quarantined[file] = str(error)
    return texts, quarantined


def _text(data: bytes, encoding: str | None) -> Decoded:
    if encoding is None and b"\0" in data:
        raise CorpusError("NUL bytes: no text, or UTF-16; save it as UTF-8, or name its encoding by --encoding")
    decoded = decode_own(data, encoding)
    if "\0" in decoded.text:
        raise CorpusError(f"NUL characters: no text in {encoding}")
    if not decoded.text.strip():
        raise CorpusError("no visible character")
    ended = decoded.text if decoded.text.endswith(NEWLINE) else decoded.text + NEWLINE
    return replace(decoded, text=ended)


def _by_split(texts: Mapping[str, str], given: Mapping[str, str]) -> dict[str, list[Piece]]:
    if given:
        return {split: _pieces({file: texts[file] for file in texts if given[file] == split}) for split in SPLITS}
    by_split: dict[str, list[Piece]] = {split: [] for split in SPLITS}
    pieces = _pieces(texts)
    for piece, split in zip(pieces, _assign([text for _, text in pieces]), strict=True):
        by_split[split].append(piece)
    return by_split


def _check_splits(
    name: str, by_split: Mapping[str, Sequence[Piece]], given: bool, quarantined: Mapping[str, str]
) -> None:
    """Every split has a piece. A named split may have lost all its files, and a split by content may have too few."""
    empty = [split for split in SPLITS if not by_split[split]]
    if not empty:
        return
    for_which = f"{name}: no text for the {' and the '.join(empty)} split"
    if given:
        file, reason = next(iter(quarantined.items()))
        raise CorpusError(f"{for_which}; {plural(len(quarantined), 'file')} set aside: {file[:100]}, {reason}")
    different = len({text for pieces in by_split.values() for _, text in pieces})
    raise CorpusError(
        f"{for_which}, of {plural(different, 'different piece')}; give more, or folders train, valid and test"
    )


def _pieces(texts: Mapping[str, str]) -> list[Piece]:
    if len(texts) >= FEWEST_FILES:
        return list(texts.items())
    return [piece for file, text in texts.items() for piece in _blocks(file, text)]


def _blocks(file: str, text: str) -> list[Piece]:
    ends = [match.end() for match in re.finditer(NEWLINE, text)]
    if max(np.diff([0, *ends])) > BLOCK:
        ends = [match.end() for match in re.finditer(r"\s", text)]
    if max(np.diff([0, *ends])) > BLOCK:
        ends = [place for start, end in pairwise([0, *ends]) for place in (*range(start + BLOCK, end, BLOCK), end)]
    parts = cut_parts(np.array(ends), max(1, round(len(text) / BLOCK)))
    blocks = [block for start, end in parts if (block := text[start:end]).strip()]
    return [(f"{file} {place} of {len(blocks)}", block) for place, block in enumerate(blocks, 1)]


def _assign(texts: Sequence[str]) -> list[str]:
    digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, digest in enumerate(digests):
        groups[digest].append(place)
    return fill_splits(list(groups.values()), [len(text) for text in texts], digests)


def _stream(kind: TextKind, text: str) -> str | list[str]:
    if kind == "characters":
        return text
    *whole, rest = text.split(NEWLINE)
    return words(whole) + rest.split()  # a block may end within a line
