"""folk-tunes-characters, folk-tunes-words: O'Neill's Music of Ireland in ABC notation, read as text.

The book is "O'Neill's Music of Ireland" (1903), transcribed by many people, in music21's folder `oneills1850`.
docs/data.md says why this book was chosen among music21's, with the sizes.

Rules (raise `_RULES` when one of them changes):
    tunes and lines: `abc_notation.py`. A tune of fewer than eight notes is set aside.
    split: by melody, in steps on the staff; the same for both corpora. A tune that several people transcribed, perhaps
        in different keys, is in one split.
    characters: every character of train is a symbol.
    words: every word that train has at least three times is a symbol.
    order within a split: by file name, then by place in the file.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

import numpy as np

from tasks.corpus.corpus import SPLITS, Corpus
from tasks.corpus.text import UNKNOWN, build_vocabulary, characters, decode, encode, words
from tasks.ingest.building.recipe import (
    HERE,
    BuildProgress,
    MapFunction,
    Recipe,
    Source,
    music21_folder,
    only_embedded,
    read_files,
)
from tasks.ingest.building.splits import Likeness, assign_splits
from tasks.ingest.readers.abc_notation import Tune, melody_steps, split_tunes

_RULES = 1
_FEWEST_NOTES = 8
# Measured in docs/data.md: with 14 in a row a group of 90 forms, with 12 a giant one of most of the book.
LIKENESS = Likeness(long=16, short=8, share=0.3)
_STREAMS: dict[str, tuple[Callable[[Sequence[str]], list[str]], int]] = {
    "characters": (characters, 1),
    "words": (words, 3),
}


def read_inputs(source: Source = HERE) -> dict[str, bytes]:
    """The files of the book by name, sorted."""
    only_embedded("folk-tunes", source)
    return read_files(music21_folder("oneills1850").glob("*.abc"))


def parse_book(data: bytes) -> list[Tune]:
    """The tunes of one file."""
    return split_tunes(decode(data))


def build(
    kind: Literal["characters", "words"],
    inputs: Mapping[str, bytes],
    progress: BuildProgress,
    map_books: MapFunction,
) -> Corpus:
    """Read, split and encode the tunes.

    Raises:
        CorpusError: so few tunes are usable that a split is empty.
    """
    tunes: list[Tune] = []
    quarantined: dict[str, str] = {}
    for done, (name, book) in enumerate(zip(inputs, map_books(parse_book, inputs.values()), strict=True), 1):
        for tune in book:
            notes = len(melody_steps(tune)) + 1
            if notes < _FEWEST_NOTES:
                quarantined[f"{name}: {tune.title}"] = f"{notes} notes, fewer than {_FEWEST_NOTES}"
            else:
                tunes.append(tune)
        progress(done, len(inputs))
    # Sizes in characters for both corpora, so that both have the same split.
    sizes = [sum(len(line) + 1 for line in tune.lines) for tune in tunes]
    chosen = assign_splits([melody_steps(tune) for tune in tunes], sizes, LIKENESS)
    by_split = {split: [tune for tune, own in zip(tunes, chosen, strict=True) if own == split] for split in SPLITS}
    return _encode(kind, by_split, quarantined)


def _encode(
    kind: Literal["characters", "words"], by_split: dict[str, list[Tune]], quarantined: Mapping[str, str]
) -> Corpus:
    stream_of, fewest = _STREAMS[kind]
    streams = {split: [stream_of(tune.lines) for tune in tunes] for split, tunes in by_split.items()}
    vocabulary = build_vocabulary(streams["train"], fewest)
    index = {symbol: number for number, symbol in enumerate(vocabulary)}
    splits = {split: tuple(encode(stream, index) for stream in of) for split, of in streams.items()}
    return Corpus(
        name=f"folk-tunes-{kind}",
        kind=kind,
        splits=splits,
        titles={split: tuple(tune.title for tune in tunes) for split, tunes in by_split.items()},
        vocabulary=vocabulary,
        source={
            "origin": "O'Neill's Music of Ireland in ABC notation shipped with music21, folder corpus/oneills1850",
            "unknown": f"{UNKNOWN}: seen fewer than {fewest} times in train",
            "quarantined": quarantined,
            "statistics": {split: _statistics(pieces) for split, pieces in splits.items()},
        },
    )


def _statistics(pieces: Sequence[np.ndarray]) -> dict[str, int]:
    return {
        "pieces": len(pieces),
        "steps": sum(map(len, pieces)),
        "unknown": sum(int((piece == 0).sum()) for piece in pieces),
    }


_characters, _words = partial(build, "characters"), partial(build, "words")
FOLK_TUNES_CHARACTERS = Recipe("folk-tunes-characters", "characters", _RULES, read_inputs, _characters, embedded=True)
FOLK_TUNES_WORDS = Recipe("folk-tunes-words", "words", _RULES, read_inputs, _words, embedded=True)
