"""The official piano-rolls of the four sets, as published in 2012 (.pickle) or as passed on since (.mat).

A .pickle is a dictionary with `train`, `valid` and `test`. Each is a list of pieces, a piece is a list of frames, and a
frame is a tuple of note numbers 21..108. A .mat holds `traindata`, `validdata` and `testdata`, each a cell array of
matrices (T, 88) of zeros and ones. For JSB Chorales both give the same arrays in the same order. Specification, section
4.

This is for users who have only these files, which hold no names of pieces. `roll_pickle.py` and `roll_matlab.py` decode
them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from infra.errors import CorpusError
from tasks.corpus.corpus import LOWEST_NOTE, NOTES, SPLITS, Corpus
from tasks.corpus.piano_roll import roll_statistics
from tasks.ingest.readers.roll_matlab import read_matlab
from tasks.ingest.readers.roll_pickle import read_pickle

PIECES = 20_000
"""Largest mean number of pieces in a split."""
FRAMES = 200_000
"""Largest number of frames in a piece."""
ALL_FRAMES, ALL_NOTES = 3_000_000, 20_000_000
"""Largest numbers of frames and of notes in a file."""

Rolls = dict[str, list[np.ndarray]]


def read_rolls(name: str, data: bytes) -> Rolls:
    """The piano-rolls of each split, uint8 (T, 88), in the order of the file.

    Args:
        name: of the file; its ending gives the format: `.pickle`, `.pkl` or `.mat`.
        data: its bytes.

    Raises:
        CorpusError: the file cannot be read, is too large, tries to run code, or holds no piano-rolls.
    """
    lower = name.lower()
    if lower.endswith((".pickle", ".pkl")):
        rolls = _from_notes(name, read_pickle(name, data))
    elif lower.endswith(".mat"):
        rolls = _from_matrices(name, read_matlab(name, data))
    else:
        raise CorpusError(f"{name}: neither .pickle nor .mat; give one file of official piano-rolls")
    for split in SPLITS:
        if not any(roll.any() for roll in rolls[split]):
            raise CorpusError(f"{name}: no note in the {split} split; give the file as it was published")
    return rolls


def build_rolls_corpus(name: str, files: Mapping[str, bytes]) -> Corpus:
    """The corpus of one file of official piano-rolls.

    Args:
        name: of the corpus.
        files: contents by name; exactly one name ends in .pickle, .pkl or .mat. Other files are ignored.

    Raises:
        CorpusError: there is no such file or more than one; or an error of `read_rolls`.
    """
    found = [file for file in files if file.lower().endswith((".pickle", ".pkl", ".mat"))]
    if len(found) != 1:
        what = "no .pickle or .mat" if not found else f"{len(found)} of them: {', '.join(sorted(found)[:5])}"
        raise CorpusError(f"{name}: wants one file of official piano-rolls, and there is {what}; give its address")
    rolls = read_rolls(found[0], files[found[0]])
    return Corpus(
        name=name,
        kind="music",
        splits={split: tuple(rolls[split]) for split in SPLITS},
        titles={split: tuple(f"{split} {place}" for place in range(1, len(rolls[split]) + 1)) for split in SPLITS},
        source={
            "origin": f"official piano-rolls, {found[0]}",
            "quarantined": {},
            "statistics": {split: {"pieces": len(rolls[split]), **roll_statistics(rolls[split])} for split in SPLITS},
        },
    )


def _from_notes(name: str, document: Any) -> Rolls:
    if type(document) is not dict or set(document) != set(SPLITS):
        raise CorpusError(f"{name}: not a dictionary of {', '.join(SPLITS)}; give the file as it was published")
    pieces = [_sequence(name, piece) for split in SPLITS for piece in _sequence(name, document[split])]
    _check_frames(name, [len(piece) for piece in pieces])
    if sum(len(_sequence(name, frame)) for piece in pieces for frame in piece) > ALL_NOTES:
        raise CorpusError(f"{name}: over {ALL_NOTES:,} notes")
    return {split: [_roll(name, piece) for piece in document[split]] for split in SPLITS}


def _check_frames(name: str, frames: list[int]) -> None:
    # Checked before any memory is reserved: a short file may refer to one long piece many times.
    if len(frames) > len(SPLITS) * PIECES or sum(frames) > ALL_FRAMES:
        raise CorpusError(f"{name}: over {len(SPLITS) * PIECES:,} pieces or {ALL_FRAMES:,} frames")
    if any(not 0 < count <= FRAMES for count in frames):
        raise CorpusError(f"{name}: a piece without a frame, or with over {FRAMES:,}")


def _sequence(name: str, value: Any) -> list[Any] | tuple[Any, ...]:
    if type(value) not in (list, tuple):
        raise CorpusError(f"{name}: not lists of frames of notes; give the file as it was published")
    return value  # type: ignore[no-any-return]


def _roll(name: str, piece: Iterable[Any]) -> np.ndarray:
    rows: list[int] = []
    columns: list[int] = []
    frames = 0
    for frame in piece:
        for note in frame:
            if type(note) is not int or not 0 <= note - LOWEST_NOTE < NOTES:
                raise CorpusError(f"{name}: a note that is no number from 21 to 108; give the file as it was published")
            rows.append(frames)
            columns.append(note - LOWEST_NOTE)
        frames += 1
    roll = np.zeros((frames, NOTES), np.uint8)
    roll[rows, columns] = 1
    return roll


def _from_matrices(name: str, matrices: Mapping[str, list[np.ndarray]]) -> Rolls:
    _check_frames(name, [len(matrix) for split in SPLITS for matrix in matrices[split]])
    if not all(np.isin(matrix, (0, 1)).all() for split in SPLITS for matrix in matrices[split]):
        raise CorpusError(f"{name}: a value other than 0 and 1; give the file as it was published")
    return {split: [np.ascontiguousarray(matrix, np.uint8) for matrix in matrices[split]] for split in SPLITS}
