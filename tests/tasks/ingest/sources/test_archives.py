"""Archives: what is read, every limit, everything that is refused, and mutated archives."""

import contextlib
import io
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import CorpusError
from tasks.ingest.sources import archives, members
from tasks.ingest.sources import tar as tar_members
from tasks.ingest.sources.archives import read_source, unpack
from tasks.ingest.sources.unread import Unread
from tests.tasks.ingest.data import data_folder
from tests.tasks.ingest.packing import FILES, PACKERS, Packer, gzipped, tarred, zipped

every_format = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


def refused(name: str, data: bytes, **options: int) -> str:
    """The one line with which an archive is refused."""
    with pytest.raises(CorpusError) as caught:
        unpack(name, data, **options)
    line = str(caught.value)
    assert line.isprintable()
    assert line.startswith(name)
    return line


def set_aside(data: bytes, **options: Any) -> dict[str, str]:
    """What of an archive is refused by itself, and why; all the rest is read."""
    files = unpack("songs", data, **options)
    assert set(files) == set(FILES)
    return dict(files.unread.refused)


def midi(name: str) -> bool:
    return name.endswith(".mid")


# What is read


@every_format
def test_the_files_come_by_name_and_in_order(pack: Packer) -> None:
    found = unpack("songs", pack(FILES))
    assert found == FILES
    assert list(found) == sorted(FILES)


@every_format
def test_folders_that_all_files_share_are_left_out_but_not_a_split(pack: Packer) -> None:
    assert unpack("songs", pack({f"./My Songs/data/{name}": data for name, data in FILES.items()})) == FILES
    assert list(unpack("songs", pack({"x/train/a": b"", "x/train/b": b""}))) == ["train/a", "train/b"]
    assert list(unpack("songs", pack({"x/a": b"", "x/a.b/c": b""}))) == ["a", "a.b/c"]


@every_format
def test_hidden_files_are_left_out(pack: Packer) -> None:
    hidden = {"train/.DS_Store": b"x", "__MACOSX/train/._a.mid": b"x", ".git/a": b"x"}
    assert unpack("songs", pack({**FILES, **hidden})) == FILES


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_foreign_names_in_a_tar(form: int) -> None:
    files = {f"{'long/' * 60}é{number}.mid": bytes([number]) for number in range(3)} | {"z": b"z", "é": b""}
    assert unpack("songs", tarred(files, form=form)) == files


def test_a_tar_with_a_header_for_all_its_members_as_git_writes_it() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "28d5bca"}) as archive:
        archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
    assert unpack("songs", out.getvalue()) == {"a": b""}


@every_format
def test_names_that_only_look_strange_are_names(pack: Packer) -> None:
    files = dict.fromkeys(("un rêve,\xa0à 2.mid", "soft\xadhyphen.mid", "\u202eright.mid", "é/🎵.mid"), b"x")
    assert unpack("songs", pack(files)) == files


def test_folders_within_archives_are_no_files() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in (".", "./songs", "./songs/train"):
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
        archive.addfile(tarfile.TarInfo("./songs/train/a"))
    assert unpack("songs", out.getvalue()) == {"train/a": b""}
    assert unpack("songs", zipped({"songs/": b"", "songs/train/": b"", "songs/train/a": b""})) == {"train/a": b""}


names = st.text(alphabet="abé/. ", min_size=1, max_size=12)


@settings(deadline=None)
@given(st.dictionaries(names, st.binary(max_size=3), max_size=4), st.sampled_from(list(PACKERS.values())))
def test_any_names_are_read_or_refused_and_none_leads_outside(files: dict[str, bytes], pack: Packer) -> None:
    with contextlib.suppress(CorpusError):
        for name in unpack("songs", pack(files)):
            assert ".." not in name.split("/")
            assert not name.startswith("/")


def test_a_single_file_is_what_it_is(tmp_path: Path) -> None:
    assert unpack("a.txt", b"text") == {"a.txt": b"text"}
    assert unpack("a.txt", b"text", largest=3).unread.refused == {"a.txt": "over the limit of 3 bytes"}
    (tmp_path / "a.zip").write_bytes(zipped(FILES))
    assert read_source(str(tmp_path / "a.zip")) == FILES
    assert read_source(f"file://{tmp_path / 'a.zip'}") == FILES


@every_format
def test_what_is_not_wanted_is_not_unpacked_but_judged(pack: Packer) -> None:
    files = {"x/data/a.txt": b"text", "x/models/big": bytes(200), "x/more.zip": zipped(FILES), "x/b.gz": b"x"}
    found = unpack("songs", pack(files), 100, lambda name: name.endswith(".txt"))
    assert found == {"a.txt": b"text"}
    assert found.unread == Unread({}, {".gz": 1, ".zip": 1, "without ending": 1})
    with pytest.raises(CorpusError, match="leads out of the archive"):
        unpack("songs", pack(files | {"../evil": b""}), 100, lambda name: name.endswith(".txt"))
    with pytest.raises(CorpusError, match="no file in it that is of use here"):
        unpack("songs", pack(files), 100, lambda name: False).whole("songs")


# Limits


@every_format
def test_the_number_of_members(pack: Packer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MEMBERS", 3)
    monkeypatch.setattr(archives, "MEMBERS", 3)
    assert unpack("songs", pack(FILES)) == FILES
    assert "over 3 members" in refused("songs", pack({**FILES, ".hidden": b""}))


@every_format
def test_the_size_of_a_member_and_of_all(pack: Packer, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"a": bytes(100), "b": bytes(100)}
    assert unpack("songs", pack(files), largest=100) == files
    assert set_aside(pack({**FILES, "b": bytes(101)}), largest=100) == {"b": "over the limit of 100 bytes"}
    monkeypatch.setattr(members, "TOTAL_BYTES", 200)
    assert unpack("songs", pack(files)) == files
    assert "over 200 bytes in all" in refused("songs", pack({**files, "c": b"1"}))


def test_the_limits_are_what_the_documents_say() -> None:
    assert (members.MEMBERS, members.MEMBER_BYTES, members.TOTAL_BYTES) == (20_000, 8 * 2**20, 512 * 2**20)
    assert (members.RATIO, members.RATIO_FROM) == (200, 2**20)
    assert (tar_members.LONGEST_HEADER, tar_members.EXTENDED_BYTES) == (2**16, 2**24)


@pytest.mark.parametrize("pack", [zipped, gzipped])
def test_the_ratio(pack: Packer) -> None:
    blank = bytes(2 * members.RATIO_FROM)
    assert "grows to over 200 times its compressed size" in refused("songs", pack({"a": blank}))
    noise = np.random.default_rng(0).bytes(2**14)
    assert unpack("songs", pack({"a": blank[: members.RATIO_FROM // 2]}))
    assert unpack("songs", pack({"a": noise + blank}))


def test_a_bomb_is_stopped_before_it_unfolds() -> None:
    engine = zlib.compressobj(9, wbits=31)
    bomb = b"".join(engine.compress(bytes(2**20)) for _ in range(200)) + engine.flush()
    tracemalloc.start()
    refused("bomb", bomb)
    refused("bomb", zipped({"a": bytes(7 * 2**20)}))
    assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    tracemalloc.stop()


def test_the_ratio_of_one_member_and_of_all_together() -> None:
    noise, most = np.random.default_rng(0).bytes(2**20), bytes(members.RATIO_FROM)
    assert "'a' grows to over 200 times" in refused("songs", zipped({"noise": noise, "a": most + b"1"}))
    assert unpack("songs", zipped({"noise": noise, "a": most, "b": most}))
    assert "'b' grows to over 200 times" in refused("songs", zipped({"a": most, "b": most}))


def test_a_zip_of_many_entries_is_refused_before_they_are_made() -> None:
    whole = zipped({"a": b""})
    start, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    entries = whole[start:end] * 60_000
    tail = whole[end : end + 8] + struct.pack("<HHL", 60_000, 60_000, len(entries)) + whole[end + 16 :]
    data = whole[:start] + entries + tail
    tracemalloc.start()
    assert "over 20,000 members" in refused("songs", data)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("inner", [zipped, tarred, gzipped])
@every_format
def test_archives_within_archives(pack: Packer, inner: Packer) -> None:
    why = "an archive or compressed, which is not unpacked within another source"
    assert set_aside(pack({**FILES, "a.mid": inner(FILES), "a.ZIP": b"nothing"})) == {"a.mid": why, "a.ZIP": why}
    assert set_aside(pack({**FILES, "a.ZIP": inner(FILES)}), wanted=midi) == {}


# What is refused


@every_format
@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "..\\a", "a\\..\\b", "\\a", "a/.."])
def test_names_that_lead_elsewhere(pack: Packer, name: str) -> None:
    assert repr(name)[1:-1] in refused("songs", pack({**FILES, name: b"x"}))


@every_format
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a\\b.mid", "its name has a backslash in it, or begins like a drive"),
        ("C:/a.mid", "its name has a backslash in it, or begins like a drive"),
        ("C: major.mid", "its name has a backslash in it, or begins like a drive"),
        ("a\nb.mid", "its name has a control character, or bytes that are no text"),
        ("a\x1b[2J.mid", "its name has a control character, or bytes that are no text"),
    ],
)
def test_a_strange_name_sets_nothing_aside_but_itself(pack: Packer, name: str, why: str) -> None:
    assert set_aside(pack({**FILES, name: b"x"})) == {name: why}
    found = unpack("songs", pack({**FILES, name.replace(".mid", ".x"): b"x"}), wanted=midi)
    assert found.unread == Unread({}, {".x": 1}), "a name that is not wanted is not judged"


@every_format
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_there_twice(pack: Packer) -> None:
    assert "'train/a.mid' is there twice" in refused("songs", pack({**FILES, "./train//a.mid": b"x"}))


def tar_with(kind: bytes) -> bytes:
    """The files, and among them a member of a kind."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in [*FILES.items(), ("train/evil.mid", b"")]:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            if name == "train/evil.mid":
                header.type, header.linkname = kind, "/etc/passwd"
            archive.addfile(header, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_link_or_a_device_in_a_tar_is_left_out_by_itself(kind: bytes) -> None:
    why = members.LINK if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else members.NO_FILE
    assert set_aside(tar_with(kind)) == {"train/evil.mid": why}
    assert unpack("songs", tar_with(kind), wanted=lambda name: "evil" not in name).unread.ignored == {".mid": 1}


@pytest.mark.parametrize("kind", [tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, tarfile.GNUTYPE_LONGLINK, b"V", b"M"])
def test_a_member_of_another_form_in_a_tar(kind: bytes) -> None:
    assert "'train/evil.mid' is a sparse file, or of a form that is not read" in refused("songs", tar_with(kind))


@pytest.mark.parametrize("kind", [0o120000, 0o020000, 0o060000, 0o010000, 0o140000])
def test_a_link_or_a_device_in_a_zip_is_left_out_by_itself(kind: int) -> None:
    out = io.BytesIO(zipped(FILES))
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo("train/evil")
        info.external_attr = (kind | 0o644) << 16
        archive.writestr(info, "/etc/passwd")
    why = members.LINK if kind == 0o120000 else members.NO_FILE
    assert set_aside(out.getvalue()) == {"train/evil": why}


def test_encrypted_members_and_methods_without_a_bound() -> None:
    data = bytearray(zipped({**FILES, "a": b"x"}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert set_aside(bytes(data)) == {"a": "encrypted"}
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        out = io.BytesIO(zipped(FILES))
        with zipfile.ZipFile(out, "a", method) as archive:
            archive.writestr("a", b"x")
        assert set_aside(out.getvalue()) == {"a": "compressed by a method other than deflate"}


@pytest.mark.parametrize("key", ["size", "linkpath", "GNU.sparse.map", "GNU.sparse.size"])
def test_extended_headers_that_change_more_than_a_name(key: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        header = tarfile.TarInfo("a")
        header.pax_headers = {key: "1"}
        archive.addfile(header)
    assert f"an extended header with {key!r}" in refused("songs", out.getvalue())


def extended(kind: bytes, body: bytes) -> bytes:
    """A .tar that begins with an extended header of this body."""
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, len(body)
    return header.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % 512) + tarred({"a": b""})


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_extended_headers_that_are_long_or_senseless(kind: bytes) -> None:
    assert "has headers of over 65,536 bytes, or 16,777,216 in all" in refused("songs", extended(kind, b"1" * 65_537))
    if kind != tarfile.GNUTYPE_LONGNAME:
        # One such header takes tarfile's own expressions minutes.
        for body in (b"1" * 65_536, b"9 a=b\n", b"0 a=b\n", b"-6 a=b\n", b"\xb9 a=b\n", b"2 \n" * 9):
            assert "an extended header of no known form" in refused("songs", extended(kind, body))


def test_extended_headers_are_limited_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"é{number}": b"" for number in range(3)}  # each name needs a header of 12 bytes
    monkeypatch.setattr(tar_members, "EXTENDED_BYTES", 36)
    assert unpack("songs", tarred(files)) == files
    monkeypatch.setattr(tar_members, "EXTENDED_BYTES", 35)
    assert "or 35 in all" in refused("songs", tarred(files))


def test_a_chain_of_long_names_is_no_recursion() -> None:
    chain = b"".join(extended(tarfile.GNUTYPE_LONGNAME, b"name\0")[:1024] for _ in range(3000))
    assert unpack("songs", chain + tarred({"a": b"x"})) == {"name": b"x"}


@every_format
def test_what_is_cut_off_is_never_taken_for_whole(pack: Packer) -> None:
    noise = np.random.default_rng(0).bytes(3072)
    data = pack({"a": noise, "b": noise})
    # A .tar ends with a block of zeros behind its last file; what follows that is padding.
    whole = 2 * (512 + 3072) + 512 if data[257:262] == b"ustar" else len(data)
    for length in {*range(1000, whole, 97), min(3584, whole - 2), whole - 512, whole - 1}:
        refused("songs", data[:length])
    unpack("songs", data[:whole])


def test_what_is_no_archive_of_ours() -> None:
    assert "no file in it" in refused("songs", zipped({}))
    assert "no file in it" in refused("songs", zipped({".hidden": b""}))
    assert "a compressed file, and no .tar.gz" in refused("songs", zlib.compress(b"text" * 100, wbits=31))
    assert "something follows its end" in refused("songs", gzipped(FILES) * 2)
    for start in (b"BZh91AY", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd"):
        line = refused("songs.tar.bz2", start + bytes(20))
        assert (
            line == "songs.tar.bz2: of archives .zip, .tar and .tar.gz are read, and this is another; unpack it first"
        )


def test_the_words_of_a_reader_are_cut() -> None:
    """They quote a name of the archive, of 64 KiB for example."""
    data = zipped({"a" * 65_000: b"x"})
    line = refused("songs", data.replace(b"a" * 65_000, b"b" * 65_000, 1))
    assert "a damaged .zip (File name in directory" in line
    assert len(line) < 300


# Damage


@settings(deadline=None, max_examples=50)
@given(st.data(), st.sampled_from(list(PACKERS.values())))
def test_mutated_archives_are_read_or_refused(data: st.DataObject, pack: Packer) -> None:
    mutated = bytearray(pack(FILES))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutated) - 1))
        mutated[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(mutated)))
    for damaged in (bytes(mutated), bytes(mutated[:cut]), bytes(mutated[cut:])):
        with contextlib.suppress(CorpusError):
            unpack("songs", damaged)


@settings(deadline=None)
@given(st.sampled_from([b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b""]), st.binary(max_size=600))
def test_any_bytes_are_a_file_or_refused(start: bytes, rest: bytes) -> None:
    with contextlib.suppress(CorpusError):
        unpack("songs", start + rest)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_every_byte_of_an_archive_turned_over(pack: Packer) -> None:
    data = pack({"train/a.mid": b"MThd", "b": b"xyz"})
    for place in range(min(len(data), 3000)):
        for value in ((0, 0x7F, 0xFF)[place % 3], data[place] ^ 1):
            with contextlib.suppress(CorpusError):
                unpack("songs", data[:place] + bytes([value]) + data[place + 1 :])


def test_the_real_archives_are_read() -> None:
    folder = data_folder() / "music-midi"
    counts = {path.stem: len(read_source(str(path))) for path in sorted(folder.glob("*.zip"))}
    assert counts == {"JSB Chorales": 382, "MuseData": 783, "Nottingham": 1037, "Piano-midi.de": 124}
