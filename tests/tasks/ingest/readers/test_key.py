from fractions import Fraction

import numpy as np
import pytest

from tasks.corpus.piano_roll import Note
from tasks.ingest.readers.key import Key, find_key, pitch_class_histogram, semitones_to_c
from tests.tasks.ingest.published_profiles import MAJOR, MINOR

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)
HARMONIC_MINOR = (0, 2, 3, 5, 7, 8, 11, 12)


def brute_force(histogram: list[float]) -> tuple[int, str]:
    """Every key, every pitch class, by plain loops over the published numbers."""
    best: tuple[float, tuple[int, str]] = (-1.0, (0, ""))
    for mode, profile in (("major", MAJOR), ("minor", MINOR)):
        for tonic in range(12):
            score = 0.0
            for pitch_class in range(12):
                score += histogram[pitch_class] * profile[(pitch_class - tonic) % 12]
            best = max(best, (score, (tonic, mode)), key=lambda item: item[0])
    return best[1]


def melody(degrees: tuple[int, ...], tonic: int) -> list[Note]:
    """A scale whose triad is held."""
    held = (degrees[0], degrees[2], degrees[4])
    lengths = [Fraction(2 if degree in held else 1) for degree in degrees]
    return [Note(Fraction(0), length, 60 + tonic + degree) for degree, length in zip(degrees, lengths, strict=True)]


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("mode", "scale"), [("major", MAJOR_SCALE), ("minor", HARMONIC_MINOR)])
def test_a_scale_is_in_its_key(tonic: int, mode: str, scale: tuple[int, ...]) -> None:
    notes = melody(scale, tonic)
    histogram = pitch_class_histogram([note.pitch for note in notes], [note.end - note.start for note in notes])
    assert find_key(histogram) == Key(tonic, mode)


def test_random_histograms_agree_with_plain_loops() -> None:
    generator = np.random.default_rng(3)
    for histogram in generator.random((200, 12)):
        assert find_key(histogram) == brute_force(histogram.tolist())


def test_the_histogram_weighs_by_duration_and_forgets_octaves() -> None:
    histogram = pitch_class_histogram([60, 72, 59], [3, 1, 2])
    assert histogram.tolist() == [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]


@pytest.mark.parametrize("tonic", range(12))
def test_every_tonic_comes_to_c_the_short_way(tonic: int) -> None:
    semitones = semitones_to_c(tonic)
    assert (tonic + semitones) % 12 == 0
    assert -5 <= semitones <= 6
