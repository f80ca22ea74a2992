"""adding-T: at the end of a sequence of random values, predict the mean of the two marked ones.

The adding problem of Hochreiter & Schmidhuber (1997, section 5.4, experiment 4) in the form of Pascanu, Mikolov and
Bengio (arXiv:1211.5063). A sequence has T pairs of a value and a marker. Values are uniform in [0, 1). The marker is 1
at two places and 0 elsewhere; one place is drawn from the first tenth of the sequence, the other from the rest of its
first half. Step T, the last, holds the mean of the two marked values, and is the only scored step. (The target of 1997
is 0.5 + (x + y) / 4 for values in [-1, 1], which is the same number.)

A step is three numbers: value, marker, answer. The answer is 0 except in the last step, where value and marker are 0.

Rules (raise `_RULES` when one of them changes): places are counted from 0. The first is from 0 to T/10 - 1, the second
from T/10 to T/2 - 1, rounded down, ends included. All choices are equally probable.

Shape letters: N sequences, T length.
"""

import numpy as np

from tasks.ingest.building.made_up import LAGS, Bits, made_up_recipe

_RULES = 1
VALUE, MARKER, ANSWER = range(3)
_ORIGIN = "made up: the adding problem of Hochreiter & Schmidhuber (1997), as in arXiv:1211.5063"


def draw_sequences(count: int, lag: int, bits: Bits) -> np.ndarray:
    """Draw sequences, float32 (N, T + 1, 3): value, marker, answer.

    Args:
        count: N.
        lag: T, from 10.
        bits: source of the random numbers.
    """
    sequences_NT3 = np.zeros((count, lag + 1, 3), np.float32)
    sequences_NT3[:, :lag, VALUE] = bits.uniform(count, lag)
    tenth, half, every = lag // 10, lag // 2, np.arange(count)
    places = (bits.integers(0, tenth - 1, count), bits.integers(tenth, half - 1, count))
    for place_N in places:
        sequences_NT3[every, place_N, MARKER] = 1
    marked = [sequences_NT3[every, place_N, VALUE] for place_N in places]
    sequences_NT3[:, lag, ANSWER] = (marked[0] + marked[1]) / 2
    return sequences_NT3


ADDING = tuple(made_up_recipe("adding", "adding", lag, _RULES, draw_sequences, {"origin": _ORIGIN}) for lag in LAGS)
