"""The frequency of each note or symbol in train, used for initial biases, for classes of words and for baselines.

Shape letter: D notes or symbols.
"""

import torch
from torch import Tensor

from models.data.chunks import Pieces


def frequencies(train: Pieces, width: int) -> Tensor:
    """Frequency of each note or symbol in the scored steps of train, with add-one smoothing: float64 (D,) in (0, 1).

    Args:
        train: the training split.
        width: notes or symbols D.

    Raises:
        ValueError: the pieces have another width.
    """
    data = train.scored_data
    if data.is_floating_point():
        if data.shape[1] != width:
            raise ValueError(f"pieces: wants {width} notes a step, got {data.shape[1]}")
        return (data.sum(0, dtype=torch.float64) + 1) / (len(data) + 2)
    least, most = int(train.data.min()), int(train.data.max())
    if not 0 <= least <= most < width:
        raise ValueError(f"pieces: wants symbols from 0 to {width - 1}, got {least} to {most}")
    counts = torch.bincount(data, minlength=width).double()
    return (counts + 1) / (len(data) + width)
