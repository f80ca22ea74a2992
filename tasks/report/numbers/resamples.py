"""The random numbers behind every interval of a report: drawn pieces, multipliers of units, and scales.

A caller names the purpose of the numbers. Equal names and seeds give equal numbers, in any order of the calls. What
this does not do: know a variant or a metric. Shape letters: R resamples, Q pieces, N units.
"""

from dataclasses import dataclass

import numpy as np

from models.seeds import seed_for
from tasks.report.numbers.metrics import FloatArray

RESAMPLES = 10_000


def numpy_generator(seed: int, *names: str) -> np.random.Generator:
    """A random generator that belongs to a seed and names: the same numbers wherever it is made."""
    return np.random.default_rng(seed_for(seed, *names, bits=128, separator="\0"))  # as in reports of before


def draw_pieces(generator: np.random.Generator, resamples: int, pieces: int) -> FloatArray:
    """How often each of Q pieces is drawn when Q are drawn with replacement: (R, Q); each row sums to Q."""
    drawn_RQ = generator.integers(pieces, size=(resamples, pieces))
    flat = (drawn_RQ + pieces * np.arange(resamples)[:, None]).ravel()
    return np.bincount(flat, minlength=resamples * pieces).reshape(resamples, pieces).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Scales:
    """The factors that turn normal draws into t draws, 1 / sqrt(chi2_f), one for each resample.

    A standard deviation that is estimated from n numbers is off by the root of chi2_{n-1} / (n - 1). A normal draw
    divided by this factor is a draw of Student's t.

    Attributes:
        pieces_R: sqrt(Q / chi2_{Q-1}). It also corrects for the bootstrap, which sees (Q - 1) / Q of the variance.
        squares_RN: the sums of the first 1, 2, ... squares of standard normal numbers.
    """

    pieces_R: FloatArray
    squares_RN: FloatArray

    @classmethod
    def draw(cls, generator: np.random.Generator, resamples: int, pieces: int, units: int) -> "Scales":
        """Draw the factors for at most `units` units; a single piece, which is always drawn, has the scale 1."""
        chi2_R = generator.chisquare(pieces - 1, resamples) if pieces > 1 else np.full(resamples, float(pieces))
        squares_RN = np.cumsum(generator.standard_normal((resamples, max(0, units - 1))) ** 2, axis=1)
        return cls(np.sqrt(pieces / chi2_R), squares_RN)

    def units_R(self, units: int) -> FloatArray:
        """1 / sqrt(N chi2_{N-1}) for N units; 0 for one unit, which shows no spread.

        With g_s standard normal, sum_s g_s (m_s - m) times this factor is s / sqrt(N) times a number of Student's t
        with N - 1 degrees of freedom; s is the standard deviation of the m_s. Such draws for several means, from the
        same g and the same scales, have the covariance of the values, in the shape of a multivariate t.
        """
        if units < 2:
            return np.zeros(len(self.squares_RN))
        return np.asarray(1 / np.sqrt(units * self.squares_RN[:, units - 2]))
