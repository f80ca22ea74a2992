"""Words around numbers, for whatever tells people something."""


def plural(number_of: int, noun: str) -> str:
    """A number with its noun.

    >>> plural(1, "seed"), plural(3000, "seed")
    ('1 seed', '3,000 seeds')
    """
    return f"{number_of:,} {noun}" if number_of == 1 else f"{number_of:,} {noun}s"
