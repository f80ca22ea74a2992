"""From names to a seed. All randomness of the project starts here; torch is not needed.

A random stream is named by its purpose. So adding a new stream never changes another one, and two uses of the same name
get the same numbers.
"""

import hashlib


def seed_for(*names: object, bits: int = 63, separator: str = "\x1f") -> int:
    """The seed of a named stream: the first bits of the sha256 of its names.

    Args:
        names: that identify the stream; any values with a stable `str`.
        bits: number of bits, 1 to 256; torch takes 63.
        separator: between the names; streams with another separator are independent.

    Returns:
        An integer in [0, 2^bits).

    >>> seed_for(1, "order", 0) == seed_for("1", "order", "0") != seed_for(1, "order", 1)
    True
    """
    digest = hashlib.sha256(separator.join(map(str, names)).encode()).digest()
    return int.from_bytes(digest, "big") >> (8 * len(digest) - bits)
