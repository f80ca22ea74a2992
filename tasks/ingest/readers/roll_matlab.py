"""The official piano-rolls as MATLAB files, version 5: a cell array of matrices (T, 88) for every split.

`scipy.io.loadmat` reads the values, but it reserves as much memory as a header claims. All sizes are therefore checked
here first. The file is uncompressed under a limit, and only the three variables are kept. A size larger than the data
is refused, and so is any class other than a cell array of real matrices with 88 columns. Format: "MAT-File Format",
MathWorks, chapter 1. What this does not do: decide what is a piano-roll (`official_rolls.py`).
"""

import struct
import zlib
from io import BytesIO
from typing import NamedTuple

import numpy as np

from infra.errors import CorpusError
from tasks.corpus.corpus import NOTES, SPLITS

PLAIN_BYTES = 256 * 2**20
"""Largest size of an uncompressed file."""
CELLS = 20_000
"""Largest number of pieces in a split."""

VARIABLES = {"traindata": "train", "validdata": "valid", "testdata": "test"}
_HEADER_BYTES = 128
_LITTLE_VERSION_5 = b"\x00\x01IM"
_BLOCK = 2**16
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_CELL = 1
_NUMERIC = {6, 7, 8, 9}  # double, single, int8, uint8
_ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8}
_COMPLEX = 0x0800


class _Damaged(Exception):
    """The file is damaged, or is not a MATLAB file of piano-rolls."""


class _Element(NamedTuple):
    """A data element of the file: its type, the start and size of its bytes, and the position of the next element."""

    kind: int
    start: int
    size: int
    next: int


def read_matlab(name: str, data: bytes) -> dict[str, list[np.ndarray]]:
    """The matrices of each split, of shape (T, 88), in the file's own number type.

    Args:
        name: of the file, for messages.
        data: its bytes.

    Raises:
        CorpusError: the file is damaged, too large, of another version, or holds other data.
    """
    try:
        plain = _plain(data)
        variables = _load(plain)
    except _Damaged as error:
        raise CorpusError(f"{name}: {error}; give the file as it was published") from error
    except (ValueError, TypeError, KeyError, IndexError, struct.error, zlib.error) as error:
        raise CorpusError(f"{name}: a damaged .mat ({error}); fetch it again") from error
    return {VARIABLES[variable]: list(cells.ravel()) for variable, cells in variables.items()}


def _load(plain: bytes) -> dict[str, np.ndarray]:
    # Imported here, since the import takes half a second.
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        return {name: value for name, value in loadmat(BytesIO(plain)).items() if name in VARIABLES}
    except (MatReadError, OSError, NotImplementedError, OverflowError) as error:
        raise _Damaged(f"a damaged .mat ({error})") from error


def _plain(data: bytes) -> bytes:
    """The uncompressed and checked file, with only the three variables."""
    if data[124:_HEADER_BYTES] != _LITTLE_VERSION_5:
        raise _Damaged("not a little-endian MATLAB file of version 5")
    kept: dict[str, bytes] = {}
    place, room = _HEADER_BYTES, PLAIN_BYTES
    while place < len(data):
        kind, size = struct.unpack_from("<II", data, place)
        place += 8
        if size > len(data) - place:
            raise _Damaged("it ends too early")
        body = data[place : place + size]
        place += size
        if kind == _COMPRESSED:
            body = _inflate(body, room)
        elif kind == _MATRIX:
            body = struct.pack("<II", kind, size) + body
        else:
            raise _Damaged(f"an element of the kind {kind}")
        room -= len(body)
        variable = _check(body)
        if variable in kept:
            raise _Damaged(f"the variable {variable!r} twice")
        if variable in VARIABLES:
            kept[variable] = body
    if set(kept) != set(VARIABLES):
        raise _Damaged(f"wants the variables {', '.join(VARIABLES)} for the splits {', '.join(SPLITS)}")
    return data[:_HEADER_BYTES] + b"".join(kept.values())


def _inflate(body: bytes, room: int) -> bytes:
    engine, blocks, size = zlib.decompressobj(), [], 0
    while not engine.eof:
        block = engine.decompress(engine.unconsumed_tail or body, _BLOCK)
        body = b""
        if not block and not engine.unconsumed_tail and not engine.eof:
            raise _Damaged("it ends too early")
        blocks.append(block)
        size += len(block)
        if size > room:
            raise _Damaged(f"over {PLAIN_BYTES:,} bytes when it is uncompressed")
    return b"".join(blocks)


def _element(data: bytes, place: int, end: int) -> _Element:
    if place + 8 > end:
        raise _Damaged("it ends too early")
    kind, size = struct.unpack_from("<II", data, place)
    if kind >> 16:  # a small element: its size, its kind and at most four bytes in the place of a tag
        element = _Element(kind & 0xFFFF, place + 4, kind >> 16, place + 8)
        limit = place + 8
    else:
        element = _Element(kind, place + 8, size, place + 8 + size + -size % 8)
        limit = end
    if element.start + element.size > limit:
        raise _Damaged("a size that says more than there is")
    return element


def _check(body: bytes) -> str:
    """The name of a variable, after checking that it is a cell array of matrices (T, 88) with consistent sizes."""
    outer = _element(body, 0, len(body))
    if outer.kind != _MATRIX or outer.start + outer.size != len(body):
        raise _Damaged("something else than a variable")
    kind, (rows, columns), name, place = _matrix_header(body, outer)
    if name not in VARIABLES:
        return name
    if kind != _CELL or 1 not in (rows, columns) or rows * columns > CELLS:
        raise _Damaged(f"{name} is no cell array of at most {CELLS:,} matrices")
    for _ in range(rows * columns):
        cell = _element(body, place, len(body))
        if cell.kind != _MATRIX or cell.next != cell.start + cell.size:
            raise _Damaged(f"{name} holds something else than matrices")
        _check_cell(body, cell, name)
        place = cell.next
    if place != len(body):
        raise _Damaged(f"{name} holds more than its matrices")
    return name


def _check_cell(body: bytes, cell: _Element, variable: str) -> None:
    kind, (rows, columns), _, place = _matrix_header(body, cell)
    values = _element(body, place, cell.next)
    item = _ITEM_BYTES.get(values.kind)
    if kind not in _NUMERIC or columns != NOTES or item is None or values.size != rows * columns * item:
        raise _Damaged(f"{variable} holds something else than real matrices of {NOTES} columns")
    if values.next != cell.next:
        raise _Damaged(f"{variable} holds more than its values")


def _matrix_header(body: bytes, matrix: _Element) -> tuple[int, tuple[int, int], str, int]:
    """Class, shape and name of a matrix, and the position of its contents."""
    end = matrix.start + matrix.size
    flags = _element(body, matrix.start, end)
    shape = _element(body, flags.next, end)
    name = _element(body, shape.next, end)
    if (flags.kind, flags.size) != (_UINT32, 8) or name.kind != _INT8 or name.size > 63:
        raise _Damaged("a matrix without a proper head")
    (word,) = struct.unpack_from("<I", body, flags.start)
    if word & _COMPLEX:
        raise _Damaged("a complex matrix")
    title = body[name.start : name.start + name.size].decode("ascii")
    if title in VARIABLES or not title:
        if (shape.kind, shape.size) != (_INT32, 8):
            raise _Damaged("an array of other than two dimensions")
        rows, columns = struct.unpack_from("<ii", body, shape.start)
    else:
        rows = columns = 0
    if rows < 0 or columns < 0:
        raise _Damaged("a size below zero")
    return word & 0xFF, (rows, columns), title, name.next
