"""A long text in parts: contiguous, of about equal length, cut between lines.

A network's state is carried through a piece and starts anew at the next; training runs pieces side by side, and the
bootstrap of a report draws pieces. One stream for a whole split would be one lane and one draw.
"""

import numpy as np


def cut_parts(ends: np.ndarray, parts: int) -> list[tuple[int, int]]:
    """Where each part begins and ends.

    Part i of n ends at the line end nearest to i / n of the text; a part that would be empty is left out, so that a
    text of few lines has fewer parts.

    Args:
        ends: behind which symbol each line ends, rising; the last is the length of the text.
        parts: n, from 1.

    Returns:
        (start, end) of each part, one after another, together the whole text.

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
