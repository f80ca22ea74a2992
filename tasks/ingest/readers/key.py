"""Key finding: duration-weighted pitch classes, matched against the key profiles of Albrecht and Shanahan.

    key = argmax over (tonic, mode) of sum_p histogram[p] profile_mode[(p - tonic) mod 12]

Specification, section 4. Profiles: J. Albrecht and D. Shanahan, "The Use of Large Corpora to Train a New Type
of Key-Finding Algorithm", Music Perception 31(1), 2013.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

Mode = Literal["major", "minor"]
_PROFILES: dict[Mode, tuple[float, ...]] = {
    "major": (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
    "minor": (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
}


class Key(NamedTuple):
    """A key: its tonic as a pitch class, 0 is C and 11 is B, and its mode."""

    tonic: int
    mode: Mode


# profile[(p - tonic) mod 12] over p is the profile rolled up by the tonic
_PROFILE_OF_KEY = {
    Key(tonic, mode): np.roll(profile, tonic) for mode, profile in _PROFILES.items() for tonic in range(12)
}


def pitch_class_histogram(pitches: ArrayLike, durations: ArrayLike) -> np.ndarray:
    """The total duration of each pitch class: float64 (12,), in the unit of the durations; class 0 is C.

    Args:
        pitches: (N,) integers, MIDI numbers of the notes.
        durations: (N,), of any unit: quarter notes, ticks.

    >>> pitch_class_histogram([60, 72, 64], [1, 2, 4])
    array([3., 0., 0., 0., 4., 0., 0., 0., 0., 0., 0., 0.])
    """
    classes = np.asarray(pitches, np.int64) % 12
    return np.bincount(classes, np.asarray(durations, np.float64), minlength=12)


def find_key(histogram: np.ndarray) -> Key:
    """The key whose profile has the largest dot product with the histogram.

    Args:
        histogram: (12,), of any positive unit, 0 is C.

    Returns:
        The best key. Ties are broken in favour of major, then of the lower tonic.

    >>> find_key(np.array([4.0, 0, 1, 0, 2, 1, 0, 3, 0, 1, 0, 1]))
    Key(tonic=0, mode='major')
    """
    scores = [float(profile @ histogram) for profile in _PROFILE_OF_KEY.values()]
    return list(_PROFILE_OF_KEY)[int(np.argmax(scores))]


def semitones_to_c(tonic: int) -> int:
    """The shortest transposition from a tonic to C, in semitones: -5..+6. F sharp goes up.

    >>> [semitones_to_c(tonic) for tonic in (0, 2, 5, 6, 7, 11)]
    [0, -2, -5, 6, 5, 1]
    """
    return 6 - (tonic + 6) % 12
