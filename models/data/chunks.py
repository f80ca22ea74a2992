"""Cut pieces into chunks, with many pieces side by side in lanes.

A batch has a number of lanes. Every lane runs through one piece after another, one chunk at a time. If a piece begins
in a chunk, its lane is marked fresh and its state is reset; otherwise the state is carried on. Every step of every
piece comes exactly once.

There are two sets of steps. Unpadded steps are those of pieces; all of them are inputs. The others are padding, after
the end of a lane that is shorter than its chunk. Scored steps are predicted, and count in cost and scores. They are all
unpadded steps, unless the pieces mark only some of them: in a sequence that ends with an answer, only the last step.

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
"""Number of batches that are sorted by length together. More would give less padding, but also less mixing."""


@dataclass(frozen=True)
class Pieces:
    """All pieces of a split, concatenated in one tensor.

    Attributes:
        data: steps of all pieces, float (N, D) for notes or int64 (N,) for symbols.
        starts: position of each piece's first step, and N at the end.
        scored: (N,), True for scored steps; None if all steps are scored.
    """

    data: Tensor
    starts: np.ndarray
    scored: Tensor | None = None

    @classmethod
    def from_arrays(
        cls, arrays: Sequence[np.ndarray], dtype: torch.dtype = torch.float32, *, last_alone: bool = False
    ) -> "Pieces":
        """Concatenate piano-rolls (T, 88) or other vectors, as floats; or symbols (T,), as int64.

        Args:
            arrays: the pieces.
            dtype: of vectors.
            last_alone: whether only the last step of each piece is scored.

        Raises:
            ValueError: there is no piece, a piece is empty, or a value is not finite.
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
    """The plan of one chunk: the steps of the data that each lane has in it.

    Attributes:
        piece_B: index of each lane's piece; a lane that has run out keeps its last piece.
        place_B: position in the data of each lane's first step.
        steps_B: number of steps of each lane; 0 for a lane that has run out.
        fresh_B: True for lanes in which a piece begins with this chunk.
        shift_B: number of notes that each lane is shifted up (`transposing.py`); None without transposition.
    """

    piece_B: np.ndarray
    place_B: np.ndarray
    steps_B: np.ndarray
    fresh_B: np.ndarray
    shift_B: np.ndarray | None = None

    def cells(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """For each cell (T, B) of a chunk of `length` steps: its position in the data, and whether it is unpadded."""
        step_TB = np.arange(length)[:, None]
        unpadded_TB = step_TB < self.steps_B
        return np.where(unpadded_TB, self.place_B + step_TB, 0), unpadded_TB


@dataclass(frozen=True)
class Chunk:
    """Some steps of every lane's piece; T is the length of the longest lane.

    Attributes:
        data: (T, B, D) or (T, B); zero in padding.
        unpadded_TB: True for steps that are not padding.
        scored_TB: True for scored steps; the same tensor as `unpadded_TB` if all unpadded steps are scored.
        fresh: True for lanes in which a piece begins with this chunk.
        piece_B: index of each lane's piece; a lane that has run out keeps its last piece, and is all padding.
    """

    data: Tensor
    unpadded_TB: Tensor
    scored_TB: Tensor
    fresh: Tensor
    piece_B: np.ndarray

    taking: ClassVar[tuple[bool, ...]] = (True,)
    """The chunk belongs to one member, which takes part; compare `StackedChunk.taking`."""

    @property
    def inputs(self) -> Tensor:
        """The data with an S axis of size 1."""
        return self.data.unsqueeze(0)

    @property
    def targets(self) -> Tensor:
        """The data that the output model has to predict: the same as the inputs."""
        return self.inputs

    @cached_property
    def scored_N(self) -> Tensor:
        """Indices of the N scored steps in the flattened (T, B)."""
        return _places(self.scored_TB)

    @cached_property
    def unpadded_N(self) -> Tensor:
        """Indices of the unpadded steps in the flattened (T, B)."""
        return self.scored_N if self.scored_TB is self.unpadded_TB else _places(self.unpadded_TB)

    @property
    def scored_steps(self) -> int:
        """Number of scored steps."""
        return len(self.scored_N)

    @cached_property
    def lanes(self) -> int:
        """Number of lanes that have not run out."""
        return self.unpadded_TB.shape[1] if self.unpadded_mask is None else int(self.unpadded_TB[0].sum())

    @cached_property
    def unpadded_mask(self) -> Tensor | None:
        """`unpadded_TB`; None if nothing is padded."""
        return None if len(self.unpadded_N) == self.unpadded_TB.numel() else self.unpadded_TB

    @property
    def going_B(self) -> Tensor:
        """Whether each lane's last step is unpadded; otherwise the lane's final state comes from padding."""
        return self.unpadded_TB[-1]

    def scored(self, values: Tensor) -> Tensor:
        """The scored steps of values (S, T, B, ...), laid out as one step of N lanes: (S, 1, N, ...)."""
        return _picked(values, self.scored_N)

    def unpadded(self, values: Tensor) -> Tensor:
        """As `scored`, for all unpadded steps."""
        return _picked(values, self.unpadded_N)

    def total_scored(self, values: Tensor) -> Tensor:
        """Sum over the scored steps, (S,), of values (S, ...) in the layout of `scored`."""
        return values.flatten(1).sum(1)

    def total_unpadded(self, values: Tensor) -> Tensor:
        """Sum over the unpadded steps, (S,), of values (S, ...) in the layout of `unpadded`."""
        return values.flatten(1).sum(1)

    def spread(self, values: Tensor) -> Tensor:
        """The transpose of `scored`, for one member: (1, 1, N, D) to (1, T, B, D), with zeros at the other steps."""
        T, B = self.scored_TB.shape
        if self.scored_steps == T * B:
            return values.view(1, T, B, -1)
        spread = values.new_zeros(1, T * B, values.shape[-1])
        return spread.index_copy_(1, self.scored_N, values.squeeze(1)).view(1, T, B, -1)


def _picked(values: Tensor, places_N: Tensor) -> Tensor:
    """Selected cells of values (S, T, B, ...), laid out as one step of N lanes: (S, 1, N, ...)."""
    rows = values.flatten(1, 2)
    if len(places_N) == rows.shape[1]:
        return rows.unsqueeze(1)
    if len(values) > 1:
        return rows.index_select(1, places_N).unsqueeze(1)
    # Along the first axis torch copies whole rows, which is faster.
    return rows[0].index_select(0, places_N)[None, None]


def shuffled(pieces: Pieces, lanes: int, generator: torch.Generator) -> list[int]:
    """A random order of the pieces in which neighbours have about the same length, so that batches have little padding.

    All pieces are shuffled. Each window of `WINDOW` batches is sorted by length and cut into batches. Then the batches
    are shuffled.
    """
    order = torch.randperm(len(pieces), generator=generator).numpy()
    size = WINDOW * lanes
    windows = [order[start : start + size] for start in range(0, len(order), size)]
    by_length = [window[np.argsort(pieces.lengths[window], kind="stable")] for window in windows]
    groups = [window[start : start + lanes] for window in by_length for start in range(0, len(window), lanes)]
    mixed = torch.randperm(len(groups), generator=generator).tolist()
    return [int(piece) for group in mixed for piece in groups[group]]


def chunks(pieces: Pieces, order: Sequence[int], lanes: int, length: int, skip: int = 0) -> Iterator[Chunk]:
    """All pieces in chunks of at most `length` steps, with `lanes` pieces side by side.

    Args:
        pieces: the pieces.
        order: indices of the pieces, in the order in which free lanes take them.
        lanes: number of lanes; at most one for each piece is used.
        length: most steps in a chunk.
        skip: number of chunks to skip at the start; their data are not copied.
    """
    for plan in islice(plan_chunks(pieces, order, lanes, length), skip, None):
        yield make_chunk(pieces, plan)


def plan_chunks(pieces: Pieces, order: Sequence[int], lanes: int, length: int) -> Iterator[ChunkPlan]:
    """The plans of the chunks, in order; arguments as for `chunks`."""
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
    """The chunk of a plan."""
    places_TB, are_unpadded_TB = plan.cells(plan.steps_B.max())
    device = pieces.data.device
    unpadded_TB = torch.from_numpy(are_unpadded_TB).to(device)
    places = torch.from_numpy(places_TB).to(device)
    # Whole rows are copied, which is faster than single numbers.
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
    """Rolls (..., T, B, D), with each lane shifted up by a number of notes.

    Args:
        data: rolls; no shift may move a note out of them.
        shift: number of notes for each lane, integers (..., B), on the same device.
    """
    D = data.shape[-1]
    from_where = (torch.arange(D, device=data.device) - shift.unsqueeze(-1)) % D
    return data.gather(-1, from_where.unsqueeze(-3).expand(data.shape))


def _places(which_TB: Tensor) -> Tensor:
    return which_TB.flatten().nonzero().squeeze(1)
