"""Any text: pieces, splits by name and by content, what is set aside, and any bytes at all."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.building.lost import Selection
from tasks.ingest.building.plain_text import BLOCK, FEWEST_FILES, TextKind, build_text_corpus
from tasks.ingest.sources.archives import read_source
from tasks.ingest.sources.text_files import is_text

KINDS: tuple[TextKind, ...] = ("characters", "words")


def prose(seed: int, lines: int) -> str:
    """Lines of words that come again and again."""
    generator = np.random.default_rng(seed)
    words = [f"word{number}" for number in range(30)]
    return "".join(" ".join(generator.choice(words, generator.integers(1, 12))) + "\n" for _ in range(lines))


def text_of(corpus: Corpus, split: str, place: int) -> str:
    symbols = [corpus.vocabulary[symbol] for symbol in corpus.splits[split][place]]
    if corpus.kind == "characters":
        return "".join(symbols)
    return " ".join(symbols).replace(" <eos>", "\n").replace("\n ", "\n")


def everything(corpus: Corpus) -> dict[str, str]:
    """Every piece's text by its title."""
    titles = [(split, place, title) for split in SPLITS for place, title in enumerate(corpus.titles[split])]
    return {title: text_of(corpus, split, place) for split, place, title in titles}


@pytest.mark.parametrize("kind", KINDS)
def test_one_file_is_cut_into_blocks_of_lines_that_are_the_whole_text(kind: TextKind) -> None:
    text = prose(1, 1500)
    corpus = build_text_corpus("mine", kind, {"a.txt": text.encode()}, fewest=1)
    pieces = everything(corpus)
    count = len(pieces)
    assert count == round(len(text) / BLOCK)
    assert "".join(pieces[f"a.txt {place} of {count}"] for place in range(1, count + 1)) == text
    assert all(piece.endswith("\n") for piece in pieces.values())
    shares = [corpus.steps(split) / sum(corpus.steps(other) for other in SPLITS) for split in SPLITS]
    assert np.allclose(shares, [0.6, 0.2, 0.2], atol=0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_line_is_cut_at_blanks(kind: TextKind) -> None:
    text = prose(2, 1500).replace("\n", " ") + "   " + " " * 3 * BLOCK + "end"
    corpus = build_text_corpus("mine", kind, {"a.txt": text.encode()}, fewest=1)
    pieces = [piece for _, piece in sorted(everything(corpus).items(), key=lambda item: int(item[0].split()[1]))]
    assert " ".join(" ".join(pieces).split()) == " ".join(text.split())
    assert sum(piece.endswith("\n") for piece in pieces) == 1
    assert max(map(len, pieces)) < 1.1 * BLOCK


@pytest.mark.parametrize("kind", KINDS)
def test_many_files_are_pieces_and_equal_ones_are_in_one_split(kind: TextKind) -> None:
    files = {f"{number:02}.txt": prose(number % 20, 40).encode() for number in range(FEWEST_FILES + 10)}
    corpus = build_text_corpus("mine", kind, files, fewest=1)
    assert set(everything(corpus)) == set(files)
    split_of = {title: split for split in SPLITS for title in corpus.titles[split]}
    for number in range(20):
        assert split_of[f"{number:02}.txt"] == split_of[f"{number + 20:02}.txt"]
    assert [list(corpus.titles[split]) for split in SPLITS] == [sorted(corpus.titles[split]) for split in SPLITS]


def test_the_split_depends_on_contents_and_not_on_names() -> None:
    files = {f"{number:02}.txt": prose(number, 40).encode() for number in range(FEWEST_FILES)}
    renamed = {f"x{name}": data for name, data in files.items()}
    one, other = (build_text_corpus("mine", "characters", some) for some in (files, renamed))
    assert one.digest == other.digest


def test_names_may_give_the_splits() -> None:
    data = {split: prose(number, 300).encode() for number, split in enumerate(SPLITS)}
    forms = ("{}/a.txt", "{}.txt", "mine.{}.txt", "x/{}", "{}/{}.txt")
    digests = set()
    for form in forms:
        files = {form.format(split, split): text for split, text in data.items()}
        corpus = build_text_corpus("mine", "characters", files)
        digests.add(corpus.digest)
        for split in SPLITS:
            assert (
                "".join(text_of(corpus, split, place) for place in range(len(corpus.splits[split]))).encode()
                == data[split]
            )
            assert len(corpus.splits[split]) > 1
    assert len(digests) == 1
    beside = build_text_corpus("mine", "characters", {**files, "README.md": b"text"})
    assert (beside.digest, list(beside.source["quarantined"])) == (corpus.digest, ["README.md"])
    with pytest.raises(CorpusError, match="'train.txt' for train, and none is for valid;"):
        build_text_corpus("mine", "characters", {"train.txt": b"text", "test.txt": b"text"})
    with pytest.raises(CorpusError, match="no text for the valid split; 1 file set aside: valid/valid.txt, no visible"):
        build_text_corpus("mine", "characters", {**files, "valid/valid.txt": b""})
    by_content = build_text_corpus(
        "mine", "characters", {"train.txt": data["train"]}, selection=Selection(by_content=True)
    )
    assert "".join(everything(by_content).values()).encode() != b""


def test_the_vocabulary_knows_train_alone() -> None:
    files = {"train.txt": b"a a b\n" * 3 + b"rare\n", "valid.txt": b"a zebra\n", "test.txt": b"rare b\n"}
    words = build_text_corpus("mine", "words", files)
    assert set(words.vocabulary) == {"<unk>", "a", "b", "<eos>"}
    assert text_of(words, "valid", 0) == "a <unk>\n"
    assert text_of(words, "test", 0) == "<unk> b\n"
    assert words.source["statistics"]["train"] == {"pieces": 1, "steps": 14, "unknown": 1}
    assert "rare" in build_text_corpus("mine", "words", files, fewest=1).vocabulary
    characters = build_text_corpus("mine", "characters", files)
    assert text_of(characters, "valid", 0) == "a <unk>ebra\n"


def test_encodings_are_found_and_told_and_a_missing_last_newline_is_added() -> None:
    cut = "né à\n".encode() + "né".encode()[:-1]
    files = {"train.txt": "é\r\nßFugänger –à".encode(), "valid.txt": "Fußgänger –".encode("cp1252"), "test.txt": cut}
    corpus = build_text_corpus("mine", "characters", files)
    assert text_of(corpus, "train", 0) == "é\nßFugänger –à\n"
    assert text_of(corpus, "valid", 0) == "Fußgänger –\n"
    assert corpus.source["encodings"] == {"UTF-8": 2, "Windows-1252": 1}
    assert corpus.source["told"] == [
        "'valid.txt' read as Windows-1252, not UTF-8; where words look wrong, name its --encoding",
        "'test.txt' read as UTF-8 but for 1 character, replaced by U+FFFD, the first at byte 8",
    ]
    assert build_text_corpus("mine", "characters", {**files, "valid.txt": b"e", "test.txt": b"e"}).source["told"] == []


def test_the_encoding_can_be_named() -> None:
    text = {split: "曲 音楽 note\n" * 30 + split for split in SPLITS}
    for encoding in ("shift_jis", "utf-16", "utf-8"):
        files = {f"{split}.txt": data.encode(encoding) for split, data in text.items()}
        corpus = build_text_corpus("mine", "characters", files, encoding=encoding)
        assert text_of(corpus, "train", 0) == text["train"] + "\n"
        assert corpus.source["encodings"] == {encoding.replace("utf-8", "UTF-8"): 3}
    for wanted, told in ((None, "neither UTF-8 nor Windows-1252; name its encoding"), ("utf-8", "not utf-8: byte 0")):
        with pytest.raises(CorpusError, match=told):
            build_text_corpus("mine", "characters", {"a.txt": "曲 音楽 note\n".encode("shift_jis")}, encoding=wanted)


def test_text_without_blanks_is_cut_at_the_length_of_a_block() -> None:
    text = "".join(np.random.default_rng(3).choice(list("山水雪月花鳥風"), 9 * BLOCK + 7))
    corpus = build_text_corpus("mine", "characters", {"a.txt": text.encode()})
    assert sorted(len(piece) for split in SPLITS for piece in corpus.splits[split]) == [BLOCK] * 8 + [BLOCK + 8]
    pieces = everything(corpus)
    assert "".join(pieces[f"a.txt {place} of 9"] for place in range(1, 10)).startswith(text)
    with pytest.raises(CorpusError, match=r"100% of train, .*% of test would be <unk>, .* take --characters"):
        build_text_corpus("mine", "words", {"a.txt": text.encode()})


def test_words_that_are_mostly_unknown_are_refused_whichever_the_split() -> None:
    files = {"train.txt": b"a a a a b c\n", "valid.txt": b"a a a d\n", "test.txt": b"x y z a\n"}
    with pytest.raises(CorpusError, match=r"43% of train, 40% of valid, 80% of test would be <unk>.* --fewest$"):
        build_text_corpus("mine", "words", files, fewest=2)
    with pytest.raises(
        CorpusError, match="57% of test would be <unk>, characters that train has not; give splits that"
    ):
        build_text_corpus("mine", "characters", {**files, "test.txt": b"xyzw a\n"})
    build_text_corpus("mine", "words", {**files, "test.txt": b"x y a a\n"}, fewest=1)


def test_what_is_no_text_is_set_aside_with_its_reason() -> None:
    files = {f"{number:02}.txt": prose(number, 20).encode() for number in range(40)}
    corpus = build_text_corpus("mine", "words", files | {"a.bin": b"\x7fELF\0", "b.txt": b" \n"})
    assert corpus.source["quarantined"] == {
        "a.bin": "NUL bytes: no text, or UTF-16; save it as UTF-8, or name its encoding by --encoding",
        "b.txt": "no visible character",
    }
    assert "a.bin" not in everything(corpus)
    bad = files | dict.fromkeys("abc", b"\0") | {"d": b""}
    with pytest.raises(
        CorpusError, match=r"4 of 44 text files .*\. a, b, c: NUL bytes: .*; d: no visible character\. Over"
    ):
        build_text_corpus("mine", "words", bad)
    assert len(build_text_corpus("mine", "words", bad, selection=Selection(0.1)).source["quarantined"]) == 4
    assert build_text_corpus("mine", "words", {"a": prose(0, 900).encode(), "b": b"\0"}).source[
        "quarantined"
    ].keys() == {"b"}
    for nothing in ({"a": b""}, {"a": prose(0, 9).encode("utf-16")}):
        with pytest.raises(CorpusError, match="none of 1 text files can be used"):
            build_text_corpus("mine", "words", nothing)
    with pytest.raises(CorpusError, match="no file, and nothing that may be text by its ending"):
        build_text_corpus("mine", "words", {})


def test_a_picture_beside_a_book_is_left_alone_and_told(tmp_path: Path) -> None:
    for name, data in {
        "book.txt": prose(0, 900).encode(),
        "cover.jpg": b"\xff\xd8",
        "book.epub": b"PK",
        "README": b"x",
    }.items():
        (tmp_path / name).write_bytes(data)
    corpus = build_text_corpus("mine", "words", read_source(str(tmp_path), wanted=is_text).as_inputs())
    assert (corpus.source["ignored"], corpus.source["quarantined"]) == (2, {})
    assert corpus.source["told"] == [
        "read as text: 1 .txt, 1 without ending; take out what is no part of it",
        "2 other files ignored (1 .epub, 1 .jpg): what may be text by its ending is read",
    ]


@pytest.mark.parametrize("data", [b"text", b"x" * 100_000, b"a\n" * 10])
def test_too_little_text_is_told(data: bytes) -> None:
    with pytest.raises(CorpusError, match=r"no text for the .* split, of . different pieces?; give more"):
        build_text_corpus("mine", "characters", {"a.txt": data})


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "train/a", "valid/a", "test/a", "c/d"]), st.binary(max_size=30)),
    st.sampled_from(KINDS),
)
def test_any_bytes_are_a_corpus_or_are_told(files: dict[str, bytes], kind: TextKind) -> None:
    with contextlib.suppress(CorpusError):
        build_text_corpus("mine", kind, {name: data * 300 for name, data in files.items()}, fewest=1)
