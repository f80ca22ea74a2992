"""The error of a number that is computed from units in strata, by the jackknife: from its values without each unit.

theta_(cs) is the number without unit s of stratum c, and theta_(c.) the mean of these over s. Then

    a_cs = sqrt((N_c - 1) / N_c) (theta_(cs) - theta_(c.))      v_c = sum_s a_cs^2      V = sum_c v_c

is its variance (Efron & Stein 1981), with f = V^2 / sum_c v_c^2 / (N_c - 1) degrees of freedom (Satterthwaite 1946):
N - 1 for a single stratum. For a mean these are exactly the variance and the degrees of freedom of Welch's test. Here
units are studies, and strata are corpora. Shape letters: U units of all strata together, R resamples, T numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from tasks.report.numbers.metrics import FloatArray


@dataclass(frozen=True, eq=False)
class Spread:
    """The error of a number, from its values without each unit.

    Attributes:
        influences: a_cs of the units of each corpus.
        extra: variance in addition to that of the units.
    """

    influences: tuple[FloatArray, ...]
    extra: float = 0.0

    @cached_property
    def variance(self) -> float:
        """The variance V of the number, with the extra part."""
        return self.extra + sum(float(a_N @ a_N) for a_N in self.influences)

    @cached_property
    def freedom(self) -> float:
        """Degrees of freedom of the variance; the extra part has as many as there are units."""
        units = sum(map(len, self.influences))
        parts = [(float(a_N @ a_N), len(a_N) - 1) for a_N in self.influences]
        return self.variance**2 / sum(part**2 / freedom for part, freedom in [*parts, (self.extra, units)])

    def half_width(self, level: float) -> float:
        """Half of the interval of that level, by Student's t."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, (1 + level) / 2)) * sqrt(self.variance) if self.variance else 0.0

    def draw(self, normal_RU: FloatArray, generator: np.random.Generator) -> FloatArray:
        """Draws of the number's error, (R,): Student's t, from the shared multipliers of the units."""
        spread_R = normal_RU @ np.concatenate(self.influences)
        if self.extra:
            spread_R = spread_R + sqrt(self.extra) * generator.standard_normal(len(spread_R))
        return np.asarray(spread_R * np.sqrt(self.freedom / generator.chisquare(self.freedom, len(spread_R))))


Kept = Sequence[Sequence[int]]
"""Of each corpus the numbers of the units that are taken."""


def jackknife(statistic: Callable[[Kept], FloatArray], units: Sequence[int]) -> list[Spread | None]:
    """The errors of some numbers over units in strata.

    Args:
        statistic: computes the numbers (T,) from some of the units of each corpus.
        units: number of units of each corpus.

    Returns:
        One for each number; None if the number does not exist without one of the units, or if a corpus has a single
        unit, which cannot show an error.
    """
    every = [list(range(number)) for number in units]
    if min(units) < 2:
        return [None] * len(statistic(every))
    influences = []
    for c, number in enumerate(units):
        rest_NT = np.array(
            [statistic([*every[:c], [u for u in every[c] if u != s], *every[c + 1 :]]) for s in range(number)]
        )
        influences.append(sqrt((number - 1) / number) * (rest_NT - rest_NT.mean(axis=0)))
    exists_T = np.isfinite(np.concatenate(influences)).all(axis=0)
    return [Spread(tuple(a_NT[:, t] for a_NT in influences)) if there else None for t, there in enumerate(exists_T)]
