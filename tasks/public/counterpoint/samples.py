"""The samples of a store: the music and texts of trained networks."""

from infra.store import Store
from tasks.trials.continuation import Continuation
from tasks.trials.samples import load_sample

from .readable import load_all


def load_samples(store: str) -> dict[str, Continuation]:
    """What the networks of the final trials made of the beginning of a test piece, by the keys of the trials.

    Of music `piano_roll` is uint8 (T, 88), of text `text` a string; the first `given` steps are the piece's, the others
    the network's. `to_bytes` gives the MIDI or text file.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.
    """
    return load_all(load_sample, Store(store, create=False), "samples")
