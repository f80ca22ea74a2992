"""Pieces cut into chunks, many pieces side by side.

A batch has `lanes`. Every lane runs through one piece after another, a chunk at a time; where a piece begins the
lane is marked fresh, so that its state starts anew, and otherwise the state is carried on. Every step of every piece
comes exactly once.

Two sets of steps are told apart. Unpadded are the steps of pieces, which are all read; the others are padding, behind
the end of a lane that is shorter than its chunk. Scored, which is to say predicted, paid for and counted, are all
unpadded ones, unless the pieces say that only some are: of a sequence that ends with the answer to a question the last
one alone.

Shape letters: S stacked trials, T time, B lanes, N scored steps, D width of the data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

WINDOW = 8
"""Batches that are sorted by length together: more would pad less, and mix less."""


@dataclass(frozen=True)
class Pieces:
    """Pieces one after another in one tensor.

    Attributes:
        data: steps of all pieces, float (N, D) for notes or int64 (N,) for symbols.
        starts: where each piece begins, and at the end N.
        scored: (N,), True for the steps that are predicted and counted; None where all are.
    """

    data: Tensor
    starts: np.ndarray
    scored: Tensor | None = None

    @classmethod
    def from_arrays(
        cls, arrays: Sequence[np.ndarray], dtype: torch.dtype = torch.float32, *, last_alone: bool = False
    ) -> "Pieces":
        """Join piano-rolls (T, 88) or other vectors, as floats, or symbols (T,), as int64.

        Args:
            arrays: the pieces.
            dtype: of vectors.
            last_alone: whether only the last step of each piece is scored.

        Raises:
            ValueError: there is no piece, or an empty one, or they hold something else than finite numbers.
        """
        if not arrays or any(len(array) == 0 for array in arrays):
            raise ValueError("pieces: wants at least one, and none of them empty")
        joined = torch.from_numpy(np.concatenate(arrays))
        data = joined.to(dtype) if joined.dim() == 2 else joined.long()
        if not data.isfinite().all():
            raise ValueError("pieces: wants finite numbers, got NaN or infinity; mend the corpus")
        starts = np.concatenate([[0], np.cumsum([len(array) for array in arrays])])
        if not last_alone:
            return cls(data, starts)
        scored = torch.zeros(len(data), dtype=torch.bool)
        scored[torch.from_numpy(starts[1:] - 1)] = True
        return cls(data, starts, scored)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def to(self, device: torch.device | str) -> "Pieces":
        """The same pieces on a device."""
        return Pieces(self.data.to(device), self.starts, None if self.scored is None else self.scored.to(device))

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each piece."""
        return np.diff(self.starts)

    @property
    def scored_lengths(self) -> np.ndarray:
        """Scored steps of each piece."""
        if self.scored is None:
            return self.lengths
        return np.add.reduceat(self.scored.cpu().numpy().astype(np.int64), self.starts[:-1])

    @property
    def scored_data(self) -> Tensor:
        """The scored steps of all pieces."""
        return self.data if self.scored is None else self.data[self.scored]


@dataclass(frozen=True)
class ChunkPlan:
    """One chunk to be: which steps of the data of all pieces each lane has in it.

    Attributes:
        piece_B: index of each lane's piece; a lane that has run out repeats its last one.
        place_B: where in the data it begins.
        steps_B: how many steps of it come; 0 for a lane that has run out.
        fresh_B: True where a piece begins with this chunk.
        shift_B: by how many notes each lane is shifted up (`transposing.py`); None where none is.
    """

    piece_B: np.ndarray
    place_B: np.ndarray
    steps_B: np.ndarray
    fresh_B: np.ndarray
    shift_B: np.ndarray | None = None

    def cells(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Of each cell (T, B) of a chunk of `length` steps, its place in the data, and whether it is no padding."""
        step_TB = np.arange(length)[:, None]
        unpadded_TB = step_TB < self.steps_B
        return np.where(unpadded_TB, self.place_B + step_TB, 0), unpadded_TB


@dataclass(frozen=True)
class Chunk:
    """Some steps of every lane's piece, as long as the longest.

    Attributes:
        data: (T, B, D) or (T, B); zero in padding.
        unpadded_TB: True for steps that are no padding.
        scored_TB: True for those of them that are scored; the same tensor where all are.
        fresh: True where a piece begins with this chunk.
        piece_B: index of each lane's piece; a lane that has run out repeats its last one, all of it padding.
    """

    data: Tensor
    unpadded_TB: Tensor
    scored_TB: Tensor
    fresh: Tensor
    piece_B: np.ndarray

    taking: ClassVar[tuple[bool, ...]] = (True,)
    """It is of one member, which takes it."""

    @property
    def inputs(self) -> Tensor:
        """The data with the S axis, of one member."""
        return self.data.unsqueeze(0)

    @property
    def targets(self) -> Tensor:
        """What each step's output model is asked for: what came."""
        return self.inputs

    @cached_property
    def scored_N(self) -> Tensor:
        """Places of the scored steps in (T, B) laid out in a row, N of them."""
        return _places(self.scored_TB)

    @cached_property
    def unpadded_N(self) -> Tensor:
        """Places of the unpadded steps, in the same way."""
        return self.scored_N if self.scored_TB is self.unpadded_TB else _places(self.unpadded_TB)

    @property
    def scored_steps(self) -> int:
        """How many steps are scored."""
        return len(self.scored_N)

    @cached_property
    def lanes(self) -> int:
        """Lanes that have not run out."""
        return self.unpadded_TB.shape[1] if self.unpadded_mask is None else int(self.unpadded_TB[0].sum())

    @cached_property
    def unpadded_mask(self) -> Tensor | None:
        """`unpadded_TB`; None where nothing is padded."""
        return None if len(self.unpadded_N) == self.unpadded_TB.numel() else self.unpadded_TB

    @property
    def going_B(self) -> Tensor:
        """Whether a lane's last step is unpadded: else what it would carry on is of padding."""
        return self.unpadded_TB[-1]

    def scored(self, values: Tensor) -> Tensor:
        """The scored steps of values (S, T, B, ...), one after another, as one step of N lanes: (S, 1, N, ...)."""
        return _picked(values, self.scored_N)

    def unpadded(self, values: Tensor) -> Tensor:
        """As `scored`, of all unpadded steps."""
        return _picked(values, self.unpadded_N)

    def total_scored(self, values: Tensor) -> Tensor:
        """Sum over the scored steps of values that `scored` gave, or that were made of them, (S, ...): (S,)."""
        return values.flatten(1).sum(1)

    def total_unpadded(self, values: Tensor) -> Tensor:
        """As `total_scored`, of values that `unpadded` gave."""
        return values.flatten(1).sum(1)

    def spread(self, values: Tensor) -> Tensor:
        """The transpose of `scored`, of one member: (1, 1, N, D) back to (1, T, B, D), zero at the other steps."""
        T, B = self.scored_TB.shape
        if self.scored_steps == T * B:
            return values.view(1, T, B, -1)
        spread = values.new_zeros(1, T * B, values.shape[-1])
        return spread.index_copy_(1, self.scored_N, values.squeeze(1)).view(1, T, B, -1)


def _picked(values: Tensor, places_N: Tensor) -> Tensor:
    """Some cells of values (S, T, B, ...), as one step of N lanes: (S, 1, N, ...)."""
    rows = values.flatten(1, 2)
    if len(places_N) == rows.shape[1]:
        return rows.unsqueeze(1)
    if len(values) > 1:
        return rows.index_select(1, places_N).unsqueeze(1)
    # along the first axis torch copies rows, not numbers
    return rows[0].index_select(0, places_N)[None, None]


def shuffled(pieces: Pieces, lanes: int, generator: torch.Generator) -> list[int]:
    """A random order in which neighbours are of about the same length, so that little of a batch is padding.

    All pieces are shuffled; each window of `WINDOW` batches is sorted by length and cut into batches; the batches are
    shuffled.
    """
    order = torch.randperm(len(pieces), generator=generator).numpy()
    size = WINDOW * lanes
    windows = [order[start : start + size] for start in range(0, len(order), size)]
    by_length = [window[np.argsort(pieces.lengths[window], kind="stable")] for window in windows]
    groups = [some[start : start + lanes] for some in by_length for start in range(0, len(some), lanes)]
    mixed = torch.randperm(len(groups), generator=generator).tolist()
    return [int(piece) for group in mixed for piece in groups[group]]


def chunks(pieces: Pieces, order: Sequence[int], lanes: int, length: int, skip: int = 0) -> Iterator[Chunk]:
    """All pieces in chunks of at most `length` steps, `lanes` of them at a time.

    Args:
        pieces: the pieces.
        order: indices of the pieces in the order in which free lanes take them.
        lanes: pieces side by side; not more are used than there are.
        length: longest chunk.
        skip: chunks to leave out at the start; nothing is copied for them.
    """
    for plan in islice(plan_chunks(pieces, order, lanes, length), skip, None):
        yield make_chunk(pieces, plan)


def plan_chunks(pieces: Pieces, order: Sequence[int], lanes: int, length: int) -> Iterator[ChunkPlan]:
    """What the chunks are made of, in their order; arguments as for `chunks`."""
    lanes = min(lanes, len(order))
    waiting = iter(order)
    piece_B = np.zeros(lanes, dtype=np.int64)
    place_B = np.zeros(lanes, dtype=np.int64)
    end_B = np.zeros(lanes, dtype=np.int64)
    while True:
        fresh_B = np.zeros(lanes, dtype=bool)
        for lane in np.flatnonzero(place_B == end_B):
            if (piece := next(waiting, None)) is not None:
                piece_B[lane], fresh_B[lane] = piece, True
                place_B[lane], end_B[lane] = pieces.starts[piece], pieces.starts[piece + 1]
        steps_B = np.minimum(end_B - place_B, length)
        if not steps_B.any():
            return
        yield ChunkPlan(piece_B.copy(), place_B, steps_B, fresh_B)
        place_B = place_B + steps_B


def make_chunk(pieces: Pieces, plan: ChunkPlan) -> Chunk:
    """The chunk that was planned."""
    places_TB, are_unpadded_TB = plan.cells(plan.steps_B.max())
    device = pieces.data.device
    unpadded_TB = torch.from_numpy(are_unpadded_TB).to(device)
    places = torch.from_numpy(places_TB).to(device)
    # by rows: whole ones are copied faster than single numbers
    rows = pieces.data.index_select(0, places.flatten())
    if not are_unpadded_TB.all():
        rows.index_fill_(0, _places(~unpadded_TB), 0)
    data = rows.view(*are_unpadded_TB.shape, *rows.shape[1:])
    if plan.shift_B is not None:
        data = shifted(data, torch.from_numpy(plan.shift_B).to(device))
    return Chunk(
        data=data,
        unpadded_TB=unpadded_TB,
        scored_TB=unpadded_TB if pieces.scored is None else pieces.scored[places] & unpadded_TB,
        fresh=torch.from_numpy(plan.fresh_B).to(device),
        piece_B=plan.piece_B,
    )


def shifted(data: Tensor, shift: Tensor) -> Tensor:
    """Rolls (..., T, B, D), each lane shifted up by so many notes.

    Args:
        data: of which no note leaves the roll.
        shift: integers (..., B), on the same device.
    """
    D = data.shape[-1]
    from_where = (torch.arange(D, device=data.device) - shift.unsqueeze(-1)) % D
    return data.gather(-1, from_where.unsqueeze(-3).expand(data.shape))


def _places(which_TB: Tensor) -> Tensor:
    return which_TB.flatten().nonzero().squeeze(1)
