"""Rolls written as MIDI, and read back by the readers of others."""

import io
from fractions import Fraction

import numpy as np
import pretty_midi
import pytest

from tasks.corpus.midi_file import TEMPO, midi_file
from tasks.corpus.piano_roll import find_runs
from tasks.ingest.building.midi_roll import midi_roll
from tasks.ingest.readers.midi import read_midi


def _roll(frames: int = 40, share: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(3).random((frames, 88)) < share).astype(np.uint8)


@pytest.mark.parametrize("quarters", [1.0, 0.5])
def test_pretty_midi_reads_the_frames_that_were_written(quarters):
    roll = _roll()
    file = pretty_midi.PrettyMIDI(io.BytesIO(midi_file(find_runs(roll), quarters, 16)))
    (piano,) = file.instruments
    seconds = quarters * 60 / TEMPO
    again = np.zeros_like(roll)
    for note in piano.notes:
        start, end = round(note.start / seconds), round(note.end / seconds)
        assert (note.start, note.end) == pytest.approx((start * seconds, end * seconds), abs=1e-4)
        assert not again[start:end, note.pitch - 21].any()
        again[start:end, note.pitch - 21] = 1
    assert np.array_equal(again, roll)
    assert (piano.program, piano.is_drum) == (0, False)
    assert file.get_tempo_changes()[1].tolist() == pytest.approx([TEMPO])
    (mark,) = file.text_events
    assert mark.time == pytest.approx(16 * seconds)


@pytest.mark.parametrize("quarters", [Fraction(1), Fraction(1, 2)])
def test_a_corpus_of_the_file_would_have_the_same_roll(quarters):
    """The way back that a user's own files take: every frame at a whole tick."""
    notes = read_midi(midi_file(find_runs(_roll()), float(quarters), 0))
    assert np.array_equal(midi_roll(notes, notes.division * quarters, 0, keep_first=True), _roll())


def test_equal_frames_are_one_note_and_silence_is_kept_between():
    roll = np.zeros((9, 88), np.uint8)
    roll[[1, 2, 3, 6], 60 - 21] = 1
    (piano,) = pretty_midi.PrettyMIDI(io.BytesIO(midi_file(find_runs(roll), 1.0, 2))).instruments
    assert [(note.start, note.end) for note in piano.notes] == [
        pytest.approx((0.6, 2.4)),
        pytest.approx((3.6, 4.2)),
    ]


def test_nothing_but_silence_is_a_file_too():
    file = midi_file((), 1.0, 2)
    assert file.startswith(b"MThd")
    assert sum(len(each.notes) for each in pretty_midi.PrettyMIDI(io.BytesIO(file)).instruments) == 0


def test_equal_rolls_give_equal_bytes():
    first, again, other = (midi_file(find_runs(_roll(n)), 1.0, 8) for n in (40, 40, 41))
    assert first == again != other
