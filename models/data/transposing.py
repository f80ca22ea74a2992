"""Transposition of pieces of music, drawn anew in each epoch, as data augmentation.

In an epoch a piece is shifted as a whole by a number of semitones, drawn uniformly from -t ... t. The draw depends only
on the trial's stream and the epoch's number, not on chunks, stack or process. No note is lost: a shift that would move
a note out of the roll is reduced until the piece fits.

What this does not do: transpose validation or test, or move the notes (`chunks.shifted`).

Shape letters: D notes, Q pieces.
"""

import numpy as np
import torch

from models.data.chunks import Pieces
from models.randomness import generator_for


def room(pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """The largest shifts down and up that keep each piece in the roll, each (Q,); for a silent piece all notes.

    >>> down_Q, up_Q = room(Pieces.from_arrays([np.array([[0, 1, 0, 0]]), np.array([[0, 0, 1, 0], [1, 0, 0, 0]])]))
    >>> down_Q.tolist(), up_Q.tolist()
    ([1, 0], [2, 1])
    """
    sounds_QD = np.logical_or.reduceat((pieces.data != 0).cpu().numpy(), pieces.starts[:-1], axis=0)
    down_Q, up_Q = (np.argmax(order_QD, axis=1) for order_QD in (sounds_QD, sounds_QD[:, ::-1]))
    silent_Q = ~sounds_QD.any(axis=1)
    down_Q[silent_Q] = up_Q[silent_Q] = sounds_QD.shape[1]
    return down_Q, up_Q


def drawn_shifts(stream: int, epoch: int, most: int, room_of: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The shift of each piece in an epoch, in semitones, (Q,); positive is up.

    Args:
        stream: seed of the trial's random streams.
        epoch: number of the epoch.
        most: t.
        room_of: of the pieces, from `room`.
    """
    down_Q, up_Q = room_of
    generator = generator_for(stream, "transposition", epoch)
    drawn_Q: np.ndarray = torch.randint(-most, most + 1, (len(down_Q),), generator=generator).numpy()
    return drawn_Q.clip(-down_Q, up_Q)
