"""The manifest of MIDI sets: read into rows, and refused in one line where it says what cannot be."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import CorpusError
from tasks.ingest.readers.manifest import COLUMNS, ManifestRow, read_manifest

HEADER = ",".join(COLUMNS)
SHA = "0123456789abcdef" * 4
GOOD = f"A Set,train,0,a.mid,-5,129,2450,{SHA}"


def table(*rows: str) -> bytes:
    return "\n".join((HEADER, *rows)).encode()


def test_rows_are_read_in_their_order() -> None:
    quoted = f'"A, Set",test,1,"b ""x"".mid",6,1,1,{SHA}'
    assert read_manifest(b"\xef\xbb\xbf" + table(GOOD, "", quoted, "").replace(b"\n", b"\r\n")) == (
        ManifestRow("A Set", "train", 0, "a.mid", -5, 129, 2450, SHA),
        ManifestRow("A, Set", "test", 1, 'b "x".mid', 6, 1, 1, SHA),
    )
    assert read_manifest(table()) == ()


REFUSED = {
    "nothing": (b"", "the manifest's first line must be dataset,split,"),
    "another table": (b"a,b\n1,2\n", "the manifest's first line must be"),
    "bytes": (b"\xff\xfe", "is not CSV in UTF-8"),
    "an open quote": (table('"A'), "is not CSV in UTF-8"),
    "a cell too few": (table(GOOD.rpartition(",")[0]), "line 2 of the manifest has 7 cells, not 8"),
    "no set": (table(GOOD.replace("A Set", "")), "line 2 of the manifest: '' is no dataset"),
    "a split": (table(GOOD, GOOD.replace("train", "dev")), "line 3 of the manifest: 'dev' is no split"),
    "an index": (table(GOOD.replace(",0,", ",-1,")), "'-1' is no index"),
    "a number": (table(GOOD.replace(",0,", ",1.0,")), "'1.0' is no index"),
    "a digit of another script": (table(GOOD.replace(",0,", ",\u0663,")), "is no index"),
    "a long number": (table(GOOD.replace("129", "9" * 5000)), "is no frames"),
    "a folder": (table(GOOD.replace("a.mid", "../a.mid")), "'../a.mid' is no file"),
    "a transposition": (table(GOOD.replace("-5", "7")), "'7' is no transpose"),
    "no frame": (table(GOOD.replace("129", "0")), "'0' is no frames"),
    "no byte": (table(GOOD.replace("2450", "0")), "'0' is no bytes"),
    "a sum": (table(GOOD[:-1]), "is no sha256"),
    "two in one place": (table(GOOD, GOOD.replace("a.mid", "b.mid")), "has A Set train 0 twice"),
    "one file twice": (table(GOOD, GOOD.replace(",0,", ",1,")), "has A Set train a.mid twice"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_one_short_line(data: bytes, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason) as error:
        read_manifest(data)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


@given(
    st.one_of(st.binary(max_size=60).map(lambda data: HEADER.encode() + b"\n" + data), st.text(max_size=40).map(table))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(CorpusError):
        read_manifest(data)
