"""Fingerprints and the groups of like pieces: takes of made pieces in free time, and strangers that share formulas."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ingest.building import likeness
from tasks.ingest.building.fingerprint import RUN, fingerprint
from tasks.ingest.building.likeness import LEVELS, like_groups
from tasks.ingest.readers.midi import DRUMS, MidiNotes

SCALE = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19, 21, 23])
Note = tuple[float, float, int]


def piece(seed: int, chords: int = 150) -> list[Note]:
    """A melody over chords: start and length in quarter notes, and pitch, of each note."""
    generator = np.random.default_rng(seed)
    notes: list[Note] = []
    for beat in range(chords):
        notes += [(beat + half / 2, 0.5, 60 + int(generator.choice(SCALE))) for half in range(2)]
        root = int(generator.integers(36, 50))
        notes += [(beat, 1.0, root), (beat, 1.0, root + 7)]
    return notes


def written(notes: Sequence[Note], division: int = 480, semitones: int = 0, channel: int = 0) -> MidiNotes:
    """Notes on the grid."""
    start, length, pitch = np.array(notes, float).reshape(-1, 3).T
    begin, end = (np.rint(time * division).astype(np.int64) for time in (start, start + length))
    return MidiNotes(division, begin, end, pitch.astype(np.int64) + semitones, np.full(len(begin), channel, np.int64))


def played(notes: Sequence[Note], seed: int, semitones: int = 0) -> MidiNotes:
    """A take: a tempo that wanders between half and double, chords spread, wrong and missing notes."""
    generator = np.random.default_rng(seed)
    knots = np.cumsum(np.exp(generator.uniform(-0.7, 0.7, 60)))
    ends = max(start + length for start, length, _ in notes)
    take = []
    for start, length, pitch in notes:
        if generator.random() < 0.03:
            continue
        wrong = int(generator.choice([-1, 1, 2])) if generator.random() < 0.03 else 0
        at = float(np.interp(start, np.linspace(0, ends, 60), knots / knots[-1] * ends * 1.3))
        take.append((max(0.0, at + generator.normal(0, 0.012)), length, pitch + wrong))
    return written(take, division=int(generator.choice([96, 384, 1000, 32767])), semitones=semitones)


def groups_of(pieces: Sequence[MidiNotes]) -> list[list[int]]:
    return like_groups([fingerprint(notes) for notes in pieces])


def test_takes_in_free_time_are_alike_and_strangers_are_not() -> None:
    takes = [played(piece(number), 100 * number + take, take) for number in range(8) for take in range(4)]
    scores = [written(piece(number)) for number in range(8)]
    assert groups_of([*takes, *scores]) == [[*range(4 * number, 4 * number + 4), 32 + number] for number in range(8)]


FORMULAS = {
    "trill": [72, 74] * 200,
    "scale": [*range(60, 84), *range(84, 60, -1)] * 8,
    "ostinato": [60, 67, 64, 67, 60, 65, 64, 72] * 50,
}


def formula(kind: str) -> list[Note]:
    """A long one, in 32nd notes."""
    return [(place / 8, 0.125, pitch) for place, pitch in enumerate(FORMULAS[kind])]


@pytest.mark.parametrize("kind", FORMULAS)
def test_strangers_that_share_a_formula_stay_strangers(kind: str) -> None:
    strangers = [
        written([*formula(kind), *((start + 60, length, pitch) for start, length, pitch in piece(number))])
        for number in range(6)
    ]
    assert groups_of(strangers) == [[number] for number in range(6)]


def test_a_melody_is_like_the_piece_that_it_is_taken_from() -> None:
    whole = [piece(number) for number in range(5)]
    melodies = [[note for note in notes if note[2] >= 60] for notes in whole]
    assert groups_of([*map(written, whole), *map(written, melodies)]) == [[number, 5 + number] for number in range(5)]


def test_short_pieces_are_not_alike_for_a_run_or_two_and_copies_always_are() -> None:
    cadence = [72, 71, 72, 74, 71, 67, 72, 60]
    short = [
        written([(place, 1.0, pitch) for place, pitch in enumerate([*(60 + SCALE[degrees]).tolist(), *cadence])])
        for degrees in np.random.default_rng(1).integers(0, 14, (9, 16))
    ]
    assert groups_of(short) == [[number] for number in range(9)]
    tiny = [written([(0, 1, 60), (1, 1, pitch)], semitones=key) for pitch in (62, 64) for key in (0, 5)]
    assert groups_of([*tiny, *short[:2]]) == [[0, 1], [2, 3], [4], [5]]


def test_a_chain_of_strangers_is_taken_apart_and_the_pairs_in_it_stay() -> None:
    """Each shares a quarter of its runs with the next, and every third one is there twice, once with less of it."""
    chained = [np.arange(600 * link, 600 * link + 800) for link in range(30)]
    near = [each[:600] for each in chained[::3]]
    assert like_groups(chained[:3]) == [[0, 1, 2]]
    found = like_groups([*chained, *near])
    assert [each for each in found if len(each) > 1] == [[3 * place, 30 + place] for place in range(10)]


def test_of_very_many_pieces_a_sample_of_the_runs_gives_the_same_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    takes = [played(piece(number, 300), 100 * number + take) for number in range(4) for take in range(3)]
    whole = groups_of(takes)
    monkeypatch.setattr(likeness, "MOST_PAIRS", 2_000)
    assert groups_of(takes) == whole == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]


def test_drums_are_heard_only_where_there_is_nothing_else() -> None:
    lead, beat = written(piece(1)), written(formula("ostinato"), channel=DRUMS)
    columns = ("start", "end", "pitch", "channel")
    mixed = MidiNotes(480, *(np.concatenate([getattr(lead, name), getattr(beat, name)]) for name in columns))
    assert np.array_equal(fingerprint(mixed), fingerprint(lead))
    assert len(fingerprint(beat)) > 0


def loop(seed: int, bars: int = 4) -> list[Note]:
    """A hi-hat on every eighth note, bass drum and snare as they come."""
    generator = np.random.default_rng(seed)
    struck = [(place / 4, 0.1, int(generator.choice([36, 38, 46]))) for place in generator.integers(0, 16 * bars, 36)]
    return [(place / 2, 0.1, 42) for place in range(8 * bars)] + struck


def test_drums_are_known_again_by_their_strokes_and_not_by_the_hi_hat() -> None:
    def by_hand(seed: int) -> list[Note]:
        late = np.abs(np.random.default_rng(seed).normal(0, 0.02, len(loop(seed))))
        return [(start + by, length, pitch) for (start, length, pitch), by in zip(loop(seed), late, strict=True)]

    loops = [written(loop(seed), channel=DRUMS) for seed in range(8)]
    takes = [written(by_hand(seed), division=96, channel=DRUMS) for seed in range(8)]
    assert groups_of([*loops, *takes]) == [[seed, 8 + seed] for seed in range(8)]


Prints = list[np.ndarray]


def likeness_by_hand(prints: Prints, one: int, other: int) -> float:
    """The formula, with sets."""
    different = {tuple(each.tolist()) for each in prints}
    first, second = (set(prints[place].tolist()) for place in (one, other))
    if first == second:
        return 1.0

    def weigh(runs: set[int]) -> int:
        return sum(round(256 * np.log2(1 + len(different) / sum(run in each for each in different))) for run in runs)

    return weigh(first & second) / (8 * round(256 * np.log2(1 + len(different))) + min(weigh(first), weigh(second)))


@given(
    st.lists(st.lists(st.integers(0, 40), max_size=30), max_size=4).map(
        lambda rows: [np.unique(np.array(row, np.int64)) for row in rows]
    )
)
def test_links_are_those_of_the_formula(prints: Prints) -> None:
    """Of up to three pieces every group is whole; with more the chains are another test's."""
    prints = prints[:3]
    linked = {
        (one, other)
        for one in range(len(prints))
        for other in range(one + 1, len(prints))
        if likeness_by_hand(prints, one, other) >= LEVELS[0]
    }
    groups = {(one, other) for each in like_groups(prints) for one in each for other in each if one < other}
    through = {(0, 1), (0, 2), (1, 2)} if len(linked) >= 2 else linked
    assert groups == through


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(21, 108)), min_size=1, max_size=30))
def test_a_fingerprint_is_that_of_the_lines(sounding: list[tuple[int, int]]) -> None:
    """The runs are counted by hand; onsets are together that are 4 ticks of 48 apart, each from the one before."""
    onsets: list[list[int]] = []
    last = -100
    for start, pitch in sorted(sounding):
        if start - last > 48 // 12:
            onsets.append([])
        onsets[-1].append(pitch)
        last = start
    lines = [[choose(onset) for onset in onsets] for choose in (max, min)]
    runs = set()
    for number, line in enumerate(lines if lines[0] != lines[1] else lines[:1]):
        steps = [after - before for before, after in zip(line, line[1:], strict=False) if after != before]
        runs |= {(number, *steps[at : at + RUN]) for at in range(max(1, len(steps) - RUN + 1))}
    notes = written([(start / 48, 0.1, pitch) for start, pitch in sounding], division=48)
    assert len(fingerprint(notes)) == len(runs)
