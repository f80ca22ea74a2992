"""The Penn Treebank: small files in each of its forms, and the counts of the real ones."""

import io
import tarfile
from collections.abc import Mapping
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import CorpusError
from models.outputs.softmax.word_classes import assign_classes
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.building import penn_treebank
from tasks.ingest.building.parts import cut_parts
from tasks.ingest.building.penn_treebank import FILE_BYTES, build_penn_treebank, is_penn_treebank_file
from tasks.ingest.sources.archives import read_source, unpack
from tests.tasks.ingest.data import data_folder

KINDS = ("words", "characters")
LINES = {
    "train": ["the <unk> is $ N million", "no it was n't black monday"] * 40,
    "valid": ["the million is <unk>", "no"] * 3,
    "test": ["it was N"],
}
WORDS = {f"ptb.{split}.txt": "".join(f" {line} \n" for line in of).encode() for split, of in LINES.items()}
SPELLED = {
    f"ptb.char.{split}.txt": " \n ".join([*(" ".join("_".join(line.split())) for line in of), ""]).encode()
    for split, of in LINES.items()
}


def text_of(corpus: Corpus, split: str) -> str:
    blank = " " if corpus.kind == "words" else ""
    return blank.join(corpus.vocabulary[symbol] for piece in corpus.splits[split] for symbol in piece)


def test_words_and_characters_are_the_text() -> None:
    assert SPELLED["ptb.char.test.txt"] == b"i t _ w a s _ N \n "
    words, characters = (build_penn_treebank("ptb", kind, WORDS | SPELLED) for kind in KINDS)
    for split, lines in LINES.items():
        assert text_of(words, split) == " ".join(f"{line} <eos>" for line in lines)
        assert text_of(characters, split) == "".join(f"{line}\n" for line in lines)
    assert words.vocabulary[0] == "<unk>"
    assert len(words.vocabulary) == len({word for line in LINES["train"] for word in line.split()} | {"<eos>"})
    assert "<unk>" not in characters.vocabulary
    assert words.source["statistics"]["test"] == {"pieces": 1, "steps": 4, "lines": 1}


def test_both_forms_of_the_characters_give_the_same_stream_and_are_compared() -> None:
    both, words, spelled = (build_penn_treebank("ptb", "characters", f) for f in (WORDS | SPELLED, WORDS, SPELLED))
    assert both.digest == words.digest == spelled.digest
    wrong = SPELLED | {"ptb.char.valid.txt": SPELLED["ptb.char.valid.txt"].replace(b"m i l", b"b i l", 1)}
    with pytest.raises(CorpusError, match=r"ptb.valid.txt and ptb.char.valid.txt are not the same text"):
        build_penn_treebank("ptb", "characters", WORDS | wrong)
    with pytest.raises(CorpusError, match=r"ptb.train.txt is not there; .* its licence has you bring yourself"):
        build_penn_treebank("ptb", "words", SPELLED)


@pytest.mark.parametrize("kind", KINDS)
def test_what_train_lacks_is_unknown(kind: penn_treebank.TextKind) -> None:
    corpus = build_penn_treebank("ptb", kind, WORDS | {"ptb.test.txt": b" the zebra \n"})
    assert corpus.vocabulary[0] == "<unk>"
    assert text_of(corpus, "test") == ("the <unk> <eos>" if kind == "words" else "the <unk>eb<unk>a\n")


def test_simple_examples_as_mikolov_packed_it() -> None:
    inside: Mapping[str, bytes] = {
        **{f"./simple-examples/data/{name}": data for name, data in (WORDS | SPELLED).items()},
        "./simple-examples/data/README": b"text",
        "./simple-examples/models/swb.rnn.model": bytes(1000),
        "./simple-examples/2-nbest-rescore/nbest.gz": b"\x1f\x8b",
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.GNU_FORMAT) as archive:
        folder = tarfile.TarInfo("./simple-examples")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, data in inside.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    files = unpack("simple-examples.tgz", out.getvalue(), FILE_BYTES, is_penn_treebank_file)
    assert files == dict(sorted((WORDS | SPELLED).items()))
    for kind in KINDS:
        assert build_penn_treebank("ptb", kind, files).digest == build_penn_treebank("ptb", kind, WORDS).digest


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"a/ptb.test.txt": b"x"}, "is there 2 times"),
        ({"ptb.test.txt": b" \n "}, "is empty"),
        ({"ptb.test.txt": b""}, "is empty"),
        ({"ptb.test.txt": b"a\0b"}, "no text"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_is_told(kind: penn_treebank.TextKind, change: dict[str, bytes], what: str) -> None:
    with pytest.raises(CorpusError, match=what) as caught:
        build_penn_treebank("ptb", kind, WORDS | change)
    assert str(caught.value).isprintable()
    with pytest.raises(CorpusError, match="is not there"):
        build_penn_treebank("ptb", kind, {"a.txt": b"text"})


# Parts


@given(st.lists(st.integers(1, 30), min_size=1, max_size=50), st.integers(1, 12))
def test_parts_are_the_whole_text_cut_between_lines_at_the_nearest_places(lengths: list[int], parts: int) -> None:
    ends = list(accumulate(lengths))
    found = cut_parts(np.array(ends), parts)
    assert found[0][0] == 0
    assert found[-1][1] == ends[-1]
    assert all(before[1] == after[0] for before, after in zip(found, found[1:], strict=False))
    assert all(start < end for start, end in found)
    for _, end in found[:-1]:
        assert end in ends
        assert any(
            abs(end - k * ends[-1] / parts) == min(abs(e - k * ends[-1] / parts) for e in ends) for k in range(parts)
        )


# The real one

COUNTS = {"words": (929_589, 73_760, 82_430), "characters": (5_017_482, 393_042, 442_423)}
DIGESTS = {
    "words": "d6e2705a73a27d8d328fd5657391401111c11feb972fc540e9838b882879fbaf",
    "characters": "c971204e44e4c33afd1d1fe499744b91233834c6765d3bffeedf3e892cf7c1f2",
}


@pytest.fixture(scope="module")
def real_files() -> dict[str, bytes]:
    return read_source(str(data_folder() / "ptb"), largest=FILE_BYTES, wanted=is_penn_treebank_file)


@pytest.mark.integration
@pytest.mark.golden
@pytest.mark.parametrize("kind", KINDS)
def test_the_real_counts_are_those_of_the_specification(
    real_files: dict[str, bytes], kind: penn_treebank.TextKind
) -> None:
    corpus = build_penn_treebank("ptb", kind, real_files)
    assert tuple(corpus.steps(split) for split in SPLITS) == COUNTS[kind]
    assert tuple(corpus.source["statistics"][split]["lines"] for split in SPLITS) == (42_068, 3_370, 3_761)
    assert corpus.width == (10_000 if kind == "words" else 50)
    assert [len(corpus.splits[split]) for split in SPLITS] == [32, 32, 32]
    assert corpus.digest == DIGESTS[kind]
    for split in SPLITS:
        lengths = [len(piece) for piece in corpus.splits[split]]
        assert max(lengths) / min(lengths) < 1.03


@pytest.mark.integration
def test_both_forms_of_the_real_characters_give_the_same_stream(real_files: dict[str, bytes]) -> None:
    for form in (True, False):
        files = {name: data for name, data in real_files.items() if ("char" in name) is form}
        assert build_penn_treebank("ptb", "characters", files).digest == DIGESTS["characters"]


@pytest.mark.integration
def test_thirty_classes_of_the_real_words_are_about_equally_heavy(real_files: dict[str, bytes]) -> None:
    corpus = build_penn_treebank("ptb", "words", real_files)
    counts = np.bincount(np.concatenate(corpus.splits["train"]), minlength=corpus.width)
    share = np.bincount(assign_classes(counts, 30), counts) / counts.sum() * 30
    assert len(share) == 30
    assert (share[:4] > 1).all(), "<unk>, the, <eos> and N are over 1/30 of the tokens each"
    assert np.abs(share[4:] - 0.95).max() < 0.28
    assert np.abs(share[10:] - 0.95).max() < 0.05
