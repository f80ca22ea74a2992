"""Pieces of music shifted in pitch, each epoch anew: as much data as there are keys.

A piece of an epoch is shifted as a whole by a number of semitones that is drawn uniformly among -t ... t, from the
trial's stream and the epoch's number, so that it is the same in whatever chunks, stack or process it is read. No note
is lost: where a shift would take a note off the roll, the piece goes as far as it fits.

What this does not do: touch validation or test, or move a note (`chunks.shifted`).

Shape letters: D notes, P pieces.
"""

import numpy as np
import torch

from models.data.chunks import Pieces
from models.randomness import generator_for


def room(pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """By how many notes each piece fits lower, and by how many higher, each (P,); a silent one by as many as there are.

    >>> down_P, up_P = room(Pieces.from_arrays([np.array([[0, 1, 0, 0]]), np.array([[0, 0, 1, 0], [1, 0, 0, 0]])]))
    >>> down_P.tolist(), up_P.tolist()
    ([1, 0], [2, 1])
    """
    sounds_PD = np.logical_or.reduceat((pieces.data != 0).cpu().numpy(), pieces.starts[:-1], axis=0)
    down_P, up_P = (np.argmax(order_PD, axis=1) for order_PD in (sounds_PD, sounds_PD[:, ::-1]))
    silent_P = ~sounds_PD.any(axis=1)
    down_P[silent_P] = up_P[silent_P] = sounds_PD.shape[1]
    return down_P, up_P


def drawn_shifts(stream: int, epoch: int, most: int, room_of: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Of an epoch the semitones that each piece is shifted by, (P,), up where they are positive.

    Args:
        stream: of the trial.
        epoch: its number.
        most: t.
        room_of: of the pieces, as `room` gives it.
    """
    down_P, up_P = room_of
    generator = generator_for(stream, "transposition", epoch)
    drawn_P: np.ndarray = torch.randint(-most, most + 1, (len(down_P),), generator=generator).numpy()
    return drawn_P.clip(-down_P, up_P)
