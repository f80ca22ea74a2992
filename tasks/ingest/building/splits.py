"""Train, valid and test by content: pieces with similar melodies are always in the same split.

Two pieces are linked if their sequences of melodic steps
    (a) share `long` steps in a row, or
    (b) share at least a fraction `share` of the runs of `short` steps, counted in the piece that has fewer.
The groups are the connected components of these links. They are ordered by the smallest sha256 of their members' steps,
which amounts to a random order. Each group in turn goes to the split that is then furthest below its 60, 20 or 20 % of
the frames or symbols.

So the splits depend neither on file names nor on their order, and transposing a piece changes nothing. docs/data.md has
the measurements behind the thresholds of each corpus. Choosing a split from a hash of the group alone would need no
sizes, but with the 166 groups of chorales it gave train 45 to 77 %, depending on the salt.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.corpus.corpus import SPLITS

Steps = tuple[int, ...]
_SHARES = dict(zip(SPLITS, (0.6, 0.2, 0.2), strict=True))


@dataclass(frozen=True)
class Likeness:
    """The thresholds by which two melodies count as the same.

    Attributes:
        long: (a) so many equal steps in a row are enough.
        short: (b) length of the runs that are compared.
        share: (b) this fraction of the shorter piece's runs, 0..1, is enough.
        common: (b) runs that occur in more pieces than this, such as a scale, are not counted. This bounds the number
            of pairs among thousands of pieces. None counts all runs.
    """

    long: int
    short: int
    share: float
    common: int | None = None


def linked_pairs(melodies: Sequence[Steps], likeness: Likeness) -> set[tuple[int, int]]:
    """Pairs i < j of similar pieces, enough to connect all pieces that are similar by rule (a) or (b).

    Not every similar pair is listed: pieces that share a long run are listed as a chain, each with the next.
    """
    count = len(melodies)
    pieces, ids = _runs(melodies, likeness.long)
    same = ids[1:] == ids[:-1]
    pairs = set(zip(pieces[:-1][same].tolist(), pieces[1:][same].tolist(), strict=True))
    pieces, ids = _runs(melodies, likeness.short)
    if likeness.common is not None:
        rare = np.bincount(ids)[ids] <= likeness.common
        pieces, ids = pieces[rare], ids[rare]
    sizes = np.bincount(pieces, minlength=count)
    first, second, shared = _shared_runs(pieces, ids, count)
    alike = shared >= likeness.share * np.minimum(sizes[first], sizes[second])
    return pairs.union(zip(first[alike].tolist(), second[alike].tolist(), strict=True))


def _runs(melodies: Sequence[Steps], length: int) -> tuple[np.ndarray, np.ndarray]:
    """The distinct runs of `length` steps in each piece: numbers of piece and run, sorted by run, then by piece.

    A shorter melody is a single run. Equal numbers mean equal runs. Runs of 2 n steps are numbered by the pair of
    numbers of their halves, and runs of other lengths by two overlapping runs of 2^k steps.
    """
    if not melodies:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # Short melodies are padded with a step that no melody has.
    lengths = np.array([max(len(steps), length) for steps in melodies])
    beyond = max((max(steps) for steps in melodies if steps), default=0) + 1
    filled = [np.array((*steps, *[beyond] * (length - len(steps))), np.int64) for steps in melodies]
    ids = np.unique(np.concatenate(filled), return_inverse=True)[1]
    width = 1
    while width < length:
        overlap = min(width, length - width)
        ids = _number_pairs(ids[:-overlap], ids[overlap:])
        width += overlap
    pieces = np.repeat(np.arange(len(melodies)), lengths)[: len(ids)]
    inside = np.arange(len(ids)) + length <= np.cumsum(lengths)[pieces]
    both = np.unique(ids[inside] * len(melodies) + pieces[inside])
    return both % len(melodies), both // len(melodies)


def _number_pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.unique(first * (second.max(initial=0) + 1) + second, return_inverse=True)[1]


def _shared_runs(pieces: np.ndarray, ids: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs i < j that share a run: i, j, and the number of shared runs."""
    found = [np.zeros(0, np.int64)]
    for distance in range(1, len(ids)):
        same = ids[distance:] == ids[:-distance]
        if not same.any():
            break
        found.append(pieces[:-distance][same] * count + pieces[distance:][same])
    pairs, shared = np.unique(np.concatenate(found), return_counts=True)
    return *np.divmod(pairs, max(count, 1)), shared


def group(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The connected components of 0..count-1 under the pairs, each sorted, ordered by their first members."""
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
        likeness: thresholds by which two melodies count as the same.

    Returns:
        `train`, `valid` or `test` for each piece.

    >>> assign_splits([(2, 2, 1), (5, 0, 1), (2, 2, 1)], [8, 40, 8], Likeness(long=3, short=3, share=1.0))
    ['valid', 'train', 'valid']
    """
    return assign_groups(group(len(melodies), linked_pairs(melodies, likeness)), melodies, sizes)


def assign_groups(groups: Sequence[Sequence[int]], melodies: Sequence[Steps], sizes: Sequence[int]) -> list[str]:
    """The split of every melody, as `assign_splits`, for groups that are known already."""
    # sha256 of the tuple's text, since Python's own hash differs between processes.
    return fill_splits(groups, sizes, [_sha256(steps) for steps in melodies])


def fill_splits(groups: Sequence[Sequence[int]], sizes: Sequence[int], digests: Sequence[bytes]) -> list[str]:
    """The split of every piece, with whole groups in one split: 60, 20 and 20 % of the frames or symbols.

    Args:
        groups: numbers of the pieces that belong together; each piece is in exactly one group.
        sizes: frames or symbols of each piece, over 0.
        digests: a sha256 of the contents of each piece; groups are ordered by their smallest one.

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
