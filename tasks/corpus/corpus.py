"""A corpus: the arrays of every split, and a digest that identifies them.

There are five kinds of data. A piece of `music` is a piano-roll, uint8 of shape (T, 88): a row is a frame, and column 0
is MIDI note 21. A piece of `characters` or `words` is a sequence of vocabulary symbols, int32 of shape (T,).
`temporal-order` has the same arrays, but only the last symbol of a piece is scored. `adding` is float32 of shape (T,
3), with a value, a marker and an answer for each step; only the last answer of a piece is scored.

What this does not do: read a source (`tasks/ingest`), or store anything (`tasks/ingest/stored.py`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from infra.errors import CorpusError
from models.data_kinds import LAST_STEP_ALONE, Kind

SPLITS = ("train", "valid", "test")
LOWEST_NOTE, NOTES = 21, 88
VALUES = 3
"""Width of a step of `adding`: value, marker, answer."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """The arrays of every split, the vocabulary, and the source.

    Attributes:
        name: for users, `bach-chorales`.
        kind: `music`, `characters`, `words`, `temporal-order` or `adding`.
        splits: for each of train, valid and test, a tuple with one array for each piece: uint8 (T, 88) of zeros and
            ones for music, float32 (T, 3) for adding, int32 (T,) of symbols for all others.
        titles: for each split, the names of its pieces, in the order of `splits`.
        vocabulary: the text of each symbol; empty for music and adding.
        source: the files and rules that the corpus was made from, JSON values only; not part of the digest.
        quarters: length of a frame in quarter notes, for a user's own music; part of the digest if it is set. None for
            all other corpora.

    Raises:
        CorpusError: a split is missing or empty, or an array has the wrong type, shape or range.
    """

    name: str
    kind: Kind
    splits: Mapping[str, tuple[np.ndarray, ...]]
    titles: Mapping[str, tuple[str, ...]]
    vocabulary: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)
    quarters: float | None = None

    def __post_init__(self) -> None:
        for split in SPLITS:
            pieces = self.splits.get(split, ())
            if not pieces:
                raise CorpusError(f"corpus {self.name}: no piece in the {split} split")
            if len(self.titles.get(split, ())) != len(pieces):
                raise CorpusError(f"corpus {self.name}: {split} has {len(pieces)} pieces, but not as many titles")
            for piece, title in zip(pieces, self.titles[split], strict=True):
                self._check(piece, f"{split}/{title}")

    def _check(self, piece: np.ndarray, where: str) -> None:
        if self.kind == "music":
            good = piece.dtype == np.uint8 and piece.ndim == 2 and piece.shape[1] == NOTES
            good = good and piece.max(initial=0) <= 1
            wanted = "uint8 (T, 88) of zeros and ones"
        elif self.kind == "adding":
            good = piece.dtype == np.float32 and piece.ndim == 2 and piece.shape[1] == VALUES
            good = good and bool(np.isfinite(piece).all())
            wanted = "float32 (T, 3) of finite values"
        else:
            good = piece.dtype == np.int32 and piece.ndim == 1
            good = good and piece.min(initial=0) >= 0 and piece.max(initial=0) < len(self.vocabulary)
            wanted = f"int32 (T,) of symbols under {len(self.vocabulary)}"
        if not good or piece.size == 0:
            raise CorpusError(f"corpus {self.name}, {where}: not {wanted} with T > 0: {piece.dtype} {piece.shape}")

    @property
    def width(self) -> int:
        """Number of inputs D of a step: 88 notes, 3 values, or the size of the vocabulary."""
        return {"music": NOTES, "adding": VALUES}.get(self.kind, len(self.vocabulary))

    @property
    def last_alone(self) -> bool:
        """Whether only the last step of a piece is scored."""
        return self.kind in LAST_STEP_ALONE

    @cached_property
    def digest(self) -> str:
        """sha256, 64 hexadecimal digits, of the kind, the vocabulary, `quarters` and all pieces in order."""
        total = hashlib.sha256(repr((self.kind, self.vocabulary)).encode())
        if self.quarters is not None:
            total.update(f"quarters {self.quarters}".encode())
        for split in SPLITS:
            for piece in self.splits[split]:
                total.update(f"{split} {piece.dtype} {piece.shape}".encode())
                total.update(np.ascontiguousarray(piece).tobytes())
        return total.hexdigest()

    def steps(self, split: str) -> int:
        """Number of frames or symbols in a split."""
        return sum(len(piece) for piece in self.splits[split])
