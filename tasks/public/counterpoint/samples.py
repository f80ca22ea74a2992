"""The samples of a store: the music and texts of trained networks."""

from infra.store import Store
from tasks.trials.continuation import Continuation
from tasks.trials.samples import load_sample

from .readable import load_all


def load_samples(store: str) -> dict[str, Continuation]:
    """The samples of the final trials, by the keys of the trials: each continues the beginning of a test piece.

    Music has `piano_roll`, uint8 (T, 88), and text has `text`, a string. The first `given` steps belong to the piece,
    the others to the network. `to_bytes` gives the MIDI or text file.

    Args:
        store: its address.

    Raises:
        StoreError: the store cannot be used.
    """
    return load_all(load_sample, Store(store, create=False), "samples")
