"""Run a network over whole pieces, many side by side, with the state carried through each piece and without gradients.

Only scored steps are returned, each with its piece and its place. If only log-likelihoods are wanted and compiled code
can be used, no states are kept. What this does not do: score the steps (`metrics.py`).

Shape letters: S stacked trials, N scored steps, B lanes, D width of the data, H hidden, T time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.data.chunks import ChunkPlan, Pieces, make_chunk, plan_chunks
from models.native_chunk import NativeChunk, serves
from models.network import Network


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some scored steps of some pieces, in no particular order.

    Attributes:
        states_S1NH: the state before each step, laid out as one step of N lanes, (S, 1, N, H).
        data: the data of each step, (S, 1, N, D) or (S, 1, N).
        piece_N: index of each step's piece.
        place_N: position of each step in `Pieces.data`.
    """

    states_S1NH: Tensor
    data: Tensor
    piece_N: Tensor
    place_N: Tensor


@torch.no_grad()
def walk(network: Network, pieces: Pieces, lanes: int, longest: int) -> Iterator[Stretch]:
    """Run the network over all pieces; yields every scored step once, for all members of the stack.

    Args:
        network: of one trial or of a stack.
        pieces: on the network's device.
        lanes: number of pieces side by side.
        longest: most steps in a chunk.
    """
    S, device = len(network.trials), pieces.data.device
    carried = None
    for plan in _longest_first(pieces, lanes, longest):
        chunk = make_chunk(pieces, plan)
        data = chunk.inputs.expand(S, *chunk.data.shape)
        states_STBH, carried = network.states(data, network.start(carried, chunk.fresh))
        if not chunk.scored_steps:
            continue
        places_TB, _ = plan.cells(len(chunk.data))
        pieces_TB = np.broadcast_to(plan.piece_B, places_TB.shape)
        cells = (torch.from_numpy(of_TB.flatten()).to(device) for of_TB in (pieces_TB, places_TB))
        piece_N, place_N = (values[chunk.scored_N] for values in cells)
        yield Stretch(chunk.scored(states_STBH[:, :-1]), chunk.scored(data), piece_N, place_N)


@torch.no_grad()
def likelihoods(network: Network, pieces: Pieces, lanes: int, longest: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Log-likelihoods of scored steps in nats, (S, N), and each step's piece, (N,); arguments as for `walk`."""
    if not (serves(network) and pieces.scored is None):
        for stretch in walk(network, pieces, lanes, longest):
            yield network.log_likelihood(stretch.states_S1NH, stretch.data).flatten(1), stretch.piece_N
        return
    native, carried = NativeChunk(network), None
    for plan in _longest_first(pieces, lanes, longest):
        chunk = make_chunk(pieces, plan)
        values_STB, carried = native.log_likelihood(chunk, carried)
        piece_N = torch.from_numpy(plan.piece_B).repeat(len(chunk.data))
        yield values_STB.flatten(1)[:, chunk.scored_N], piece_N[chunk.scored_N]


def _longest_first(pieces: Pieces, lanes: int, longest: int) -> Iterator[ChunkPlan]:
    """Plan chunks with the longest pieces first, so that lanes end at about the same time, with little padding."""
    return plan_chunks(pieces, np.argsort(-pieces.lengths, kind="stable").tolist(), lanes, longest)
