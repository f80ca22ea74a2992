"""Cut a long text into contiguous parts of about equal length, between lines.

The hidden state is carried through a piece and is reset at the next one. Training runs several pieces side by side in a
batch, and a report's bootstrap resamples pieces. A split that is a single stream would allow neither.
"""

import numpy as np


def cut_parts(ends: np.ndarray, parts: int) -> list[tuple[int, int]]:
    """The start and the end of each part.

    Part i of n ends at the line end nearest to i / n of the text. Empty parts are left out, so a text of few lines has
    fewer parts.

    Args:
        ends: position after each line's last symbol, ascending; the last one is the length of the text.
        parts: n, from 1.

    Returns:
        (start, end) of each part, in order; together they cover the text.

    >>> cut_parts(np.array([3, 4, 10, 12]), 2)
    [(0, 4), (4, 12)]
    """
    total = int(ends[-1])
    wanted = np.arange(1, parts) * total / parts
    after = np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.where(wanted - ends[before] < ends[after] - wanted, ends[before], ends[after])
    places = np.unique(np.concatenate([[0], nearer, [total]])).tolist()
    return list(zip(places, places[1:], strict=False))
