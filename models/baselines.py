"""Count baselines: what can be said of a step without looking at its past. Rows of every report.

    uniform            every note on with probability 1/2, or every symbol as likely
    one-probability    one probability for all notes, their mean in train
    note-probability   one probability a note, (count + 1) / (frames + 2)
    unigram            one probability a symbol, (count + 1) / (symbols + vocabulary)

Section 3 of the specification pins what the first three give on the official rolls.

Shape letters: N steps, D notes or symbols.
"""

import numpy as np
import torch
from torch import Tensor

from models.chunks import Pieces
from models.metrics import Scores, frame_accuracy


def frequencies(train: Pieces, width: int) -> Tensor:
    """How often each note is on, or each symbol comes, in train, add-one, float64 (D,), in (0, 1).

    Args:
        train: the training split.
        width: notes or symbols D.

    Raises:
        ValueError: the pieces are not as wide.
    """
    if train.data.is_floating_point():
        if train.data.shape[1] != width:
            raise ValueError(f"pieces: wants {width} notes a step, got {train.data.shape[1]}")
        return (train.data.sum(0, dtype=torch.float64) + 1) / (len(train.data) + 2)
    if not 0 <= int(train.data.min()) <= int(train.data.max()) < width:
        raise ValueError(f"pieces: wants symbols from 0 to {width - 1}, got {train.data.min()} to {train.data.max()}")
    counts = torch.bincount(train.data, minlength=width).double()
    return (counts + 1) / (len(train.data) + width)


def baselines(train: Pieces, width: int) -> dict[str, Tensor]:
    """Probabilities (D,), float64, of every baseline for that kind of data, by name."""
    frequency_D = frequencies(train, width)
    if not train.data.is_floating_point():
        return {"uniform": torch.full((width,), 1 / width, dtype=torch.float64), "unigram": frequency_D}
    mean = train.data.mean(dtype=torch.float64)
    return {
        "uniform": torch.full((width,), 0.5, dtype=torch.float64),
        "one-probability": mean.expand(width),
        "note-probability": frequency_D,
    }


def score_baseline(probability_D: Tensor, pieces: Pieces, sampling: torch.Generator) -> Scores:
    """Score one probability a note or a symbol, the same at every step."""
    if not pieces.data.is_floating_point():
        return Scores(pieces.lengths, _per_piece(probability_D.log()[pieces.data], pieces))
    on = pieces.data.double()
    log_likelihood_N = on @ probability_D.log() + (1 - on) @ torch.log1p(-probability_D)
    sampled = torch.rand(on.shape, generator=sampling, dtype=torch.float64) < probability_D
    accuracy_N, union_N = frame_accuracy(on, sampled.double())
    rows = (log_likelihood_N, accuracy_N, union_N)
    return Scores(pieces.lengths, *(_per_piece(row, pieces) for row in rows))


def _per_piece(values_N: Tensor, pieces: Pieces) -> np.ndarray:
    return np.add.reduceat(values_N.numpy(), pieces.starts[:-1])
