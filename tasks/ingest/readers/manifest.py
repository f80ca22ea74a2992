"""The manifest of MIDI sets: which file is which piece of which split, and what it must be.

A CSV file in UTF-8 with the columns `dataset,split,index,file,transpose,frames,bytes,sha256`, a row a file.
Nothing is opened here: the bytes are given, and the files that the rows name are checked by `building/midi_files.py`.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS

COLUMNS = ("dataset", "split", "index", "file", "transpose", "frames", "bytes", "sha256")
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ManifestRow:
    """One piece.

    Attributes:
        dataset: the set it belongs to, as the manifest spells it.
        split: `train`, `valid` or `test`.
        index: its place in the split, from 0.
        file: its file's name, without folder.
        transpose: semitones that bring its tonic to C, -5..+6.
        frames: the length of its piano-roll.
        bytes: the size of its file.
        sha256: of its file, 64 hexadecimal digits.
    """

    dataset: str
    split: str
    index: int
    file: str
    transpose: int
    frames: int
    bytes: int
    sha256: str


def read_manifest(data: bytes) -> tuple[ManifestRow, ...]:
    """The rows of a manifest, in the order of the file.

    Raises:
        CorpusError: it is not such a table, or a row says what cannot be; the line is named.
    """
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"the manifest is not CSV in UTF-8: {error}") from error
    if not lines or tuple(lines[0]) != COLUMNS:
        raise CorpusError(f"the manifest's first line must be {','.join(COLUMNS)}")
    rows = [_read_row(number, cells) for number, cells in enumerate(lines[1:], 2) if cells]
    _check_places(rows)
    return tuple(rows)


def _read_row(number: int, cells: Sequence[str]) -> ManifestRow:
    if len(cells) != len(COLUMNS):
        raise CorpusError(f"line {number} of the manifest has {len(cells)} cells, not {len(COLUMNS)}")
    said = dict(zip(COLUMNS, cells, strict=True))
    numbers = {
        "index": _number(number, said, "index", 0, None),
        "transpose": _number(number, said, "transpose", -5, 6),
        "frames": _number(number, said, "frames", 1, None),
        "bytes": _number(number, said, "bytes", 1, None),
    }
    for column, good in (
        ("dataset", bool(said["dataset"])),
        ("split", said["split"] in SPLITS),
        ("file", bool(said["file"]) and not set(said["file"]) & set("/\\")),
        ("sha256", _SHA256.fullmatch(said["sha256"]) is not None),
    ):
        if not good:
            raise CorpusError(f"line {number} of the manifest: {said[column][:80]!r} is no {column}")
    return ManifestRow(said["dataset"], said["split"], file=said["file"], sha256=said["sha256"], **numbers)


def _number(number: int, said: dict[str, str], column: str, lowest: int, highest: int | None) -> int:
    text = said[column]
    if not _NUMBER.fullmatch(text) or int(text) < lowest or (highest is not None and int(text) > highest):
        raise CorpusError(f"line {number} of the manifest: {text[:80]!r} is no {column}")
    return int(text)


def _check_places(rows: Sequence[ManifestRow]) -> None:
    """No two pieces of a set in one place, and none with one name in a split."""
    taken: set[tuple[str, str, int | str]] = set()
    for row in rows:
        for place in ((row.dataset, row.split, row.index), (row.dataset, row.split, row.file)):
            if place in taken:
                raise CorpusError(f"the manifest has {' '.join(map(str, place))} twice")
            taken.add(place)
