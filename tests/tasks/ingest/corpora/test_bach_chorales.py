"""The chorales: rules on small scores, a handful of the real ones, and (integration) all of them."""

import re
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pytest

from infra.errors import CorpusError
from tasks.corpus.corpus import Corpus
from tasks.ingest.building.recipe import Rejected
from tasks.ingest.building.splits import group, linked_pairs
from tasks.ingest.corpora.bach_chorales import (
    BACH_CHORALES,
    LIKENESS,
    Piece,
    build,
    melody_steps,
    parse_piece,
    read_inputs,
)
from tasks.ingest.readers.musicxml import read_parts
from tests.tasks.ingest.corpora.whole import built
from tests.tasks.ingest.melodies import runs
from tests.tasks.ingest.scores import divisions, heard, note, parse_with_music21, rest, score

# The keys that the Neue Bach-Ausgabe prints, tonic as a pitch class.
KNOWN_KEYS = {
    "bwv269": (7, "major"),
    "bwv347": (9, "major"),
    "bwv66.6": (6, "minor"),
    "bwv281": (5, "major"),
    "bwv227.1": (4, "minor"),
    "bwv40.8": (5, "minor"),
    "bwv154.8": (2, "major"),
}
# "Jesu, meine Freude", five times in three cantatas, a motet and alone; then two other tunes.
SAME_TUNE = ("bwv227.1", "bwv227.7", "bwv227.11", "bwv358", "bwv64.8")
OTHER_TUNES = ("bwv269", "bwv281")


def parse(stem: str) -> Piece:
    piece = parse_piece((f"{stem}.mxl", read_inputs()[f"{stem}.mxl"]))
    assert isinstance(piece, Piece)
    return piece


def choir(*pitches: tuple[str, int], duration: int = 1) -> list[list[str]]:
    """Four parts of one measure with one note each."""
    return [[divisions(1) + note(step, octave, duration)] for step, octave in pitches]


C_MAJOR = (("E", 5), ("C", 5), ("G", 4), ("C", 3))


@pytest.mark.parametrize("stem", KNOWN_KEYS)
def test_known_pieces_come_to_c(stem: str) -> None:
    piece = parse(stem)
    assert piece.key == KNOWN_KEYS[stem]
    last = np.flatnonzero(piece.roll[-1])
    assert (int(last[0]) + 21) % 12 == 0, "the last chord stands on C"


@pytest.mark.parametrize("stem", ["bwv269", "bwv66.6", "bwv371"])
def test_rolls_are_what_music21_hears_at_the_quarter_notes(stem: str) -> None:
    name = f"{stem}.mxl"
    notes = [item for part in parse_with_music21(name, read_inputs()[name]) for item in part]
    piece = parse(stem)
    shift = (-piece.key.tonic + 5) % 12 - 5
    for frame, row in enumerate(piece.roll):
        expected = sorted({pitch + shift for start, end, pitch in notes if start <= frame < end})
        assert (np.flatnonzero(row) + 21).tolist() == expected
    assert len(piece.roll) - 1 < max(end for _, end, _ in notes) <= len(piece.roll)


def test_one_tune_harmonised_again_is_one_melody_and_others_are_others() -> None:
    melodies = [parse(stem).steps for stem in (*SAME_TUNE, *OTHER_TUNES)]
    groups = group(len(melodies), linked_pairs(melodies, LIKENESS))
    assert groups == [[0, 1, 2, 3, 4], [5], [6]]


def test_the_melody_is_the_first_part_at_the_onsets_without_rests_and_repetitions() -> None:
    measure = divisions(2) + note("C", 5, 2) + note("D", 5, 1) + note("B", 4, 1) + note("D", 5, 2) + rest(2)
    measure += note("D", 5, 2) + note("G", 4, 4)
    part = read_parts("a.xml", score([measure]).encode())[0]
    assert melody_steps(part) == (2, -7)


def test_of_a_divided_first_part_the_upper_voice_is_the_melody() -> None:
    measure = (
        divisions(1) + note("E", 5, 1) + note("C", 5, 1, "<chord/>") + note("C", 5, 1) + note("F", 5, 1, "<chord/>")
    )
    part = read_parts("a.xml", score([measure]).encode())[0]
    assert melody_steps(part) == (1,)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (choir(*C_MAJOR[:3]), "3 parts, not 4"),
        (choir(*C_MAJOR, ("C", 2)), "5 parts, not 4"),
        ([*choir(*C_MAJOR[:3]), [divisions(1) + note("C", 3, 2)]], "measures of different length"),
        ([[divisions(1) + rest(1)], *choir(*C_MAJOR[1:])], "no note in its first part"),
    ],
)
def test_what_is_no_chorale_is_set_aside_with_its_reason(parts: list[list[str]], reason: str) -> None:
    rejected = parse_piece(("a.xml", score(*parts).encode()))
    assert isinstance(rejected, Rejected)
    assert reason in rejected.reason


def small_collection() -> dict[str, bytes]:
    """Six unlike chorales, one file that is broken, and one that is Humdrum."""
    inputs = {}
    for number, step in enumerate("CDEFGA"):
        tops = "".join(note(other, 5, 1) for other in (step, "B", step, "FGABCD"[number], "C", step))
        lower = divisions(1) + note("C", 4, 6)
        inputs[f"bwv{number}.xml"] = score([divisions(1) + tops], *[[lower]] * 3).encode()
    inputs["bwv7.mxl"] = b"not a zip"
    inputs["bwv8.krn"] = b"**kern"
    return inputs


def test_a_broken_file_stops_nothing_and_is_named() -> None:
    seen: list[tuple[int, int]] = []
    corpus = build(small_collection(), lambda *done: seen.append(done), map)
    assert list(corpus.source["quarantined"]) == ["bwv7.mxl", "bwv8.krn"]
    assert "not a readable MusicXML" in corpus.source["quarantined"]["bwv7.mxl"]
    assert seen == [(done, 8) for done in range(1, 9)]
    assert sum(map(len, corpus.splits.values())) == 6


def test_a_map_over_workers_gives_the_same_corpus() -> None:
    inputs = small_collection()
    with ThreadPoolExecutor(2) as workers:
        spread = build(inputs, lambda done, total: None, workers.map)
    assert spread.digest == build(inputs, lambda done, total: None, map).digest


def test_names_decide_nothing_but_the_titles() -> None:
    inputs = small_collection()
    renamed = {f"{9 - number}.xml": data for number, data in enumerate(inputs.values())}
    straight, other = (build(files, lambda done, total: None, map) for files in (inputs, renamed))
    for split in straight.splits:
        assert sorted(piece.tobytes() for piece in straight.splits[split]) == sorted(
            piece.tobytes() for piece in other.splits[split]
        )


def test_too_little_for_three_splits_is_an_error() -> None:
    only = score(*choir(*C_MAJOR)).encode()
    with pytest.raises(CorpusError, match="no piece in the valid split"):
        build({"a.xml": only}, lambda done, total: None, map)


# --- all of them ---


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return built("bach-chorales")[0]


@pytest.mark.integration
@pytest.mark.golden
def test_the_counts_and_the_digest_are_pinned(corpus: Corpus) -> None:
    """They belong to music21 10.5 and to these rules; whoever changes a rule raises its version and these."""
    assert {split: (len(pieces), corpus.steps(split)) for split, pieces in corpus.splits.items()} == {
        "train": (218, 11909),
        "valid": (75, 3961),
        "test": (72, 3994),
    }
    reasons = Counter(reason.split()[0] for reason in corpus.source["quarantined"].values())
    assert reasons == {"Humdrum": 3, "1": 1, "5": 16, "6": 5, "7": 7, "8": 12, "9": 1, "12": 1, "14": 1, "15": 1}
    assert corpus.digest == "2a544d2899f63965adb63a332ba7f3d8a882dae4ff95f9710b414521d3ceba8a"
    assert BACH_CHORALES.rules == 1


@pytest.mark.integration
def test_no_run_of_a_melody_is_in_two_splits(corpus: Corpus) -> None:
    inputs = read_inputs()
    seen = {}
    for split, titles in corpus.titles.items():
        suffix = {title: next(name for name in inputs if name.rpartition(".")[0] == title) for title in titles}
        melodies = [parse_piece((name, inputs[name])) for name in suffix.values()]
        seen[split] = {
            run for piece in melodies if isinstance(piece, Piece) for run in runs(piece.steps, LIKENESS.long)
        }
        assert len(seen[split]) > 1000
    assert not any(seen[one] & seen[other] for one, other in combinations(seen, 2))


@pytest.mark.integration
def test_chorales_of_one_title_in_two_splits_are_known_to_be_different_tunes(corpus: Corpus) -> None:
    """music21's list of titles knows nothing of our steps. docs/data.md says which tunes these are."""
    from music21.corpus.chorales import ChoraleList, ChoraleListRKBWV

    titles: dict[str, set[str]] = {}
    for numbering in (ChoraleListRKBWV(), ChoraleList()):
        for number, entry in numbering.byBWV.items():
            letters = unicodedata.normalize("NFKD", entry["title"].lower())
            titles.setdefault(f"bwv{number}", set()).add(re.sub("[^a-z]", "", letters))
    split_of = {title: split for split, found in corpus.titles.items() for title in found if title in titles}
    same = [(one, other) for one, other in combinations(sorted(split_of), 2) if titles[one] & titles[other]]
    apart = {(one, other) for one, other in same if split_of[one] != split_of[other]}
    assert (len(split_of), len(same)) == (334, 185)
    assert apart == {
        ("bwv14.5", "bwv257"),
        ("bwv24.6", "bwv398"),
        ("bwv24.6", "bwv45.7"),
        ("bwv244.37", "bwv367"),
        ("bwv36.8-2", "bwv62.6"),
        ("bwv363", "bwv364"),
        ("bwv398", "bwv399"),
        ("bwv399", "bwv45.7"),
        ("bwv405", "bwv406"),
    }


@pytest.mark.integration
def test_every_note_is_where_music21_has_it(corpus: Corpus) -> None:
    """Every fifth score: music21 takes 17 s for all 365, which were compared once, and were equal."""
    first = {name.rpartition(".")[0]: (name, data) for name, data in reversed(read_inputs().items())}
    chosen = [first[title] for titles in corpus.titles.values() for title in titles][::5]
    assert len(chosen) == 73
    for file in chosen:
        assert [heard(part.notes) for part in read_parts(*file)] == parse_with_music21(*file), file[0]
