"""How small a difference a campaign of some size can tell, given how much differences spread in another campaign.

The campaign has S studies and Q test pieces. Its differences have the standard deviation sd over studies, and the
standard error se from the pieces. Its intervals then reach to both sides by about

    the level of the family of  sd / sqrt(S) t_{S-1} + se t_{Q-1},   the two independent of each other

since the intervals of a report are drawn in this way (`statistics.py`). Verdicts follow intervals that hold at once for
all m differences to the same plain SGD (`intervals.py`). This is repeated here with m such draws. They share the part
of plain SGD, so they correlate by one half; each has scales of its own.

What this does not do: give the probability that a difference of that size is told, which is about one half. Shape
letter: R resamples.
"""

import numpy as np

from tasks.report.numbers.intervals import percentile_interval, simultaneous_level
from tasks.report.numbers.metrics import FloatArray
from tasks.report.numbers.resamples import RESAMPLES, Scales, numpy_generator


def half_width(study_sd: float, piece_se: float, studies: int, pieces: int, family: int) -> float:
    """Half of the interval of a difference that holds for the whole family at once, in the unit of `study_sd`.

    Args:
        study_sd: standard deviation of a paired difference over studies.
        piece_se: standard error of the difference from the pieces, in the same unit.
        studies: planned number of studies, 2 or more.
        pieces: number of pieces of the test split.
        family: number of differences that are told at once.
    """
    generator = numpy_generator(0, "detectable")
    shared, own = generator.standard_normal((2, RESAMPLES)), generator.standard_normal((family, 2, RESAMPLES))
    draws = [_draws(generator, (shared + each) / np.sqrt(2), study_sd, piece_se, studies, pieces) for each in own]
    level = simultaneous_level(draws)
    low, high = percentile_interval(np.concatenate(draws), level)
    return (high - low) / 2


def _draws(
    generator: np.random.Generator, normal_2R: FloatArray, study_sd: float, piece_se: float, studies: int, pieces: int
) -> FloatArray:
    """Draws of the error of a difference, from normal draws of both parts, scaled as in the report."""
    scales = Scales.draw(generator, normal_2R.shape[1], pieces, studies)
    # those scales are of sums over units and of means of drawn pieces, whose standard deviations are these
    per_unit = study_sd * np.sqrt(studies - 1)
    per_draw = piece_se * np.sqrt((pieces - 1) / pieces) if pieces > 1 else 0.0
    return np.asarray(normal_2R[0] * scales.units_R(studies) * per_unit + normal_2R[1] * scales.pieces_R * per_draw)
