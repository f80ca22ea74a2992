"""Notes to rolls: rules 1, 2, 3 and 7 against plain fractions, and the limit of frames."""

from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import CorpusError
from tasks.ingest.building.midi_roll import MAX_FRAMES, cells, highest_steps, midi_roll, unheard
from tasks.ingest.readers.midi import MidiNotes

Note = tuple[int, int, int]
notes = st.lists(
    st.tuples(st.integers(0, 900), st.integers(0, 300), st.integers(0, 127)).map(lambda n: (n[0], n[0] + n[1], n[2])),
    max_size=8,
)
steps = st.one_of(st.integers(1, 200).map(Fraction), st.builds(Fraction, st.integers(1, 400), st.integers(1, 32)))


def columns(sounding: list[Note], division: int = 480) -> MidiNotes:
    start, end, pitch = np.array(sounding, np.int64).reshape(-1, 3).T
    return MidiNotes(division, start, end, pitch, np.zeros(len(start), np.int64))


def brute_force(sounding: list[Note], step: Fraction, semitones: int, keep_first: bool) -> np.ndarray:
    """Rules 2, 3 and 7 with fractions, cell by cell."""

    def q(tick: int) -> int:
        return floor(Fraction(tick) / step + Fraction(1, 2))

    count = max((q(end) for _, end, _ in sounding), default=0)
    roll = np.zeros((count, 88), np.uint8)
    for start, end, pitch in sounding:
        pitch += semitones
        while pitch < 21:
            pitch += 12
        while pitch > 108:
            pitch -= 12
        first, last = q(start), q(end)
        for cell in range(count):
            if first <= cell < last:
                roll[cell, pitch - 21] = 1
    return roll if keep_first else roll[1:]


@given(notes, steps, st.integers(-5, 6), st.booleans())
def test_a_roll_is_that_of_the_rules(sounding: list[Note], step: Fraction, semitones: int, keep_first: bool) -> None:
    roll = midi_roll(columns(sounding), step, semitones, keep_first)
    assert roll.dtype == np.uint8
    np.testing.assert_array_equal(roll, brute_force(sounding, step, semitones, keep_first))


def test_rule_2_halves_are_rounded_up() -> None:
    assert cells(np.array([59, 60, 179, 180]), Fraction(120)).tolist() == [0, 1, 1, 2]
    assert cells(np.array([3, 4, 11, 12]), Fraction(15, 2)).tolist() == [0, 1, 1, 2]
    assert cells(np.array([10**7]), Fraction(65535, 2)).tolist() == [305]


def test_rule_2_a_note_that_begins_and_ends_in_one_cell_is_not_heard_but_makes_the_roll_longer() -> None:
    assert not midi_roll(columns([(300, 350, 60)]), Fraction(120), 0, keep_first=True).any()
    assert len(midi_roll(columns([(300, 350, 60)]), Fraction(120), 0, keep_first=True)) == 3


@given(notes, steps)
def test_notes_that_no_frame_has_are_counted(sounding: list[Note], step: Fraction) -> None:
    rolls = [midi_roll(columns([note]), step, 0, keep_first=True) for note in sounding]
    assert unheard(columns(sounding), step) == sum(not roll.any() for roll in rolls)


def test_drums_can_stay_where_they_are() -> None:
    mixed = replace(columns([(0, 240, 36), (0, 240, 60)]), channel=np.array([9, 0]))
    moved, kept = (midi_roll(mixed, Fraction(240), 3, True, drums_stay) for drums_stay in (False, True))
    assert np.flatnonzero(moved).tolist() == [39 - 21, 63 - 21]
    assert np.flatnonzero(kept).tolist() == [36 - 21, 63 - 21]


def test_rule_3_the_first_cell_is_dropped_unless_it_is_kept() -> None:
    sounding = columns([(0, 240, 60), (240, 480, 62)])
    assert [np.flatnonzero(frame).tolist() for frame in midi_roll(sounding, Fraction(240), 0)] == [[62 - 21]]
    kept = midi_roll(sounding, Fraction(240), 0, keep_first=True)
    assert [np.flatnonzero(frame).tolist() for frame in kept] == [[60 - 21], [62 - 21]]


def test_rule_7_transposed_first_then_folded() -> None:
    sounding = columns([(0, 240, 19), (0, 240, 106), (0, 240, 127)])
    assert np.flatnonzero(midi_roll(sounding, Fraction(240), 4, keep_first=True)).tolist() == [2, 98 - 21, 107 - 21]


def test_two_notes_in_one_place_are_one() -> None:
    roll = midi_roll(columns([(0, 960, 60), (240, 480, 60), (240, 480, 72)]), Fraction(240), 0, keep_first=True)
    assert roll[:, 60 - 21].tolist() == [1, 1, 1, 1]


def test_the_limit_of_frames() -> None:
    assert len(midi_roll(columns([(0, MAX_FRAMES, 60)]), Fraction(1), 0, keep_first=True)) == MAX_FRAMES
    with pytest.raises(CorpusError, match="200,001 frames, over the limit of 200,000"):
        midi_roll(columns([(0, MAX_FRAMES + 1, 60)]), Fraction(1), 0)
    with pytest.raises(CorpusError, match="20,000,000 frames, over the limit of 200,000"):
        midi_roll(columns([(0, 10**7, 60)]), Fraction(1, 2), 0)


def test_no_note_is_no_frame() -> None:
    assert midi_roll(columns([]), Fraction(240), 0).shape == (0, 88)
    assert highest_steps(midi_roll(columns([]), Fraction(240), 0)) == ()


@given(notes)
def test_a_melody_is_the_highest_notes_without_rests_and_repetitions(sounding: list[Note]) -> None:
    roll = midi_roll(columns(sounding), Fraction(50), 0)
    heard: list[int] = []
    for frame in roll:
        if frame.any() and (not heard or heard[-1] != max(np.flatnonzero(frame))):
            heard.append(int(max(np.flatnonzero(frame))))
    assert highest_steps(roll) == tuple(heard[place + 1] - heard[place] for place in range(len(heard) - 1))
