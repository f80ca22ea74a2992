"""The official piano-rolls: both formats, small ones of our own and the real ones, and files that mean harm."""

import contextlib
import io
import os
import pickle
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS
from tasks.ingest.building import official_rolls
from tasks.ingest.building.official_rolls import build_rolls_corpus, read_rolls
from tasks.ingest.readers import roll_matlab, roll_pickle
from tests.tasks.ingest.data import data_folder

Notes = dict[str, list[list[tuple[int, ...]]]]
SMALL: Notes = {
    "train": [[(60, 64, 67), (), (21, 108)], [(60,)]],
    "valid": [[(62,), (62,)]],
    "test": [[(), (108,), (21,)]],
}


def brute(piece: list[tuple[int, ...]]) -> list[list[int]]:
    return [[int(note + 21 in frame) for note in range(88)] for frame in piece]


def python2(document: Notes) -> bytes:
    """As Python 2 and numpy 1 wrote the official files: protocol 2, byte strings, every note a numpy scalar."""
    dtype = b"cnumpy\ndtype\n(U\x02i8K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    scalar = b"cnumpy.core.multiarray\nscalar\n" + dtype
    out = b"\x80\x02}("
    for split, pieces in document.items():
        out += b"U" + bytes([len(split)]) + split.encode() + b"]("
        for piece in pieces:
            out += b"]("
            for frame in piece:
                out += b"(" + b"".join(scalar + b"U\x08" + struct.pack("<q", note) + b"\x86R" for note in frame) + b"t"
            out += b"e"
        out += b"e"
    return out + b"u."


def matlab(document: Notes, kind: type = np.uint8, compress: bool = True, **more: Any) -> bytes:
    variables: dict[str, Any] = {}
    for split, pieces in document.items():
        cells = np.empty((1, len(pieces)), object)
        for place, piece in enumerate(pieces):
            cells[0, place] = np.array(brute(piece), kind)
        variables[f"{split}data"] = cells
    out = io.BytesIO()
    savemat(out, variables | more, do_compression=compress)
    return out.getvalue()


def refused(name: str, data: bytes) -> str:
    with pytest.raises(CorpusError) as caught:
        read_rolls(name, data)
    line = str(caught.value)
    assert line.isprintable()
    assert line.startswith(f"{name}: ")
    return line


def as_numpy(document: Notes, kind: type) -> Any:
    return {split: [[tuple(map(kind, frame)) for frame in piece] for piece in of] for split, of in document.items()}


WRITTEN: dict[str, tuple[str, bytes]] = {
    "python 2": ("a.pickle", python2(SMALL)),
    **{f"protocol {number}": ("a.pkl", pickle.dumps(SMALL, number)) for number in (2, 3, 4, 5)},
    **{f"numpy {number}": ("A.PICKLE", pickle.dumps(as_numpy(SMALL, np.int64), number)) for number in (3, 4, 5)},
    **{kind.__name__: ("a.pickle", pickle.dumps(as_numpy(SMALL, kind))) for kind in (np.uint8, np.int16, np.uint32)},
    **{f"mat {kind.__name__}": ("a.mat", matlab(SMALL, kind)) for kind in (np.uint8, float, np.float32, np.int8, bool)},
    "mat plain": ("a.mat", matlab(SMALL, compress=False, other=np.ones(3), text="abc")),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_every_way_to_write_them_gives_the_same_rolls(written: tuple[str, bytes]) -> None:
    rolls = read_rolls(*written)
    assert {split: [roll.tolist() for roll in of] for split, of in rolls.items()} == {
        split: [brute(piece) for piece in of] for split, of in SMALL.items()
    }
    assert {roll.dtype for of in rolls.values() for roll in of} == {np.dtype(np.uint8)}


def test_the_corpus_of_one_file() -> None:
    files = {"readme.txt": b"text", "rolls/a.mat": matlab(SMALL)}
    corpus = build_rolls_corpus("mine", files)
    assert corpus.digest == build_rolls_corpus("mine", {"b.pickle": pickle.dumps(SMALL)}).digest
    assert corpus.titles["train"] == ("train 1", "train 2")
    assert corpus.source["statistics"]["train"]["frames"] == 4
    with pytest.raises(CorpusError, match="there is no .pickle or .mat"):
        build_rolls_corpus("mine", {"readme.txt": b"text"})
    with pytest.raises(CorpusError, match=r"2 of them: b\.pickle, rolls/a\.mat"):
        build_rolls_corpus("mine", files | {"b.pickle": b""})


# The real ones

REAL = {
    "JSB_Chorales.mat": ((229, 76, 77), (13807, 4602, 4725)),
    "JSB Chorales.pickle": ((229, 76, 77), (13807, 4602, 4725)),
    "Piano_midi.mat": ((87, 12, 25), (75911, 8540, 19036)),
    "Nottingham.mat": ((694, 173, 170), (176561, 45513, 44463)),
    "MuseData.mat": ((524, 135, 124), (245202, 82755, 64339)),
}


@pytest.mark.integration
@pytest.mark.parametrize("name", REAL)
def test_the_real_rolls_have_the_pieces_and_frames_of_the_specification(name: str) -> None:
    corpus = build_rolls_corpus(name, {name: (data_folder() / "music-rolls" / name).read_bytes()})
    assert tuple(len(corpus.splits[split]) for split in SPLITS) == REAL[name][0]
    assert tuple(corpus.steps(split) for split in SPLITS) == REAL[name][1]


@pytest.mark.integration
def test_the_real_pickle_and_the_real_matrices_are_the_same_rolls() -> None:
    folder = data_folder() / "music-rolls"
    names = ("JSB Chorales.pickle", "JSB_Chorales.mat")
    one, other = (build_rolls_corpus("jsb", {name: (folder / name).read_bytes()}).digest for name in names)
    assert one == other


@pytest.mark.integration
def test_the_real_pickle_holds_what_an_unrestricted_reading_gives() -> None:
    # This one file is known: its instructions were looked at.
    data = (data_folder() / "music-rolls" / "JSB Chorales.pickle").read_bytes()
    whole = pickle.loads(data.replace(b"numpy.core.multiarray", b"numpy._core.multiarray"), encoding="latin-1")  # noqa: S301
    rolls = read_rolls("a.pickle", data)
    for split in SPLITS:
        for piece, roll in zip(whole[split], rolls[split], strict=True):
            assert [sorted(set(map(int, frame))) for frame in piece] == [list(np.flatnonzero(row) + 21) for row in roll]


# Pickles that mean harm


class Harm:
    """Pickles as a call of something."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_would_write_a_file_is_refused_and_writes_none(tmp_path: Path, protocol: int) -> None:
    target = tmp_path / "written"
    for harm in (
        Harm(open, str(target), "w"),
        Harm(os.system, f"touch {target}"),
        Harm(eval, f"open({str(target)!r}, 'w')"),
    ):
        for document in (harm, {**SMALL, "train": harm}, {**SMALL, "more": harm}):
            data = pickle.dumps(document, protocol)
            refused("a.pickle", data)
            assert not target.exists()
    pickle.loads(pickle.dumps(Harm(os.system, f"touch {target}"), protocol))  # noqa: S301
    assert target.exists(), "an unrestricted reader does write it"


TOUCH = b"cos\nsystem\n"
HARMFUL = {
    "GLOBAL": (TOUCH + b"(U\x04truetR.", "the global 'os.system'"),
    "STACK_GLOBAL": (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "the global 'os.system'"),
    "builtins": (b"c__builtin__\neval\n(U\x011tR.", "the global '__builtin__.eval'"),
    "dotted": (b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__init__\x93.", "the global 'numpy.dtype.__init__'"),
    "other numpy": (b"cnumpy\nload\n(U\x011tR.", "the global 'numpy.load'"),
    "reconstruct": (b"cnumpy.core.multiarray\n_reconstruct\n.", "the global 'numpy.core.multiarray._reconstruct'"),
    "codecs": (b"c_codecs\nencode\n.", "the global '_codecs.encode'"),
    "INST": (b"(U\x04trueios\nsystem\n.", "the pickle instruction b'i'"),
    "OBJ": (b"(cnumpy\ndtype\nU\x01Oo.", "the pickle instruction b'o'"),
    "NEWOBJ": (b"\x80\x02cnumpy\ndtype\nU\x01O\x85\x81.", r"the pickle instruction b'\x81'"),
    "NEWOBJ_EX": (b"\x80\x04cnumpy\ndtype\n)}\x92.", r"the pickle instruction b'\x92'"),
    "EXT1": (b"\x80\x02\x82\x01.", r"the pickle instruction b'\x82'"),
    "EXT2": (b"\x80\x02\x83\x01\x00.", r"the pickle instruction b'\x83'"),
    "EXT4": (b"\x80\x02\x84\x01\x00\x00\x00.", r"the pickle instruction b'\x84'"),
    "PERSID": (b"Pevil\n.", "the pickle instruction b'P'"),
    "BINPERSID": (b"NQ.", "the pickle instruction b'Q'"),
    "BYTEARRAY8": (b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x0f.", r"the pickle instruction b'\x96'"),
    "BINBYTES8": (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x0f.", r"the pickle instruction b'\x8e'"),
    "NEXT_BUFFER": (b"\x80\x05\x97.", r"the pickle instruction b'\x97'"),
    "FROZENSET": (b"\x80\x04(\x91.", r"the pickle instruction b'\x91'"),
    "LONG4": (b"\x80\x02\x8b\xff\xff\xff\x7f.", r"the pickle instruction b'\x8b'"),
    "a long text": (b"X\xff\xff\xff\x7f.", "a text of over 64 bytes"),
    "dtype of objects": (b"cnumpy\ndtype\n(U\x01OK\x00K\x01tR.", "the dtype 'O'"),
    "dtype of many": (b"cnumpy\ndtype\n(U\x0a999999999OK\x00K\x01tR.", "the dtype '999999999O'"),
    "dtype of a list": (b"cnumpy\ndtype\n(]K\x00K\x01tR.", "a name that is no text"),
    "dtype of fields": (b"cnumpy\ndtype\n(U\x02i8tR(K\x03U\x01<N(U\x01at}NNNtb.", "no little-endian integer"),
    "dtype of another order": (b"cnumpy\ndtype\n(U\x02i8tR(K\x03U\x01>NNNNNNtb.", "no little-endian integer"),
    "scalar of a pickle": (
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\nU\x0acos\nsystemtR.",
        "a scalar that is no integer",
    ),
    "scalar of a long text": (
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\x02i8tRU\x09123456789tR.",
        "a scalar that is no integer",
    ),
    "call of a list": (b"](tR.", "a call of something else"),
    "call with a list": (b"cnumpy\ndtype\n]R.", "a call of something else"),
    "state of the global": (b"cnumpy\ndtype\n}U\x08__call__Nsb.", "setting the state of something else"),
    "state of the other global": (b"cnumpy.core.multiarray\nscalar\n(KKKKKKKKtb.", "setting the state of"),
    "state of a list": (b"](K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01tb.", "setting the state of something else"),
    "adding to a tuple": (b")Na.", "adding to what is no list"),
    "a key in a list": (b"]U\x01aNs.", "what is no dictionary"),
    "a key that is no text": (b"}K\x01Ns.", "a key or a name that is no text"),
    "a newer protocol": (b"\x80\x06}.", "a protocol newer than 5"),
}


@pytest.mark.parametrize(("data", "what"), HARMFUL.values(), ids=HARMFUL)
def test_what_no_piano_roll_needs_is_refused_by_name(data: bytes, what: str) -> None:
    line = refused("a.pickle", data)
    assert what in line
    assert line.endswith("which no piano-roll needs; nothing of it is read or run")


def test_integers_have_the_sign_of_their_dtype() -> None:
    numbers = [np.int8(-1), np.uint8(255), np.int64(-(2**63)), np.uint64(2**64 - 1), 7]
    assert roll_pickle.read_pickle("a", pickle.dumps(numbers)) == [-1, 255, -(2**63), 2**64 - 1, 7]


def test_every_instruction_that_is_not_on_the_list_is_refused() -> None:
    known = {*roll_pickle._INSTRUCTIONS, ord(".")}
    for code in set(range(256)) - known:
        assert "the pickle instruction" in refused("a.pickle", b"]" + bytes([code]) + b"\x01.")


@pytest.mark.integration
def test_a_deeply_nested_key_does_not_end_the_process() -> None:
    assert "no text" in refused("a.pickle", b"})" + b"\x85" * 1_000_000 + b"Ns.")


def test_an_instruction_that_asks_for_gigabytes_gets_none() -> None:
    tracemalloc.start()
    refused("a.pickle", b"]r\xff\xff\xff\xff.")
    refused("a.pickle", b"](" * 1000 + b"j\xff\xff\xff\x7f.")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_short_pickle_of_one_long_piece_named_many_times_is_refused() -> None:
    frame, count = (60,), 100_000
    piece = [frame] * count
    assert "over 60,000 pieces or 3,000,000 frames" in refused("a.pkl", pickle.dumps({**SMALL, "train": [piece] * 40}))
    assert "over 20,000,000 notes" in refused("a.pkl", pickle.dumps({**SMALL, "train": [[(60,) * 500] * 50_000]}))


@pytest.mark.parametrize("limit", ["INSTRUCTIONS", "OBJECTS", "PICKLE_BYTES"])
def test_the_limits_of_a_pickle(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(roll_pickle, limit, 10)
    assert "over" in refused("a.pickle", pickle.dumps(SMALL))


# Files that hold something else


@pytest.mark.parametrize(
    "document",
    [
        [],
        "text",
        {},
        {"train": [], "valid": []},
        {**SMALL, "more": []},
        {**SMALL, "train": "text"},
        {**SMALL, "train": ["text"]},
        {**SMALL, "train": [["text"]]},
        {**SMALL, "train": [[("C4",)]]},
        {**SMALL, "train": [[(20,)]]},
        {**SMALL, "train": [[(109,)]]},
        {**SMALL, "train": [[(-1,)]]},
        {**SMALL, "train": [[(True,)]]},
        {**SMALL, "train": [[(None,)]]},
        {**SMALL, "train": [[]]},
        {**SMALL, "train": []},
        {**SMALL, "train": [[()]]},
    ],
)
def test_what_is_no_piano_roll_is_told(document: Any) -> None:
    refused("a.pickle", pickle.dumps(document))


def test_the_limits_of_the_rolls(monkeypatch: pytest.MonkeyPatch) -> None:
    for written in (("a.pickle", pickle.dumps(SMALL)), ("a.mat", matlab(SMALL))):
        for limit, value in (("PIECES", 1), ("FRAMES", 2), ("ALL_FRAMES", 8)):
            with monkeypatch.context() as patch:
                patch.setattr(official_rolls, limit, value)
                assert "over" in refused(*written)
    assert (official_rolls.PIECES, official_rolls.FRAMES) == (20_000, 200_000)


def test_other_kinds_of_matlab_files_are_told() -> None:
    good = matlab(SMALL)
    assert "neither .pickle nor .mat" in refused("a.npz", good)
    assert "not a little-endian MATLAB file of version 5" in refused("a.mat", b"\x89HDF\r\n\x1a\n" + bytes(200))
    assert "version 5" in refused("a.mat", good[:124] + b"\x01\x00MI" + good[128:])
    assert "version 5" in refused("a.mat", good[:124] + b"\x00\x02IM" + good[128:])
    out = io.BytesIO()
    savemat(out, {"traindata": np.ones((2, 88))}, format="4")
    assert "version 5" in refused("a.mat", out.getvalue())


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize(
    ("value", "what"),
    [
        (np.ones((3, 88)), "no cell array"),
        ("text", "no cell array"),
        ({"a": 1}, "no cell array"),
        (np.array([[np.ones((3, 87)), np.ones((4, 87))]], object), "of 88 columns"),
        (np.array([[np.ones((3, 88)) * 1j, None]], object), "complex"),
        (np.array([["text", "more"]], object), "real matrices"),
        (np.array([[np.full((3, 88), 2.0), np.ones((2, 88))]], object), "other than 0 and 1"),
        (np.array([[np.full((3, 88), np.nan), np.ones((2, 88))]], object), "other than 0 and 1"),
        (np.array([[np.zeros((3, 88)), np.zeros((2, 88))]], object), "no note"),
        (np.array([[np.zeros((0, 88)), np.ones((2, 88))]], object), "without a frame"),
    ],
)
def test_matlab_files_that_hold_something_else(value: Any, what: str, compress: bool) -> None:
    if isinstance(value, np.ndarray) and value.dtype == object and value[0, 1] is None:
        value[0, 1] = np.ones((2, 88))
    assert what in refused("a.mat", matlab(SMALL, compress=compress, traindata=value))


def test_sizes_that_say_more_than_there_is_reserve_nothing() -> None:
    plain = matlab(SMALL, compress=False)
    cells, matrix = struct.pack("<ii", 1, 2), struct.pack("<ii", 3, 88)
    for shape, huge, what in (
        (cells, (1, 2**30), "no cell array of at most 20,000"),
        (cells, (1, 20_000), "it ends too early"),
        (matrix, (1, 2**30), "real matrices of 88 columns"),
        (matrix, (2**30, 88), "real matrices of 88 columns"),
        (matrix, (-1, 88), "a size below zero"),
    ):
        tracemalloc.start()
        assert what in refused("a.mat", plain.replace(shape, struct.pack("<ii", *huge)))
        assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
        tracemalloc.stop()


def test_a_matlab_bomb_is_stopped_before_it_unfolds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert roll_matlab.PLAIN_BYTES == 256 * 2**20
    monkeypatch.setattr(roll_matlab, "PLAIN_BYTES", 2**20)
    bomb = zlib.compress(struct.pack("<II", 14, 2**25) + bytes(2**25))
    assert "when it is uncompressed" in refused("a.mat", matlab(SMALL)[:128] + struct.pack("<II", 15, len(bomb)) + bomb)
    monkeypatch.setattr(roll_matlab, "CELLS", 1)
    assert "at most 1 matrices" in refused("a.mat", matlab(SMALL))


# Damage


@settings(deadline=None, max_examples=150)
@given(st.data(), st.sampled_from(list(WRITTEN.values())))
def test_mutated_files_are_read_or_refused(data: st.DataObject, written: tuple[str, bytes]) -> None:
    name, mutated = written[0], bytearray(written[1])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutated) - 1))
        mutated[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(mutated)))
    for damaged in (bytes(mutated), bytes(mutated[:cut])):
        with contextlib.suppress(CorpusError):
            read_rolls(name, damaged)


@settings(deadline=None)
@given(st.lists(st.sampled_from([bytes([code]) for code in roll_pickle._INSTRUCTIONS] + [b"\x01", b"U\x02i8", b"."])))
def test_any_program_ends_and_is_read_or_refused(program: list[bytes]) -> None:
    with contextlib.suppress(CorpusError):
        read_rolls("a.pickle", b"".join(program) + b".")


@pytest.mark.parametrize("name", ["python 2", "mat plain", "mat uint8"])
def test_every_byte_of_a_file_turned_over(name: str) -> None:
    file, data = WRITTEN[name]
    for place in range(len(data)):
        with contextlib.suppress(CorpusError):
            read_rolls(file, data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
