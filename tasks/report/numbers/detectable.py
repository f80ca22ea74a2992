"""How small a difference a campaign of some size can tell, from how much differences spread in another one.

A campaign with S studies, whose differences have the standard deviation sd over studies and the standard error se from
the P test pieces, has intervals that reach to both sides by about

    the level of the family of  sd / sqrt(S) t_{S-1} + se t_{P-1},   the two independent of each other

since that is how the intervals of the report are drawn (`statistics.py`). A word goes by intervals that hold for all m
differences to the same plain SGD at once (`intervals.py`), which is done here as it is there: m such draws, whose parts
share that of plain SGD and so correlate by one half, each with scales of its own.

What this does not do: say how likely a difference of that size is to be told, which is about one half. Shape letter:
R resamples.
"""

import numpy as np

from tasks.report.numbers.intervals import percentile_interval, simultaneous_level
from tasks.report.numbers.metrics import FloatArray
from tasks.report.numbers.resamples import RESAMPLES, Scales, numpy_generator


def half_width(study_sd: float, piece_se: float, studies: int, pieces: int, family: int) -> float:
    """Half of the interval of a difference that holds for the whole family at once, in the unit of its arguments.

    Args:
        study_sd: standard deviation of a paired difference over studies.
        piece_se: its standard error from the pieces.
        studies: how many there will be, two or more.
        pieces: of the test split.
        family: how many differences are told at once.
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
    """Draws of what a difference is off by, from normal ones of both parts: as the report scales them."""
    scales = Scales.draw(generator, normal_2R.shape[1], pieces, studies)
    # those scales are of sums over units and of means of drawn pieces, whose standard deviations are these
    per_unit = study_sd * np.sqrt(studies - 1)
    per_draw = piece_se * np.sqrt((pieces - 1) / pieces) if pieces > 1 else 0.0
    return np.asarray(normal_2R[0] * scales.units_R(studies) * per_unit + normal_2R[1] * scales.pieces_R * per_draw)
