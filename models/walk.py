"""A network led through whole pieces, many side by side, its state carried through each of them: no gradient.

What it gives are the real steps alone, with where each belongs. What it does not do: score them (`metrics.py`).

Shape letters: S stacked trials, N real steps, B lanes, D width of the data, H hidden.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.chunks import Pieces, chunks
from models.network import Network


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some steps of some pieces, in no order.

    Attributes:
        states_SONH: the state before each step, as one step of N lanes, (S, 1, N, H).
        data: what came, (S, 1, N, D) or (S, 1, N).
        piece_N: index of each step's piece.
        place_N: where each step is in `Pieces.data`.
    """

    states_SONH: Tensor
    data: Tensor
    piece_N: Tensor
    place_N: Tensor


@torch.no_grad()
def walk(network: Network, pieces: Pieces, lanes: int, longest: int) -> Iterator[Stretch]:
    """Every step of every piece, once.

    Args:
        network: one member, S = 1.
        pieces: where it is led.
        lanes, longest: pieces side by side, and steps at a time.
    """
    # Longest first: lanes then end together, and little is padded.
    order = np.argsort(-pieces.lengths, kind="stable")
    carried, done_B = None, np.zeros(min(lanes, len(order)), dtype=np.int64)
    for chunk in chunks(pieces, order.tolist(), lanes, longest):
        data = chunk.data.unsqueeze(0)
        states_STBH, carried = network.states(data, network.start(carried, chunk.fresh_B))
        done_B[chunk.fresh_B.numpy()] = 0
        step_N, lane_N = np.divmod(chunk.real_N.numpy(), len(done_B))
        piece_N = chunk.piece_B[lane_N]
        place_N = pieces.starts[piece_N] + done_B[lane_N] + step_N
        done_B += chunk.mask_TB.sum(0).numpy()
        before, real = chunk.real(states_STBH[:, :-1]), chunk.real(data)
        yield Stretch(before, real, torch.from_numpy(piece_N), torch.from_numpy(place_N))
