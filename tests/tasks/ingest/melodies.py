"""The runs of a melody, by plain slices of tuples."""

from tasks.ingest.building.splits import Steps


def runs(steps: Steps, length: int) -> frozenset[Steps]:
    """The different runs of so many steps; of a shorter melody the whole of it."""
    if len(steps) < length:
        return frozenset([steps])
    return frozenset(steps[at : at + length] for at in range(len(steps) - length + 1))
