"""Corpora of MIDI files that the tests write: with a manifest and without, whole and with bad files among them."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest

from infra.errors import ConfigurationError, CorpusError
from tasks.corpus import SPLITS, Corpus
from tasks.ingest import midi_corpus
from tasks.ingest.manifest import ManifestRow
from tasks.ingest.midi_corpus import build_midi_corpus
from tests.tasks.ingest.midi_files import midi, off, on, track, tune

SCALE = np.array([0, 2, 4, 5, 7, 9, 11])


def melody(seed: int, tonic: int = 60, notes: int = 40) -> list[int]:
    """A tune in major whose triad comes often; another for every seed."""
    degrees = np.random.default_rng(seed).choice(7, notes, p=[0.3, 0.1, 0.2, 0.1, 0.2, 0.05, 0.05])
    return [tonic, *(tonic + SCALE[degrees]).tolist(), tonic]


def build(files: dict[str, bytes], manifest: list[ManifestRow] | None = None, **options: Any) -> Corpus:
    return build_midi_corpus(
        "mine", files, manifest, options.pop("step", None), lambda done, total: None, map, **options
    )


def tunes(count: int) -> dict[str, bytes]:
    return {f"tunes/{seed:03}.mid": tune(melody(seed)) for seed in range(count)}


def heard(roll: np.ndarray) -> list[int]:
    return [int(note) + 21 for frame in roll for note in np.flatnonzero(frame)]


def row(split: str, index: int, file: str, data: bytes, frames: int, transpose: int = 0) -> ManifestRow:
    return ManifestRow("A Set", split, index, file, transpose, frames, len(data), hashlib.sha256(data).hexdigest())


def test_any_files_are_split_and_transposed_by_content() -> None:
    files = {f"{seed:03}.MID": tune(melody(seed, tonic=60 + seed % 5)) for seed in range(40)}
    corpus = build({**files, "readme.txt": b"text", "__MACOSX/._001.mid": b"\0\5\x16\7"})
    titles = [title for split in SPLITS for title in corpus.titles[split]]
    assert sorted(titles) == sorted(name.removesuffix(".MID") for name in files)
    for split in SPLITS:
        for title, roll in zip(corpus.titles[split], corpus.splits[split], strict=True):
            assert heard(roll) == melody(int(title), tonic=60)
    shares = [corpus.steps(split) / (40 * 42) for split in SPLITS]
    assert np.allclose(shares, [0.6, 0.2, 0.2], atol=0.05)
    source = corpus.source
    assert source["ignored"] == 2
    assert source["quarantined"] == {}
    assert source["minor"] == source["near_duplicates"] == source["near_duplicates_in_two_splits"] == 0
    assert {split: source["statistics"][split]["frames"] for split in SPLITS} == {
        split: corpus.steps(split) for split in SPLITS
    }


def test_neither_names_nor_order_decide_the_split() -> None:
    files = list(tunes(30).values())
    names = [f"{place}.mid" for place in range(30)]
    one, other = dict(zip(names, files, strict=True)), dict(zip(names, reversed(files), strict=True))
    first, second = build(one), build(other)
    for split in SPLITS:
        assert {piece.tobytes() for piece in first.splits[split]} == {piece.tobytes() for piece in second.splits[split]}


def test_the_same_piece_in_another_key_is_in_the_same_split_and_counted() -> None:
    files = tunes(20)
    again = {f"again/{seed}.mid": tune(melody(seed, tonic=65)[3:]) for seed in range(20)}
    corpus = build({**files, **again})
    split_of = {title: split for split in SPLITS for title in corpus.titles[split]}
    assert len(split_of) == 40
    assert all(split_of[f"tunes/{seed:03}"] == split_of[f"again/{seed}"] for seed in range(20))
    assert corpus.source["near_duplicates"] == 20
    assert corpus.source["near_duplicates_in_two_splits"] == 0


@pytest.mark.parametrize("above", ["", "My Set/"])
def test_folders_of_splits_are_kept(above: str) -> None:
    files = {f"{above}{split}/{seed}.mid": tune(melody(seed)) for seed, split in enumerate([*SPLITS, "test"])}
    files[f"{above}valid/again.mid"] = tune(melody(0, tonic=62))
    corpus = build(files)
    assert {split: len(corpus.titles[split]) for split in SPLITS} == {"train": 1, "valid": 2, "test": 2}
    assert corpus.titles["train"] == (f"{above}train/0",)
    assert corpus.source["near_duplicates"] == corpus.source["near_duplicates_in_two_splits"] == 1


def test_files_outside_of_the_folders_of_splits_are_named() -> None:
    files = {f"{split}/a.mid": tune(melody(1)) for split in SPLITS}
    with pytest.raises(CorpusError, match=r"mine: 'b.mid' is in no split, and others are; move it"):
        build({**files, "b.mid": tune(melody(2))})


def test_a_split_without_a_piece_is_an_error() -> None:
    with pytest.raises(CorpusError, match="of 2 pieces none is for the test split"):
        build({"train/a.mid": tune(melody(1)), "valid/b.mid": tune(melody(2))})
    with pytest.raises(CorpusError, match="of 20 pieces none is for the valid split, for like ones stay together"):
        build({f"{seed}.mid": tune(melody(1, tonic=50 + seed)) for seed in range(20)})


def test_a_step_can_be_given_and_the_first_cell_kept() -> None:
    files = {f"{split}/a.mid": tune(melody(seed), length=240, rest=0) for seed, split in enumerate(SPLITS)}
    assert [len(build(files).splits[split][0]) for split in SPLITS] == [41] * 3
    assert [len(build(files, keep_first=True).splits[split][0]) for split in SPLITS] == [42] * 3
    finer = build(files, step=60, keep_first=True)
    assert [len(finer.splits[split][0]) for split in SPLITS] == [168] * 3
    assert (finer.source["frame"], finer.source["first_cell"]) == ("60 ticks", "kept")
    with pytest.raises(ConfigurationError, match="step 0: a frame has 1 tick or more"):
        build(files, step=0)


BAD = {
    "cut.mid": (tune(melody(1))[:-9], "the chunk at byte 14 is longer than the file"),
    "text.mid": (b"this is no music", "not a standard MIDI file"),
    "silent.mid": (midi(track()), "no note sounds in a frame"),
    "short.mid": (midi(track(on(0, 60), off(9, 60))), "no note sounds in a frame"),
    "long.mid": (midi(track(on(0, 60), off(10**7, 60)), division=2), "10,000,000 frames, over the limit"),
}


def test_bad_files_are_set_aside_with_their_reasons() -> None:
    corpus = build({**tunes(95), **{name: data for name, (data, _) in BAD.items()}})
    assert sum(len(corpus.titles[split]) for split in SPLITS) == 95
    assert corpus.source["quarantined"].keys() == BAD.keys()
    for name, (_, reason) in BAD.items():
        assert reason in corpus.source["quarantined"][name]
    assert corpus.digest == build(tunes(95)).digest


def test_one_bad_file_of_a_few_stops_nothing_and_more_than_a_share_does() -> None:
    bad = {name: data for name, (data, _) in BAD.items()}
    assert list(build({**tunes(12), "text.mid": BAD["text.mid"][0]}).source["quarantined"]) == ["text.mid"]
    with pytest.raises(CorpusError, match=r"mine: 5 of 99 MIDI files cannot be used, over 5%.* first 'cut.mid': the"):
        build({**tunes(94), **bad})
    with pytest.raises(CorpusError, match="1 of 1 MIDI files cannot be used"):
        build({"text.mid": b"text"})
    with pytest.raises(CorpusError, match=r"no file of 1 ends in \.mid or \.midi"):
        build({"readme.txt": b"text"})


def test_a_manifest_says_order_split_and_transposition() -> None:
    files = {f"A Set/{split}/{name}.mid": tune(melody(seed)) for seed, split in enumerate(SPLITS) for name in "ab"}
    rows = [
        row(split, index, f"{name}.mid", files[f"A Set/{split}/{name}.mid"], 42, transpose=3)
        for split in reversed(SPLITS)
        for index, name in enumerate("ba")
    ]
    corpus = build({**files, "A Set/train/c.mid": tune(melody(9))}, rows)
    assert corpus.titles == dict.fromkeys(SPLITS, ("b", "a"))
    assert heard(corpus.splits["valid"][0]) == melody(1, tonic=63)
    assert corpus.source["ignored"] == 1


def test_what_is_not_as_the_manifest_says_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_corpus, "MOST_LOST", 0.5)
    files = {f"{split}/{name}.mid": tune(melody(seed)) for seed, split in enumerate(SPLITS) for name in "abcd"}
    rows = [
        row(split, index, f"{name}.mid", files[f"{split}/{name}.mid"], 42)
        for split in SPLITS
        for index, name in enumerate("abcd")
    ]
    rows[1] = row("train", 1, "b.mid", files["train/b.mid"], 43)
    files["train/c.mid"] += b"\0"
    del files["train/d.mid"]
    corpus = build(files, rows)
    assert corpus.titles["train"] == ("a",)
    assert corpus.source["quarantined"] == {
        "train/d.mid": "it is in the manifest, and not among the files",
        "train/b.mid": "it has 42 frames, but 43 by the manifest",
        "train/c.mid": "its sha256 is not the manifest's: it is another file, or was changed",
    }


def test_the_frames_of_all_files_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_corpus, "MAX_ALL_FRAMES", 20 * 42)
    assert sum(build(tunes(20)).steps(split) for split in SPLITS) == 20 * 42
    with pytest.raises(CorpusError, match="mine: over 840 frames in all; give fewer files, or a larger step"):
        build(tunes(21))


def test_workers_get_files_together_and_tell_how_far_they_are() -> None:
    calls: list[tuple[int, int]] = []
    batches: list[int] = []

    def in_processes(function: Callable[[Any], Any], values: Iterable[Any]) -> Iterable[Any]:
        values = list(values)
        batches.extend(len(value) for value in values)
        with ProcessPoolExecutor(2) as pool:
            return list(pool.map(function, values))

    corpus = build_midi_corpus(
        "mine", tunes(100), None, None, lambda done, total: calls.append((done, total)), in_processes
    )
    assert batches == [32, 32, 32, 4]
    assert calls == [(32, 100), (64, 100), (96, 100), (100, 100)]
    assert corpus.digest == build(tunes(100)).digest
