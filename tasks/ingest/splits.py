"""Train, valid and test by content: melodies that are alike are never in two splits.

Two pieces are linked if their sequences of melodic steps
    (a) share `long` steps in a row, or
    (b) share a part `share` or more of the runs of `short` steps, counted in the piece that has fewer.
Linked pieces, and those linked through others, are one group. The groups are taken in the order of the
smallest sha256 of their members' steps, which is as good as drawn by lot, and each goes to the split that
then lacks most of its 60, 20 or 20 % of the frames or symbols.

So the split depends neither on names nor on order, and transposing a piece changes nothing. Why the numbers
of a corpus are what they are is measured in docs/data.md. A hash alone for each group would need no sizes,
but with 166 groups of chorales it gave train 45 to 77 %, as the salt would have it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.corpus import SPLITS

Steps = tuple[int, ...]
_SHARES = dict(zip(SPLITS, (0.6, 0.2, 0.2), strict=True))


@dataclass(frozen=True)
class Likeness:
    """When two melodies count as one.

    Attributes:
        long: (a) so many equal steps in a row are enough.
        short: (b) length of the runs that are compared.
        share: (b) this part of the shorter piece's runs, 0..1, is enough.
    """

    long: int
    short: int
    share: float


def runs(steps: Steps, length: int) -> frozenset[Steps]:
    """The different runs of so many steps; of a shorter melody the whole of it."""
    last = max(len(steps) - length, 0)
    return frozenset(steps[start : start + length] for start in range(last + 1))


def linked_pairs(melodies: Sequence[Steps], likeness: Likeness) -> set[tuple[int, int]]:
    """The pairs i < j that are alike, by rule (a) or (b)."""
    pairs = set(_shared_runs(melodies, likeness.long))
    sizes = [len(runs(steps, likeness.short)) for steps in melodies]
    for (i, j), shared in _shared_runs(melodies, likeness.short).items():
        if shared >= likeness.share * min(sizes[i], sizes[j]):
            pairs.add((i, j))
    return pairs


def _shared_runs(melodies: Sequence[Steps], length: int) -> Counter[tuple[int, int]]:
    """How many different runs each pair i < j shares; pairs that share none are absent."""
    pieces_with: defaultdict[Steps, list[int]] = defaultdict(list)
    for piece, steps in enumerate(melodies):
        for run in runs(steps, length):
            pieces_with[run].append(piece)
    return Counter((i, j) for pieces in pieces_with.values() for place, j in enumerate(pieces) for i in pieces[:place])


def group(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The connected components of 0..count-1 under the pairs, each sorted, in the order of their first."""
    parent = list(range(count))

    def root(piece: int) -> int:
        while parent[piece] != piece:
            parent[piece] = parent[parent[piece]]
            piece = parent[piece]
        return piece

    for i, j in pairs:
        parent[root(j)] = root(i)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for piece in range(count):
        groups[root(piece)].append(piece)
    return list(groups.values())


def assign_splits(melodies: Sequence[Steps], sizes: Sequence[int], likeness: Likeness) -> list[str]:
    """The split of every melody.

    Args:
        melodies: steps of each piece: differences of successive pitches, so that keys do not matter.
        sizes: frames or symbols of each piece, over 0.
        likeness: when two of them count as one melody.

    Returns:
        `train`, `valid` or `test` for each.

    >>> assign_splits([(2, 2, 1), (5, 0, 1), (2, 2, 1)], [8, 40, 8], Likeness(long=3, short=3, share=1.0))
    ['valid', 'train', 'valid']
    """
    groups = group(len(melodies), linked_pairs(melodies, likeness))
    # sha256 of a tuple's text: Python's own hash is another one in every process
    return fill_splits(groups, sizes, [_sha256(steps) for steps in melodies])


def fill_splits(groups: Sequence[Sequence[int]], sizes: Sequence[int], digests: Sequence[bytes]) -> list[str]:
    """The split of every piece, whole groups together, 60, 20 and 20 % of the frames or symbols.

    Args:
        groups: the pieces that belong together, each piece in one group.
        sizes: frames or symbols of each piece, over 0.
        digests: a sha256 of the contents of each piece; the smallest of a group is its place in the order.

    Returns:
        `train`, `valid` or `test` for each piece.
    """
    splits = [""] * len(sizes)
    filled = dict.fromkeys(SPLITS, 0)
    for members in sorted(groups, key=lambda members: min(digests[piece] for piece in members)):
        size = sum(sizes[piece] for piece in members)
        placed = sum(filled.values()) + size
        split = max(SPLITS, key=lambda name: _SHARES[name] * placed - filled[name])  # noqa: B023 (called at once)
        filled[split] += size
        for piece in members:
            splits[piece] = split
    return splits


def _sha256(steps: Steps) -> bytes:
    return hashlib.sha256(",".join(map(str, steps)).encode()).digest()
