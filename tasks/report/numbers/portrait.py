"""The portrait of a corpus: numbers for each split, and the few pieces that the report shows.

All functions are pure functions of a `Corpus`; `rolls.py` and `corpora.py` draw the results. The arrays themselves
never leave this file: a roll becomes its runs of notes, and a text its first lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.corpus.corpus import SPLITS, Corpus
from tasks.corpus.piano_roll import Run, find_runs, roll_statistics
from tasks.corpus.text import END_OF_LINE, NEWLINE, UNKNOWN

FRAMES = 200
"""Most frames of a piece that are shown."""
LINES, SYMBOLS = 8, {"characters": 600, "words": 120, "temporal-order": 120, "adding": 120}
"""Most lines of a text that are shown, and most symbols of them."""
COMMON = 12
"""Number of symbols that are shown as the most frequent ones."""


@dataclass(frozen=True)
class Roll:
    """The beginning of a piano-roll.

    Attributes:
        title: of the piece.
        why: by which rule it was chosen, `the first`.
        frames: length of the whole piece.
        runs: (MIDI number, start, end) of each note that is on in the frames start <= k < end, all under `FRAMES`.
    """

    title: str
    why: str
    frames: int
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Sample:
    """The first lines of a text: title of the piece, its symbols, and whether more of them follow."""

    title: str
    symbols: tuple[str, ...]
    more: bool


@dataclass(frozen=True)
class Portrait:
    """What the report shows of the training split of a corpus.

    Attributes:
        rolls: of music, the first piece, the piece of median length and the longest piece; a piece that is two of these
            is there once.
        shares: of music, the share of the frames in which each of the 88 notes is on, the lowest note first.
        sample: of all other corpora, the first lines of the first piece. A step of the adding task is its value, with *
            if it is marked, and = before the answer.
        common: of symbols, the most frequent symbols with their counts, the most frequent first.
    """

    rolls: tuple[Roll, ...] = ()
    shares: tuple[float, ...] = ()
    sample: Sample | None = None
    common: tuple[tuple[str, int], ...] = ()


def portray(corpus: Corpus) -> Portrait:
    """The portrait of a corpus."""
    pieces, titles = corpus.splits["train"], corpus.titles["train"]
    if corpus.kind == "music":
        chosen = choose_pieces([len(piece) for piece in pieces])
        rolls = tuple(Roll(titles[i], why, len(pieces[i]), find_runs(pieces[i][:FRAMES])) for i, why in chosen.items())
        on = np.sum([piece.sum(axis=0, dtype=np.int64) for piece in pieces], axis=0)
        return Portrait(rolls=rolls, shares=tuple((on / corpus.steps("train")).tolist()))
    if corpus.kind == "adding":
        return Portrait(sample=_sample(titles[0], _sums(pieces[0]), len(pieces[0])))
    numbers = np.bincount(np.concatenate(pieces), minlength=corpus.width)
    falling = np.argsort(-numbers, kind="stable")[:COMMON]
    return Portrait(
        sample=_sample(titles[0], [corpus.vocabulary[n] for n in pieces[0][: SYMBOLS[corpus.kind]]], len(pieces[0])),
        common=tuple((corpus.vocabulary[i], int(numbers[i])) for i in falling if numbers[i]),
    )


def choose_pieces(lengths: Sequence[int]) -> dict[int, str]:
    """Which pieces are shown, and why; of pieces of equal length the first.

    >>> choose_pieces([5, 9, 7])
    {0: 'the first', 2: 'of median length', 1: 'the longest'}
    >>> choose_pieces([5])
    {0: 'the first, of median length, the longest'}
    """
    rising = np.argsort(lengths, kind="stable")
    median = int(rising[(len(lengths) - 1) // 2])
    chosen: dict[int, str] = {}
    for place, why in ((0, "the first"), (median, "of median length"), (int(np.argmax(lengths)), "the longest")):
        chosen[place] = f"{chosen[place]}, {why}" if place in chosen else why
    return chosen


def split_statistics(corpus: Corpus) -> dict[str, dict[str, float | int | None]]:
    """The numbers of each split, JSON values, counted in the arrays.

    Returns:
        For each split `pieces`, `steps`; `shortest`, `median`, `longest`: steps of a piece. Of music `silent_frames`,
        `polyphony` (mean notes a frame), `polyphony_max`, `lowest`, `highest` (MIDI numbers, None where all is silent).
        Of symbols `symbols`: how many of the vocabulary it has, and, where the vocabulary has `<unk>`, `unknown`: how
        many of its symbols are that.
    """
    return {split: _statistics(corpus, corpus.splits[split]) for split in SPLITS}


def _statistics(corpus: Corpus, pieces: Sequence[np.ndarray]) -> dict[str, float | int | None]:
    lengths = [len(piece) for piece in pieces]
    told: dict[str, float | int | None] = {
        "pieces": len(pieces),
        "steps": sum(lengths),
        "shortest": min(lengths),
        "median": float(np.median(lengths)),
        "longest": max(lengths),
    }
    if corpus.kind == "adding":
        return told
    if corpus.kind != "music":
        numbers = np.bincount(np.concatenate(pieces), minlength=corpus.width)
        told["symbols"] = int((numbers > 0).sum())
        if UNKNOWN in corpus.vocabulary:
            told["unknown"] = int(numbers[corpus.vocabulary.index(UNKNOWN)])
        return told
    if any(piece.any() for piece in pieces):
        found = roll_statistics(pieces)
        return told | {name: value for name, value in found.items() if name != "frames"}
    silent = {"silent_frames": sum(lengths), "polyphony": 0.0, "polyphony_max": 0}
    return {**told, **silent, "lowest": None, "highest": None}


def _sums(piece: np.ndarray) -> list[str]:
    """The steps of a piece of adding, as people write them."""
    shown = [f"{value:.2f}{'*' if marker else ''}" for value, marker, _ in piece[:-1].tolist()]
    return [*shown, f"= {piece[-1, -1]:.2f}"][: SYMBOLS["adding"]]


def _sample(title: str, shown: list[str], length: int) -> Sample:
    ends = [place for place, symbol in enumerate(shown, 1) if symbol in (NEWLINE, END_OF_LINE)]
    if len(ends) >= LINES:
        shown = shown[: ends[LINES - 1]]
    return Sample(title, tuple(shown), more=len(shown) < length)
