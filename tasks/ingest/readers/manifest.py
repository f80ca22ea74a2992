"""The manifest of the MIDI sets: the split, the place and the transposition of every file, and its checksum.

It is a CSV file in UTF-8 with the columns `dataset,split,index,file,transpose,frames,bytes,sha256`, one row for each
file. No file is opened here; `building/midi_files.py` checks the files that the rows name.
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
        dataset: the set that the piece belongs to, in the manifest's spelling.
        split: `train`, `valid` or `test`.
        index: place of the piece in its split, from 0.
        file: name of the file, without folders.
        transpose: semitones that bring the tonic to C, -5..+6.
        frames: length of the piano-roll.
        bytes: size of the file.
        sha256: of the file, 64 hexadecimal digits.
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
        CorpusError: the data is not such a table, or a row has an impossible value; the message names the line.
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
    row = dict(zip(COLUMNS, cells, strict=True))
    numbers = {
        "index": _number(number, row, "index", 0, None),
        "transpose": _number(number, row, "transpose", -5, 6),
        "frames": _number(number, row, "frames", 1, None),
        "bytes": _number(number, row, "bytes", 1, None),
    }
    for column, good in (
        ("dataset", bool(row["dataset"])),
        ("split", row["split"] in SPLITS),
        ("file", bool(row["file"]) and not set(row["file"]) & set("/\\")),
        ("sha256", _SHA256.fullmatch(row["sha256"]) is not None),
    ):
        if not good:
            raise CorpusError(f"line {number} of the manifest: {row[column][:80]!r} is no {column}")
    return ManifestRow(row["dataset"], row["split"], file=row["file"], sha256=row["sha256"], **numbers)


def _number(line: int, row: dict[str, str], column: str, lowest: int, highest: int | None) -> int:
    text = row[column]
    if not _NUMBER.fullmatch(text) or int(text) < lowest or (highest is not None and int(text) > highest):
        raise CorpusError(f"line {line} of the manifest: {text[:80]!r} is no {column}")
    return int(text)


def _check_places(rows: Sequence[ManifestRow]) -> None:
    """No two pieces of a split have the same place, or the same file."""
    taken: set[tuple[str, str, int | str]] = set()
    for row in rows:
        for place in ((row.dataset, row.split, row.index), (row.dataset, row.split, row.file)):
            if place in taken:
                raise CorpusError(f"the manifest has {' '.join(map(str, place))} twice")
            taken.add(place)
