"""temporal-order-T: at the end of a sequence of distractors, predict which two signals came, and in which order.

The temporal order problem of Hochreiter & Schmidhuber (1997, section 5.6, experiment 6a) in the form of Pascanu,
Mikolov and Bengio (arXiv:1211.5063). A sequence has T symbols: distractors c, d, e, f, and two signals, each A or B.
One signal is at a place drawn from [T/10, 2T/10], the other at one from [4T/10, 5T/10]. Symbol T, the last, is one of
the four classes AA, AB, BA and BB, which occur nowhere else. It is the only scored symbol. Only the two signals
determine the class, and both lie at least T/2 steps before it.

Rules (raise `_RULES` when one of them changes): places are counted from 0; the ends of both intervals are rounded down
and included. All choices are equally probable.

Shape letters: N sequences, T length.
"""

import numpy as np

from tasks.ingest.building.made_up import LAGS, Bits, made_up_recipe

_RULES = 1
SIGNALS, DISTRACTORS = ("A", "B"), ("c", "d", "e", "f")
CLASSES = ("AA", "AB", "BA", "BB")
VOCABULARY = (*SIGNALS, *DISTRACTORS, *CLASSES)
_ORIGIN = "made up: the temporal order problem of Hochreiter & Schmidhuber (1997), as in arXiv:1211.5063"


def draw_sequences(count: int, lag: int, bits: Bits) -> np.ndarray:
    """Draw sequences, int32 (N, T + 1), of symbols of `VOCABULARY`.

    Args:
        count: N.
        lag: T, from 10.
        bits: source of the random numbers.
    """
    sequences_NT = np.empty((count, lag + 1), np.int32)
    sequences_NT[:, :lag] = len(SIGNALS) + bits.integers(0, len(DISTRACTORS) - 1, count, lag)
    signals = bits.integers(0, 1, 2, count)
    for signal_N, (low, high) in zip(signals, ((1, 2), (4, 5)), strict=True):
        place_N = bits.integers(low * lag // 10, high * lag // 10, count)
        sequences_NT[np.arange(count), place_N] = signal_N
    sequences_NT[:, lag] = len(SIGNALS) + len(DISTRACTORS) + 2 * signals[0] + signals[1]
    return sequences_NT


TEMPORAL_ORDER = tuple(
    made_up_recipe(
        "temporal-order", "temporal-order", lag, _RULES, draw_sequences, {"origin": _ORIGIN, "vocabulary": VOCABULARY}
    )
    for lag in LAGS
)
