from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.corpus.piano_roll import Note, find_runs, fold, piano_roll, roll_statistics

times = st.fractions(min_value=0, max_value=12, max_denominator=8)
notes = st.builds(lambda start, length, pitch: Note(start, start + length, pitch), times, times, st.integers(0, 127))


def brute_force(sounding: list[Note], semitones: int) -> np.ndarray:
    """Ask of every frame and every note whether it sounds at the frame's onset."""
    frames = 0
    while any(note.end > frames for note in sounding):
        frames += 1
    roll = np.zeros((frames, 88), np.uint8)
    for frame in range(frames):
        for note in sounding:
            if note.start <= frame < note.end:
                pitch = note.pitch + semitones
                while pitch < 21:
                    pitch += 12
                while pitch > 108:
                    pitch -= 12
                roll[frame, pitch - 21] = 1
    return roll


@given(st.lists(notes, max_size=8), st.integers(-5, 6))
def test_the_roll_is_what_sounds_at_the_onsets(sounding: list[Note], semitones: int) -> None:
    roll = piano_roll(sounding, semitones)
    assert roll.dtype == np.uint8
    np.testing.assert_array_equal(roll, brute_force(sounding, semitones))


def test_a_passing_note_between_two_onsets_is_not_seen() -> None:
    half = Fraction(1, 2)
    roll = piano_roll([Note(Fraction(0), half, 60), Note(half, Fraction(1), 62), Note(Fraction(1), Fraction(2), 64)])
    assert [np.flatnonzero(frame).tolist() for frame in roll] == [[60 - 21], [64 - 21]]


@pytest.mark.parametrize("pitch", range(0, 140))
def test_folding_keeps_the_pitch_class_and_what_is_inside(pitch: int) -> None:
    assert 21 <= fold(pitch) <= 108
    assert (fold(pitch) - pitch) % 12 == 0
    assert fold(pitch) == pitch or not 21 <= pitch <= 108


def test_statistics_of_a_small_set() -> None:
    zero, one, two, three = map(Fraction, range(4))
    first = piano_roll([Note(zero, one, 60), Note(zero, one, 64), Note(two, three, 67)])
    assert roll_statistics([first, piano_roll([Note(zero, one, 30)])]) == {
        "frames": 4,
        "silent_frames": 1,
        "polyphony": 1.0,
        "polyphony_max": 2,
        "lowest": 30,
        "highest": 67,
    }


@pytest.mark.parametrize("frames", [1, 2, 37])
def test_runs_are_the_roll(frames: int) -> None:
    roll = (np.random.default_rng(0).random((frames, 88)) < 0.2).astype(np.uint8)
    runs = find_runs(roll)
    again = np.zeros_like(roll)
    for note, start, end in runs:
        assert not again[start:end, note - 21].any(), "no two runs share a frame"
        again[start:end, note - 21] = 1
        assert start == 0 or roll[start - 1, note - 21] == 0, "a run begins where the note was off"
        assert end == frames or roll[end, note - 21] == 0, "and ends where it is off again"
    assert np.array_equal(again, roll)


def test_silence_has_no_runs() -> None:
    assert find_runs(np.zeros((5, 88), np.uint8)) == ()
