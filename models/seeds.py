"""From names to a seed: all randomness of the project starts here, and without torch.

A stream of random numbers is named by what it is for, so that adding a new one never moves another, and two that share
a name share its numbers.
"""

import hashlib


def seed_for(*names: object, bits: int = 63, separator: str = "\x1f") -> int:
    """Seed of the stream of that name: the first bits of the sha256 of the names.

    Args:
        names: what tells the stream from every other; anything with a stable `str`.
        bits: how many, 1 to 256; torch takes 63.
        separator: between the names. Two streams that differ in it alone have nothing in common.

    Returns:
        An integer in [0, 2^bits).

    >>> seed_for(1, "order", 0) == seed_for("1", "order", "0") != seed_for(1, "order", 1)
    True
    """
    digest = hashlib.sha256(separator.join(map(str, names)).encode()).digest()
    return int.from_bytes(digest, "big") >> (8 * len(digest) - bits)
