"""Near-duplicates among a user's own pieces, by their fingerprints: takes, arrangements and copies of one piece.

    likeness(i, j) = W(runs shared by i and j) / (FEW w(1) + min(W(runs of i), W(runs of j)))
    W(runs) = sum over the runs of w(n) = log2(1 + N / n), rounded to 1/256, where n of the N pieces have the run

A common run, such as a scale, weighs little. The term with `FEW` keeps two short pieces from being alike through a
single run. Two pieces are linked if their likeness is at least the first of `LEVELS`; the groups are the connected
components of these links. A component may also be a chain of unrelated pieces: fewer than half of its pairs are then
linked, and it is grouped again at the next level.

Takes of one piece are far above the first level, unrelated pieces far below it: measured in docs/data.md. All sums are
of integers, so that rounding cannot differ between machines.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVELS = (0.1, 0.15, 0.2, 0.3, 0.5)
FEW = 8
"""Number of unshared runs that are added to the denominator; it lowers the likeness of short pieces."""
MOST_PAIRS = 500_000_000
"""Most triples of a run and two pieces that have it. Beyond this number only a sample of the runs is compared."""
_SMALL = 3  # a component of so many pieces is never called a chain
_ROWS = 256
_SCALE = 256


class _Links(NamedTuple):
    """P pairs of pieces, the smaller number first, and their likeness: three arrays (P,)."""

    first: np.ndarray
    second: np.ndarray
    likeness: np.ndarray

    def chosen(self, which: np.ndarray) -> "_Links":
        return _Links(self.first[which], self.second[which], self.likeness[which])


def like_groups(fingerprints: Sequence[np.ndarray]) -> list[list[int]]:
    """The pieces 0..N-1 in groups of near-duplicates; each group ascending, the groups ordered by their first piece.

    Args:
        fingerprints: of each piece, int64, ascending and distinct.
    """
    copies: defaultdict[bytes, list[int]] = defaultdict(list)  # equal fingerprints are compared once
    for place, each in enumerate(fingerprints):
        copies[each.tobytes()].append(place)
    originals = list(copies.values())
    links = _links([fingerprints[places[0]] for places in originals])
    groups = _grouped(np.arange(len(originals)), links, LEVELS)
    return sorted(sorted(place for piece in members for place in originals[piece]) for members in groups)


def _grouped(members: np.ndarray, links: _Links, levels: Sequence[float]) -> list[list[int]]:
    """The groups of some pieces, each ascending, by the links among them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    strong = links.chosen(links.likeness >= levels[0])
    first, second = np.searchsorted(members, strong.first), np.searchsorted(members, strong.second)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(members), len(members)))
    count, group_of = connected_components(graph, directed=False)
    sizes, linked = np.bincount(group_of, minlength=count), np.bincount(group_of[first], minlength=count)
    chains = (sizes > _SMALL) & (4 * linked < sizes * (sizes - 1)) & (len(levels) > 1)
    found = [members[places].tolist() for places in _places(group_of, sizes) if not chains[group_of[places[0]]]]
    for chain in np.flatnonzero(chains):
        found += _grouped(members[group_of == chain], strong.chosen(group_of[first] == chain), levels[1:])
    return found


def _places(group_of: np.ndarray, sizes: np.ndarray) -> list[np.ndarray]:
    """The places of the members of each group."""
    return np.split(np.argsort(group_of, kind="stable"), np.cumsum(sizes)[:-1]) if len(sizes) else []


def _links(fingerprints: Sequence[np.ndarray]) -> _Links:
    """The pairs that are linked at the first level."""
    from scipy.sparse import csr_array

    found = [_Links(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    count = len(fingerprints)
    everything = np.concatenate([np.zeros(0, np.int64), *fingerprints])
    runs, run, times = np.unique(everything, return_inverse=True, return_counts=True)
    piece = np.repeat(np.arange(count), [len(each) for each in fingerprints])
    weight = np.rint(_SCALE * np.log2(1 + count / times)).astype(np.int64)
    weight[~_counted(runs, times)] = 0
    shape = (count, len(times))
    weights = csr_array((weight[run], (piece, run)), shape=shape)
    having = csr_array((np.ones(len(run), np.int64), (run, piece)), shape=shape[::-1])
    weights.eliminate_zeros()
    few = FEW * int(np.rint(_SCALE * np.log2(1 + count)))
    sums = np.bincount(piece, weight[run], count).astype(np.int64) + few
    for start in range(0, count, _ROWS):
        shared = (weights[start : start + _ROWS] @ having).tocoo()
        first, second = np.asarray(shared.row, np.int64) + start, np.asarray(shared.col, np.int64)
        likeness = shared.data / np.minimum(sums[first], sums[second])
        pairs = _Links(first, second, likeness)
        found.append(pairs.chosen((first < second) & (likeness >= LEVELS[0])))
    return _Links(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _counted(runs: np.ndarray, times: np.ndarray) -> np.ndarray:
    """A mask of the runs that are compared: all of them, or a hashed sample that keeps about `MOST_PAIRS`."""
    one_of = -(-int((times.astype(np.int64) ** 2).sum()) // MOST_PAIRS)
    drawn = (runs.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    return np.asarray(drawn % np.uint64(max(one_of, 1)) == 0)
