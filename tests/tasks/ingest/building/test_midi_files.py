"""Corpora of MIDI files that the tests write: with a manifest and without, whole and with bad files among them."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.building import lost
from tasks.ingest.building import midi_files as midi_corpus
from tasks.ingest.building.lost import NO_WISHES, Selection
from tasks.ingest.building.midi_files import build_midi_corpus
from tasks.ingest.building.midi_piece import OFFICIAL, OWN, Rules
from tasks.ingest.readers.manifest import ManifestRow
from tasks.ingest.sources.unread import Files, Unread
from tests.tasks.ingest.midi_files import event, midi, off, on, track, tune

SCALE = np.array([0, 2, 4, 5, 7, 9, 11])


def melody(seed: int, tonic: int = 60, notes: int = 40) -> list[int]:
    """A tune in major whose triad comes often; another for every seed."""
    degrees = np.random.default_rng(seed).choice(7, notes, p=[0.3, 0.1, 0.2, 0.1, 0.2, 0.05, 0.05])
    return [tonic, *(tonic + SCALE[degrees]).tolist(), tonic]


def build(
    files: dict[str, bytes],
    manifest: list[ManifestRow] | None = None,
    rules: Rules = OFFICIAL,
    selection: Selection = NO_WISHES,
    **changes: Any,
) -> Corpus:
    rules = replace(rules, **changes)
    return build_midi_corpus("mine", files, manifest, rules, lambda done, total: None, map, selection)


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


@pytest.mark.parametrize("spelled", [("Train", "Valid", "Test"), ("a/training", "a/VAL", "b/c/Testing")])
def test_folders_of_splits_in_other_spellings_are_kept(spelled: tuple[str, ...]) -> None:
    files = {f"{folder}/{n}.mid": tune(melody(n)) for n, folder in enumerate(spelled)}
    corpus = build(files)
    assert corpus.titles == {
        split: (f"{folder}/{n}",) for n, (split, folder) in enumerate(zip(SPLITS, spelled, strict=True))
    }


def test_a_lone_folder_called_test_is_a_word_like_any_other_and_it_is_told() -> None:
    corpus = build({**tunes(20), "program/test/a.mid": tune(melody(99))}, rules=OWN)
    assert sum(len(corpus.titles[split]) for split in SPLITS) == 21
    told = "split by content: the name of 'program/test/a.mid' is not taken for the test split, alone as it is"
    assert told in corpus.source["told"]


@pytest.mark.parametrize("above", ["", "My Set/"])
def test_folders_of_splits_are_kept(above: str) -> None:
    files = {f"{above}{split}/{seed}.mid": tune(melody(seed)) for seed, split in enumerate([*SPLITS, "test"])}
    files[f"{above}valid/again.mid"] = tune(melody(0, tonic=62))
    corpus = build(files)
    assert {split: len(corpus.titles[split]) for split in SPLITS} == {"train": 1, "valid": 2, "test": 2}
    assert corpus.titles["train"] == (f"{above}train/0",)
    assert corpus.source["near_duplicates"] == corpus.source["near_duplicates_in_two_splits"] == 1


def test_files_outside_of_the_folders_of_splits_are_set_aside_while_they_are_few() -> None:
    files = {f"{split}/a.mid": tune(melody(seed)) for seed, split in enumerate(SPLITS)}
    corpus = build({**files, "b.mid": tune(melody(9))})
    assert corpus.source["quarantined"].keys() == {"b.mid"}
    assert corpus.digest == build(files).digest
    with pytest.raises(CorpusError, match=r"12 of 15 .* used\. tunes/000.*: in no split, .* by --by-content"):
        build({**files, **tunes(12)})
    by_content = build({**files, **tunes(12)}, selection=Selection(by_content=True))
    assert sum(len(by_content.titles[split]) for split in SPLITS) == 15
    assert by_content.source["near_duplicates_in_two_splits"] == 0


def test_a_split_without_a_piece_is_an_error() -> None:
    with pytest.raises(CorpusError, match="names are taken for splits, 'train/a.mid' for train, and none is for test;"):
        build({"train/a.mid": tune(melody(1)), "valid/b.mid": tune(melody(2))})
    few = {"test/a.mid": b"none", **{f"{split}/{n}.mid": tune(melody(n)) for n in range(9) for split in SPLITS[:2]}}
    with pytest.raises(CorpusError, match="no piece for the test split, of 18 pieces in 9 groups of like ones"):
        build(few)
    with pytest.raises(CorpusError, match="no piece for the valid and the test split, of 20 pieces in 1 group of like"):
        build({f"{seed}.mid": tune(melody(1, tonic=50 + seed)) for seed in range(20)})


def test_a_step_can_be_given_and_the_first_cell_kept() -> None:
    files = {f"{split}/a.mid": tune(melody(seed), length=240, rest=0) for seed, split in enumerate(SPLITS)}
    assert [len(build(files).splits[split][0]) for split in SPLITS] == [41] * 3
    assert [len(build(files, keep_first=True).splits[split][0]) for split in SPLITS] == [42] * 3
    finer = build(files, ticks=60, keep_first=True)
    assert [len(finer.splits[split][0]) for split in SPLITS] == [168] * 3
    assert (finer.source["frame"], finer.source["first_cell"]) == ("60 ticks", "kept")


BAD = {
    "cut.mid": (tune(melody(1))[:-9], "the chunk at byte 14 is longer than the file"),
    "text.mid": (b"this is no music", "not a standard MIDI file"),
    "silent.mid": (midi(track()), "it has no note"),
    "short.mid": (midi(track(on(0, 60), off(9, 60))), "no note sounds in a frame"),
    "long.mid": (midi(track(on(0, 60), off(10**6, 60)), division=2), "1,000,000 frames, over the limit"),
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
    with pytest.raises(
        CorpusError, match=r"mine: 5 of 99 MIDI files cannot be used\. cut.mid: the chunk at byte 14"
    ) as caught:
        build({**tunes(94), **bad})
    assert all(name in str(caught.value) for name in bad), "all are named"
    assert str(caught.value).endswith(
        ". Over 5% are too many: take them out, or go on without them by --most-lost 0.06"
    )
    assert len(build({**tunes(94), **bad}, selection=Selection(most_lost=0.06)).source["quarantined"]) == 5
    with pytest.raises(
        CorpusError, match="none of 1 MIDI files can be used. text.mid: not a standard MIDI file.*. Give others"
    ):
        build({"text.mid": b"text"}, selection=Selection(most_lost=1))
    with pytest.raises(CorpusError, match=r"mine: 1 \.mxl, 1 \.txt, and no file ends in \.mid, \.midi or \.rmi"):
        build({"readme.txt": b"text", "a.mxl": b""})


def test_what_was_not_read_is_set_aside_or_counted_and_told() -> None:
    files = Files(tunes(30))
    files.unread = Unread({"big.mid": "over the limit of 9 bytes"}, {".mxl": 2, ".txt": 1})
    corpus = build(files.as_inputs(), rules=OWN)
    assert corpus.source["quarantined"] == {"big.mid": "over the limit of 9 bytes"}
    assert corpus.source["ignored"] == 3
    assert corpus.source["origin"].startswith("31 MIDI files")
    told = "3 other files ignored (2 .mxl, 1 .txt): what ends in .mid, .midi or .rmi is read"
    assert told in corpus.source["told"]
    assert corpus.digest == build(tunes(30), rules=OWN).digest


def test_of_two_titles_alike_both_have_their_endings() -> None:
    files = {**tunes(20), "tunes/000.midi": tune(melody(99)), "tunes/001.MID": tune(melody(98))}
    titles = [title for split in SPLITS for title in build(files).titles[split]]
    assert len(set(titles)) == 22
    assert {"tunes/000.mid", "tunes/000.midi", "tunes/001.mid", "tunes/001.MID", "tunes/002"} < set(titles)


def own(files: dict[str, bytes], **changes: Any) -> Corpus:
    """The corpus of people's own files, a copy of them in each split."""
    return build({f"{split}/{name}": data for split in SPLITS for name, data in files.items()}, None, OWN, **changes)


def with_drums(tonic: int, length: int = 240) -> bytes:
    """A tune, and a drum under every note."""
    hits = [part for _ in range(42) for part in (on(0, 36, channel=9), off(length, 36, channel=9), event(0, 0xC0, 0))]
    return midi(track(*(part for pitch in melody(1, tonic) for part in (on(0, pitch), off(240, pitch)))), track(*hits))


def test_drums_of_own_files_are_left_out_or_stay_where_they_are_and_that_is_told() -> None:
    for tonic in (60, 62, 65):
        files = {"a.mid": with_drums(tonic)}
        without, kept, official = own(files), own(files, drums="kept"), own(files, drums="notes")
        assert heard(without.splits["train"][0]) == melody(1, tonic=60)
        assert set(np.flatnonzero((kept.splits["train"][0] > without.splits["train"][0]).any(axis=0))) == {36 - 21}
        assert np.array_equal(kept.splits["train"][0][:, 60 - 21 :], without.splits["train"][0][:, 60 - 21 :])
        assert official.digest not in (without.digest, kept.digest)
        assert without.source["drums"] == {"notes": 3 * 42, "files": 3, "rule": "left out"}
        assert "126 notes of drums (channel 10) in 3 files left out; --drums keeps them" in without.source["told"]
        assert kept.source["drums"]["rule"] == "kept"
        assert any("126 notes of drums (channel 10) in 3 files kept where they are" in of for of in kept.source["told"])
        assert "told" not in official.source
    assert not any("drums" in of for of in own({"a.mid": tune(melody(1))}).source["told"])


def test_drums_are_not_heard_for_the_key() -> None:
    """Long drums on F sharp would move a tune in C."""
    hits = [part for _ in range(42) for part in (on(0, 42, channel=9), off(240, 42, channel=9))]
    lead = [part for pitch in melody(1) for part in (on(0, pitch), off(240, pitch))]
    files = {"a.mid": midi(track(*lead), *[track(*hits)] * 3)}
    assert heard(own(files, drums="kept").splits["train"][0])[1::2] == melody(1)


def test_drums_alone_are_set_aside_with_the_way_on() -> None:
    loop = midi(track(*(part for _ in range(9) for part in (on(230, 36, channel=9), off(10, 36, channel=9)))))
    with pytest.raises(CorpusError, match=r"all its notes are drums \(channel 10\), which are left out: --drums keeps"):
        own({"a.mid": loop})
    with pytest.raises(CorpusError, match="shorter than a frame, 1/2 of a quarter note: --step 1/64 has half"):
        own({"a.mid": loop}, drums="kept")
    assert set(heard(own({"a.mid": loop}, drums="kept", quarters=Fraction(1, 64)).splits["test"][0])) == {36}


@pytest.mark.parametrize(
    ("data", "told"),
    [(midi(track()), "it has no note"), (midi(track(on(0, 60), off(0, 60))), "none of its notes has a length")],
)
def test_why_a_file_is_silent_is_told(data: bytes, told: str) -> None:
    with pytest.raises(CorpusError, match=told):
        own({"a.mid": data})


def test_notes_too_short_for_a_frame_are_counted_and_told_from_a_tenth_on() -> None:
    def mixed(short: int) -> dict[str, bytes]:
        hits = [part for _ in range(short) for part in (on(0, 72), off(20, 72), on(0, 60), off(220, 60))]
        held = [part for _ in range(40 - 2 * short) for part in (on(0, 62), off(240, 62))]
        return {"a.mid": midi(track(*hits, *held))}

    few, many = own(mixed(2)), own(mixed(4))
    assert few.source["notes"] == {"read": 3 * 40, "in_no_frame": 3 * 2, "share_in_no_frame": 0.05}
    assert few.source["told"][0] == "a frame is 1/2 of a quarter note"
    assert not any("shorter" in of for of in few.source["told"])
    assert many.source["told"][1] == (
        "10% of the notes (12 of 120) are shorter than a frame, 1/2 of a quarter note, and in none;"
        " a smaller --step, as 1/4, has most of them"
    )
    assert not any("shorter" in of for of in own(mixed(4), quarters=Fraction(1, 32)).source["told"])


def test_the_step_that_is_suggested_is_of_the_pieces_that_lose_notes() -> None:
    short = midi(track(*(part for _ in range(200) for part in (on(0, 72), off(20, 72), on(0, 60), off(220, 60)))))
    told = own({**tunes(20), "short.mid": short}).source["told"]
    assert any("are shorter than a frame" in line and "a smaller --step, as 1/32, has most" in line for line in told)


def test_a_step_in_parts_of_a_quarter_note_is_one_length_whatever_the_divisions() -> None:
    pitches = melody(1)
    files = {f"{division}.mid": tune(pitches, division // 2, division, rest=0) for division in (48, 96, 480, 1000)}
    for quarters, repeats in ((Fraction(1, 2), 1), (Fraction(1, 16), 8)):
        corpus = own(files, quarters=quarters)
        assert corpus.quarters == float(quarters)
        assert len({roll.tobytes() for roll in corpus.splits["train"]}) == 1
        assert heard(corpus.splits["train"][0][::repeats]) == pitches
    assert own(files, quarters=Fraction(1)).digest != own(files, quarters=Fraction(2)).digest


def test_a_step_in_ticks_wants_one_division() -> None:
    files = {f"{seed}.mid": tune(melody(seed), division=96) for seed in range(2)}
    assert own(files, ticks=24).quarters == 0.25
    with pytest.raises(CorpusError, match=r"60 ticks is not one .*: 96 in 6 files, 480 in 3 files; give"):
        own({**files, "c.mid": tune(melody(3))}, ticks=60)


def test_own_files_keep_their_first_half_frame() -> None:
    chord = midi(track(on(0, 60), on(0, 64), off(240, 60), off(0, 64)))
    assert heard(own({"a.mid": chord}).splits["train"][0]) == [60, 64]
    assert own({"a.mid": chord}).source["first_cell"] == "kept"


def test_equal_arrays_of_another_speed_are_another_corpus() -> None:
    slow = own({"a.mid": tune(melody(1), 480, rest=0)}, quarters=Fraction(1))
    fast = own({"a.mid": tune(melody(1), 240, rest=0)}, quarters=Fraction(1, 2))
    assert np.array_equal(slow.splits["train"][0], fast.splits["train"][0])
    assert slow.digest != fast.digest
    assert replace(slow, quarters=None).digest == replace(fast, quarters=None).digest


def test_takes_of_own_pieces_are_in_one_split_whatever_the_grid_and_that_is_told() -> None:
    """Twice as slow, in another key, and with a grace note here and there: no run of 16 equal steps on a grid."""

    def take(seed: int, slow: int) -> bytes:
        notes = melody(seed, notes=120)
        graced = [[pitch + 1, pitch] if place % 16 == 15 else [pitch] for place, pitch in enumerate(notes)]
        return tune([pitch + 1 for pitches in graced for pitch in pitches] if slow else notes, 120 * (1 + slow))

    files = {f"{seed:02}-{slow}.mid": take(seed, slow) for seed in range(20) for slow in range(2)}
    corpus = build(files, None, OWN)
    split_of = {title: split for split in SPLITS for title in corpus.titles[split]}
    assert all(split_of[f"{seed:02}-0"] == split_of[f"{seed:02}-1"] for seed in range(20))
    assert (
        "40 pieces are takes or copies of others, in 20 groups of up to 2; each is in one split"
        in corpus.source["told"]
    )
    assert build(files, None, OWN, quarters=Fraction(1, 8)).titles == corpus.titles
    parted = {f"{SPLITS[slow]}/{seed}.mid": take(seed, slow) for seed in range(3) for slow in range(2)}
    apart = build({**parted, "test/a.mid": tune(melody(9))}, None, OWN)
    assert apart.source["near_duplicates_in_two_splits"] == 3
    assert "3 groups of them in two splits, as the folders are: no test on new music" in apart.source["told"]


def test_files_whose_header_is_wrong_are_read_and_told() -> None:
    lead = track(*(part for pitch in melody(1) for part in (on(0, pitch), off(240, pitch))))
    corpus = own({"a.mid": midi(track(), lead, tracks=1)})
    assert heard(corpus.splits["train"][0]) == melody(1)
    odd = "its header says 1 track, and it has 2"
    assert corpus.source["odd"] == {f"{split}/a.mid": odd for split in SPLITS}
    assert corpus.source["told"][1] == f"3 files, 'test/a.mid' first, read by what is in it: {odd}"


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
    monkeypatch.setattr(lost, "MOST_LOST", 0.5)
    files = {f"{split}/{name}.mid": tune(melody(seed)) for seed, split in enumerate(SPLITS) for name in "abcd"}
    rows = [
        row(split, index, f"{name}.mid", files[f"{split}/{name}.mid"], 42)
        for split in SPLITS
        for index, name in enumerate("abcd")
    ]
    rows[1] = row("train", 1, "b.mid", files["train/b.mid"], 43)
    files["train/c.mid"] += b"\0"
    del files["train/d.mid"]
    with monkeypatch.context() as patched:
        patched.setattr(lost, "MOST_LOST", 0.05)
        with pytest.raises(
            CorpusError, match=r"3 of 12 MIDI files cannot be used. .* are too many for this set: fetch it again$"
        ):
            build(files, rows)
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
        "mine", tunes(100), None, OFFICIAL, lambda done, total: calls.append((done, total)), in_processes
    )
    assert batches == [32, 32, 32, 4]
    assert calls == [(32, 100), (64, 100), (96, 100), (100, 100)]
    assert corpus.digest == build(tunes(100)).digest
