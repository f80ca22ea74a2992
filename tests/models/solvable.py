"""A made-up task that small networks solve in seconds, written apart from the one of the corpora."""

import random

import numpy as np


def temporal_order(count: int, lag: int, seed: int) -> list[np.ndarray]:
    """Distractors 2..5 with a signal, 0 or 1, early and in the middle; then 6 + 2 * first + second."""
    draw, made = random.Random(seed), []  # noqa: S311  # no secret
    for _ in range(count):
        symbols = [draw.randint(2, 5) for _ in range(lag)]
        first, second = draw.randint(0, 1), draw.randint(0, 1)
        symbols[draw.randint(lag // 10, 2 * lag // 10)] = first
        symbols[draw.randint(4 * lag // 10, 5 * lag // 10)] = second
        made.append(np.array([*symbols, 6 + 2 * first + second], np.int32))
    return made
