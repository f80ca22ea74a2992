"""Which encoding people's bytes are in: texts of many languages in theirs, cut, damaged, and named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import CorpusError
from tasks.ingest.readers.decoding import Decoded, decode_own, told_of_encodings

WESTERN = {
    "en": "“Hello” — it’s a naïve café…\n",
    "de": "Über den Fußgänger fährt „schön“ ein Öl – für 5 €\n",
    "fr": "L’été dernier, à Noël, « ça » allait ; où êtes-vous ?\n",
    "es": "¿Qué? ¡Mañana! El niño bebió 2 ½ cañas\n",
}
OTHERS = {
    "cp1251": "Мороз и солнце; день чудесный! Ещё ты дремлешь\n",
    "koi8-r": "Мороз и солнце; день чудесный! Ещё ты дремлешь\n",
    "gb18030": "春眠不觉晓，处处闻啼鸟。夜来风雨声\n",
    "big5": "春眠不覺曉，處處聞啼鳥。夜來風雨聲\n",
    "shift_jis": "曲 song 音楽 note 曲\n",
    "euc-kr": "나는 고양이로소이다. 이름은 아직 없다\n",
    "cp1253": "Άνδρα μοι έννεπε, Μούσα, πολύτροπον\n",
}


@pytest.mark.parametrize("text", [*WESTERN.values(), *OTHERS.values(), "plain\n"])
def test_utf8_is_found_with_a_mark_or_without(text: str) -> None:
    assert decode_own(text.encode()) == decode_own(text.encode("utf-8-sig")) == Decoded(text, "UTF-8")


@pytest.mark.parametrize("text", WESTERN.values())
def test_western_text_is_windows_1252_quotation_marks_and_all(text: str) -> None:
    read = decode_own(text.encode("cp1252"))
    assert (read.text, read.encoding, read.broken) == (text, "Windows-1252", 0)


@pytest.mark.parametrize(("encoding", "text"), OTHERS.items())
def test_text_of_another_encoding_is_never_taken_for_western_but_read_when_named(encoding: str, text: str) -> None:
    for data in (text.encode(encoding), (text * 50).encode(encoding)):
        with pytest.raises(CorpusError, match="neither UTF-8 nor Windows-1252; name its encoding, as --encoding"):
            decode_own(data)
    assert decode_own(text.encode(encoding), encoding) == Decoded(text, encoding)


@pytest.mark.parametrize("text", [*WESTERN.values(), *OTHERS.values()])
def test_utf8_cut_within_a_character_is_utf8_but_for_it(text: str) -> None:
    first = next(place for place, byte in enumerate(text.encode()) if byte > 127)
    last = max(place for place, byte in enumerate(text.encode()) if byte & 0xC0 == 0x80)
    for cut in (text.encode()[:last], text.encode() + text.encode()[: first + 1]):
        read = decode_own(cut)
        assert (read.encoding, read.broken) == ("UTF-8", 1)
        assert read.text == cut.decode(errors="ignore") + "\ufffd"


def test_damaged_utf8_is_read_where_little_is_broken_and_refused_with_the_place_else() -> None:
    text = ("ж" * 99 + "\n").encode()
    little = text * 3 + b"\xff" + text
    assert (decode_own(little).broken, decode_own(little).place) == (1, 3 * len(text))
    with pytest.raises(CorpusError, match="UTF-8 but for 30 characters, the first at byte 0: too many to be replaced"):
        decode_own(b"\xff" * 30 + text)
    with pytest.raises(CorpusError, match=r"not ascii: byte 0 is 0xe6, and 99 such; name another --encoding"):
        decode_own(("ж" * 99).encode("cp1251"), "ascii")


def test_what_was_taken_is_told_with_the_first_of_the_files() -> None:
    western, cut = decode_own("été".encode("cp1252")), decode_own("été".encode()[:-1])
    assert told_of_encodings({"a": decode_own(b"a")}) == []
    assert told_of_encodings({"a": western, "b": western}) == [
        "2 files, 'a' first, read as Windows-1252, not UTF-8; where words look wrong, name its --encoding"
    ]
    assert told_of_encodings({"a": cut, "b": cut}) == [
        "2 files, 'a' first, read as UTF-8 but for 2 characters, replaced by U+FFFD, the first at byte 3"
    ]


def test_the_encoding_that_is_named_is_for_what_is_not_utf8() -> None:
    russian, japanese = OTHERS["cp1251"], OTHERS["shift_jis"]
    assert decode_own(russian.encode(), "cp1251") == Decoded(russian, "UTF-8")
    assert decode_own(russian.encode("cp1251"), "cp1251") == Decoded(russian, "cp1251")
    for encoding in ("iso2022_jp", "utf-16", "utf-7"):  # whose bytes are ASCII, or have NULs
        assert decode_own(japanese.encode(encoding), encoding) == Decoded(japanese, encoding)
    read = {"a": decode_own(russian.encode(), "cp1251"), "b": decode_own(russian.encode("cp1251"), "cp1251")}
    assert told_of_encodings(read, "cp1251") == ["'a' read as UTF-8, and not as cp1251, for UTF-8 it is"]


@given(st.binary(max_size=60), st.sampled_from([None, "utf-8", "shift_jis", "utf-16", "cp1252"]))
def test_any_bytes_are_read_or_refused(data: bytes, encoding: str | None) -> None:
    try:
        read = decode_own(data, encoding)
    except CorpusError as error:
        assert "--encoding" in str(error)  # noqa: PT017
    else:
        assert (read.broken == 0) == ("\ufffd" not in read.text) or "\ufffd" in data.decode("utf-8", "ignore")
        assert "\r" not in read.text
